"""Pareto fronts of measured architectures: which, how good, and which one to take."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from ..supernets.space import Architecture
from .constraint import Constraint, violation
from .errors import Infeasible, UnknownName
from .objective import Direction, Values, minimised

ID = re.compile(r"[0-9a-f]{4,8}")


@dataclass(frozen=True, slots=True)
class ObjectiveInfo:
    """What is known of an objective without being able to compute it."""

    name: str
    unit: str
    direction: Direction


@dataclass(frozen=True, slots=True)
class ParetoFront:
    """Mutually non-dominated architectures, best in the first objective first; `values` are (n, m) as tuples."""

    architectures: tuple[Architecture, ...]
    values: tuple[tuple[float, ...], ...]
    objectives: tuple[ObjectiveInfo, ...]

    @staticmethod
    def of(architectures: Sequence[Architecture], values: Values, objectives: Sequence[ObjectiveInfo]) -> ParetoFront:
        """Keep what no other dominates; the order of the arguments does not matter."""
        directions = [objective.direction for objective in objectives]
        kept = np.flatnonzero(non_dominated(values, directions)).tolist()
        costs = minimised(values, directions)
        order = sorted(kept, key=lambda i: (*costs[i], architectures[i].indices))
        return ParetoFront(
            tuple(architectures[i] for i in order),
            tuple(tuple(float(value) for value in values[i]) for i in order),
            tuple(objectives),
        )

    def knee(self) -> Architecture:
        """Return the architecture with the best compromise.

        With objectives scaled to the front's extent, it is the one farthest from the line between the ends of a front
        of two objectives (towards the better side), else the one closest to the ideal point.
        """
        costs = minimised(np.array(self.values), [objective.direction for objective in self.objectives])
        span = np.ptp(costs, axis=0)
        scaled = (costs - costs.min(axis=0)) / np.where(span > 0, span, 1.0)
        distances = scaled.sum(axis=1) if len(self.objectives) == 2 else np.linalg.norm(scaled, axis=1)
        return self.architectures[int(np.argmin(distances))]

    def pick(self, rule: str) -> Architecture:
        """Return the architecture that `rule` chooses.

        A rule is an id (four digits or more, if they tell it apart), `knee`, or constraints with commas between, as
        latency<=2ms,params<1M: of those that keep them, the best in the first maximised objective, else in the first.
        Raises UnknownName for an id that is not on the front, InvalidConstraint, Infeasible.
        """
        if rule == "knee":
            return self.knee()
        if ID.fullmatch(rule):
            return self._with_id(rule)
        units = {objective.name: objective.unit for objective in self.objectives}
        constraints = [Constraint.parse(part, units) for part in rule.split(",")]
        broken = violation(np.array(self.values), list(units), constraints)
        if not (broken == 0).any():
            nearest = int(np.argmin(broken))
            described = describe(dict(zip(units, self.values[nearest])), units)
            raise Infeasible(
                f"nothing on the front keeps {rule}; the nearest is {self.architectures[nearest].id} with {described}",
                nearest=self.architectures[nearest],
            )
        maximised = [i for i, objective in enumerate(self.objectives) if objective.direction == "max"]
        column = maximised[0] if maximised else 0
        costs = minimised(np.array(self.values), [objective.direction for objective in self.objectives])[:, column]
        return self.architectures[int(np.argmin(np.where(broken == 0, costs, np.inf)))]

    def _with_id(self, prefix: str) -> Architecture:
        found = [architecture for architecture in self.architectures if architecture.id.startswith(prefix)]
        if len(found) != 1:
            reason = "more than one id begins so" if found else "no id begins so"
            known = [architecture.id for architecture in self.architectures]
            raise UnknownName(f"{prefix!r} is not on the front ({reason}); it has {', '.join(known)}", known=known)
        return found[0]


def non_dominated(values: Values, directions: Sequence[Direction]) -> NDArray[np.bool_]:
    """Mark the points of (n, m) values that no other dominates, (n,); equal points are kept together."""
    from moocore import is_nondominated

    return np.asarray(is_nondominated(minimised(values, directions), keep_weakly=True), dtype=np.bool_)


def hypervolume(values: Values, directions: Sequence[Direction], reference: Sequence[float]) -> float:
    """Return the volume that (n, m) values dominate up to `reference` (m); 0 for none (CEC 2006, 1688440)."""
    from moocore import hypervolume as exact

    if len(values) == 0:
        return 0.0
    corner = minimised(np.array([reference]), directions)[0]
    return float(exact(minimised(values, directions), ref=corner))


def describe(values: Mapping[str, float], units: Mapping[str, str]) -> str:
    """Write an architecture's values with their units."""
    return ", ".join(f"{name} {value:.6g} {units[name]}" for name, value in values.items())
