"""The Pareto front of what was measured, and how to pick one architecture of it.

Nothing here knows where values came from. No sign is flipped: every comparison is given the directions.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from ..supernets.space import Architecture
from .constraint import Constraint, violation
from .errors import Infeasible, SearchError, UnknownName
from .objective import Direction, Values

ID_PREFIX = re.compile(r"[0-9a-f]{1,8}")


@dataclass(frozen=True, slots=True)
class ParetoFront:
    """Mutually non-dominated architectures with their values (one tuple of m an architecture).

    Sorted by values, so that it does not depend on the order of measurement. `is_feasible` is False when no measured
    architecture kept the run's constraints; the front is then that of all measured.
    """

    architectures: tuple[Architecture, ...]
    values: tuple[tuple[float, ...], ...]
    names: tuple[str, ...]
    units: tuple[str, ...]
    directions: tuple[Direction, ...]
    is_feasible: bool = True

    def __len__(self) -> int:
        return len(self.architectures)

    def array(self) -> Values:
        """Return the values, (n, m)."""
        return np.array(self.values, dtype=np.float64).reshape(len(self), len(self.names))

    def hypervolume(self, reference: Sequence[float]) -> float:
        """Return the volume between the front and a reference point of m values."""
        return hypervolume(self.array(), reference, self.directions)

    def values_of(self, architecture: Architecture) -> dict[str, float]:
        """Return an architecture's values by objective; raises UnknownName when the front lacks it."""
        ids = [member.id for member in self.architectures]
        if architecture.id not in ids:
            raise UnknownName.of("architecture", architecture.id, ids)
        return dict(zip(self.names, self.values[ids.index(architecture.id)]))

    def knee(self) -> Architecture:
        """Return the architecture farthest above the plane through the front's ends, each objective scaled to 0..1."""
        self.check_not_empty()
        return self.architectures[int(goodness(self.array(), self.directions).sum(axis=1).argmax())]

    def pick(self, rule: str) -> Architecture:
        """Return one architecture of the front.

        `rule` is `knee`, an architecture's id or the start of it, or constraints separated by commas, as
        `latency<=2ms,macs<=3M`: of those that keep them, the best by the first maximised objective, else by the
        first. Raises UnknownName, InvalidConstraint, and Infeasible with the nearest architecture.
        """
        self.check_not_empty()
        if re.search("[<>]", rule):
            return self.pick_within([Constraint.parse(part, self.unit_of) for part in rule.split(",")])
        return self.knee() if rule == "knee" else self.pick_id(rule)

    @property
    def unit_of(self) -> dict[str, str]:
        """Unit by objective."""
        return dict(zip(self.names, self.units))

    def pick_within(self, constraints: Sequence[Constraint]) -> Architecture:
        """Return the best architecture that keeps all constraints; raises Infeasible with the nearest."""
        values = self.array()
        missed = violation(values, self.names, constraints)
        kept = np.flatnonzero(missed == 0)
        if not len(kept):
            nearest = self.architectures[int(missed.argmin())]
            found = ", ".join(
                f"{name} {value:g} {unit}" for name, value, unit in zip(self.names, values[missed.argmin()], self.units)
            )
            raise Infeasible(
                f"none of the front's {len(self)} architectures keeps {', '.join(map(str, constraints))}; "
                f"the nearest is {nearest.id} with {found}",
                nearest=nearest,
            )
        leading = self.directions.index("max") if "max" in self.directions else 0
        scores = goodness(values, self.directions)[kept]
        order = np.lexsort((np.arange(len(kept)), -scores.sum(axis=1), -scores[:, leading]))
        return self.architectures[int(kept[order[0]])]

    def pick_id(self, prefix: str) -> Architecture:
        """Return the only architecture whose id starts with `prefix`; raises UnknownName for none or several."""
        ids = [architecture.id for architecture in self.architectures]
        matches = [i for i, name in enumerate(ids) if name.startswith(prefix)] if ID_PREFIX.fullmatch(prefix) else []
        if len(matches) > 1:
            raise UnknownName(
                f"{prefix!r} is the start of several ids: {', '.join(ids[i] for i in matches)}", known=ids
            )
        if not matches:
            raise UnknownName(
                f"{prefix!r} picks nothing: a rule is knee, a constraint such as {self.names[0]}<=VALUE, or the start "
                f"of an id of the front ({', '.join(ids[:8])}{', ...' if len(ids) > 8 else ''})",
                known=("knee", *ids),
            )
        return self.architectures[matches[0]]

    def check_not_empty(self) -> None:
        """Raise SearchError when nothing was measured."""
        if not self.architectures:
            raise SearchError("the front is empty: nothing was measured yet; run or resume the search first")


def pareto_front(
    architectures: Sequence[Architecture],
    values: Values,
    *,
    names: Sequence[str],
    units: Sequence[str],
    directions: Sequence[Direction],
    constraints: Sequence[Constraint] = (),
) -> ParetoFront:
    """Return the front of measured architectures with (n, m) values, among the feasible where there are any."""
    missed = violation(values, names, constraints)
    is_feasible = bool((missed == 0).any()) or not len(values)
    allowed = np.flatnonzero(missed == 0) if is_feasible else np.arange(len(values))
    members = allowed[non_dominated(values[allowed], directions)] if len(allowed) else allowed
    by_architecture = {architectures[i]: tuple(float(value) for value in values[i]) for i in members}
    ordered = sorted(by_architecture.items(), key=lambda item: (item[1], item[0].indices))
    return ParetoFront(
        architectures=tuple(architecture for architecture, _ in ordered),
        values=tuple(row for _, row in ordered),
        names=tuple(names),
        units=tuple(units),
        directions=tuple(directions),
        is_feasible=is_feasible,
    )


def non_dominated(values: Values, directions: Sequence[Direction]) -> NDArray[np.bool_]:
    """Mark the rows of (n, m) values that no row dominates, (n,); equal rows stand or fall together."""
    from moocore import is_nondominated

    if not len(values):
        return np.zeros(0, dtype=np.bool_)
    mask: NDArray[np.bool_] = is_nondominated(values, maximise=maximised(directions), keep_weakly=True)
    return mask


def hypervolume(values: Values, reference: Sequence[float], directions: Sequence[Direction]) -> float:
    """Return the volume that (n, m) values dominate above a reference point; rows beyond it add nothing."""
    from moocore import hypervolume as volume

    if not len(values):
        return 0.0
    return float(volume(values, ref=np.asarray(reference, dtype=np.float64), maximise=maximised(directions)))


def maximised(directions: Sequence[Direction]) -> list[bool]:
    """Tell which objectives are to be maximised, m of them."""
    return [direction == "max" for direction in directions]


def goodness(values: Values, directions: Sequence[Direction]) -> Values:
    """Scale each column of (n, m) values to 1 at its best and 0 at its worst; 1 where all are equal."""
    low, high = values.min(axis=0), values.max(axis=0)
    is_max = np.array(maximised(directions))
    best, worst = np.where(is_max, high, low), np.where(is_max, low, high)
    span = np.where(best == worst, 1.0, best - worst)
    scaled: Values = np.where(best == worst, 1.0, (values - worst) / span)
    return scaled
