"""Pareto fronts of measured architectures: which, how good, and which one to take."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from ...supernets import load_space
from ...supernets.space.space import Architecture
from ..errors import Infeasible, InvalidPick, UnknownName
from ..problem.constraint import Constraint, violation
from ..problem.objective import Direction, ObjectiveInfo, Quantity, Values, minimised
from .notebook import html_from_values, scatter, table
from .preference import achievement_of, best_of, knee_of, objective_position, ordered_weights, weights_from_text
from .spread import spread_of
from .table import Table, columns_of, frame_from_table
from .text import line_from_values, text_from_values

if TYPE_CHECKING:
    import pandas

ID = re.compile(r"[0-9a-f]{4,8}")
PREFERENCE = re.compile(r"\s*(knee|best|weights)(?:\s*:\s*|\s+|$)(.*?)\s*")


@dataclass(frozen=True, slots=True, repr=False)
class ParetoFront:
    """Mutually non-dominated architectures, best in the first objective first; `values` are (n, m) as tuples.

    `watched_values` are (n, k) of what is constrained without being an objective, `watched`; nothing where not known.
    """

    architectures: tuple[Architecture, ...]
    values: tuple[tuple[float, ...], ...]
    objectives: tuple[ObjectiveInfo, ...]
    watched: tuple[Quantity, ...] = ()
    watched_values: tuple[tuple[float, ...], ...] = ()

    @staticmethod
    def of(
        architectures: Sequence[Architecture],
        values: Values,
        objectives: Sequence[ObjectiveInfo],
        *,
        watched: Sequence[Quantity] = (),
        watched_values: Sequence[Sequence[float]] = (),
    ) -> ParetoFront:
        """Keep what no other dominates; the order of the arguments does not matter."""
        directions = [objective.direction for objective in objectives]
        kept = np.flatnonzero(non_dominated(values, directions)).tolist()
        costs = minimised(values, directions)
        order = sorted(kept, key=lambda i: (*costs[i], architectures[i].indices))
        return ParetoFront(
            tuple(architectures[i] for i in order),
            tuple(tuple(float(value) for value in values[i]) for i in order),
            tuple(objectives),
            tuple(watched),
            tuple(tuple(watched_values[i]) for i in order) if watched else (),
        )

    @property
    def quantities(self) -> tuple[Quantity, ...]:
        """The objectives, then what is constrained without being one."""
        return (*self.objectives, *self.watched)

    @property
    def rows(self) -> tuple[tuple[float, ...], ...]:
        """A value for each of `quantities`, (n, m + k) as tuples."""
        return tuple((*v, *beside) for v, beside in zip(self.values, self.watched_values)) or self.values

    @property
    def costs(self) -> Values:
        """The values with every objective turned so that less is better, (n, m)."""
        return minimised(np.array(self.values), [objective.direction for objective in self.objectives])

    def knee(self) -> Architecture:
        """Return the architecture with the best compromise; `preference.knee_of` says which that is."""
        return self.architectures[knee_of(self.costs)]

    def best(self, objective: str) -> Architecture:
        """Return the architecture that is best in one objective; raises InvalidPick."""
        names = [info.name for info in self.objectives]
        return self.architectures[best_of(self.costs, objective_position(objective, names))]

    def weighted(self, weights: Mapping[str, float]) -> Architecture:
        """Return the architecture that weights by objective prefer; absent ones weigh 0; raises InvalidPick.

        It has the smallest worst loss, each loss a share of the front's extent times its weight: see
        `preference.achievement_of`. Larger weights ask for smaller losses, whether maximised or minimised.
        """
        names = [info.name for info in self.objectives]
        return self.architectures[achievement_of(self.costs, ordered_weights(weights, names))]

    def spread(self, n: int) -> ParetoFront:
        """Return the front of the `n` members that together keep most hypervolume; all when there are not more.

        Exact for two objectives, greedy for more (`spread.py`); raises InvalidPick for n below 1.
        """
        if n < 1:
            raise InvalidPick(f"a spread of {n} members is empty; ask for at least 1 of the front's {len(self.values)}")
        chosen = spread_of(self.costs, n)
        return replace(
            self,
            architectures=tuple(self.architectures[i] for i in chosen),
            values=tuple(self.values[i] for i in chosen),
            watched_values=tuple(self.watched_values[i] for i in chosen) if self.watched else (),
        )

    def pick(self, rule: str) -> Architecture:
        """Return the architecture that `rule` chooses.

        A rule is an id (four digits or more, if they tell it apart), `knee`, `best accuracy`, `weights
        accuracy=2,latency=1`, or constraints with commas between, as latency<=2ms,params<1M: of those that keep them,
        the best in the first maximised objective, else in the first. Raises UnknownName for an id that is not on the
        front, InvalidConstraint, InvalidPick, Infeasible.
        """
        if ID.fullmatch(rule):
            return self._with_id(rule)
        if match := PREFERENCE.fullmatch(rule):
            return self._preferred(*match.groups(default=""))
        units = {objective.name: objective.unit for objective in self.objectives}
        constraints = [Constraint.parse(part, units) for part in rule.split(",")]
        violations = violation(np.array(self.values), list(units), constraints)
        if not (violations == 0).any():
            nearest = int(np.argmin(violations))
            described = describe(dict(zip(units, self.values[nearest])), units)
            raise Infeasible(
                f"nothing on the front keeps {rule}; the nearest is {self.architectures[nearest].id} with {described}",
                nearest=self.architectures[nearest],
            )
        maximised = [i for i, objective in enumerate(self.objectives) if objective.direction == "max"]
        costs = self.costs[:, maximised[0] if maximised else 0]
        return self.architectures[int(np.argmin(np.where(violations == 0, costs, np.inf)))]

    def frame(self) -> pandas.DataFrame:
        """Return a pandas table, a row a member: id, values with their unit in the column's name, genes by name.

        Raises ModuleNotFoundError without pandas, saying how to install it, and UnknownSpace.
        """
        return frame_from_table(table_of_front(self))

    def html(self, *, title: str = "", everything: Values | None = None) -> str:
        """Return the front as HTML; `everything` (n, m) is drawn behind it, as what else was measured."""
        values = np.array(self.values)
        behind = values if everything is None or not len(everything) else everything
        return html_from_values(
            title or f"Pareto front of {len(values)}",
            scatter(behind, values, self.objectives) if len(self.objectives) > 1 else "",
            table(self.ids, self.quantities, self.rows, self.knee().id),
        )

    @property
    def ids(self) -> tuple[str, ...]:
        """The architectures' ids, in their order."""
        return tuple(architecture.id for architecture in self.architectures)

    def __repr__(self) -> str:
        return line_from_values(self.objectives, self.values)

    def __str__(self) -> str:
        return text_from_values(self.ids, self.quantities, self.rows)

    def _repr_html_(self) -> str:
        return self.html()

    def _preferred(self, word: str, argument: str) -> Architecture:
        names = [objective.name for objective in self.objectives]
        if word == "knee" and not argument:
            return self.knee()
        if word == "best" and argument:
            return self.best(argument)
        if word == "weights" and argument:
            return self.weighted(weights_from_text(argument))
        written = " ".join(part for part in (word, argument) if part)
        raise InvalidPick(
            f"cannot read the pick {written!r}; write knee, best {names[0]}, or "
            f"weights {','.join(f'{name}=1' for name in names)}"
        )

    def _with_id(self, prefix: str) -> Architecture:
        matching = [architecture for architecture in self.architectures if architecture.id.startswith(prefix)]
        if len(matching) != 1:
            reason = "more than one id begins so" if matching else "no id begins so"
            ids = [architecture.id for architecture in self.architectures]
            raise UnknownName(f"{prefix!r} is not on the front ({reason}); it has {', '.join(ids)}", known=ids)
        return matching[0]


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


def table_of_front(front: ParetoFront) -> Table:
    """Return a front, a row a member; raises UnknownSpace when its space is not installed."""
    space = load_space(front.architectures[0].space)
    rows = tuple(
        (architecture.id, *values, *space.values(architecture).values())
        for architecture, values in zip(front.architectures, front.rows)
    )
    return Table(columns_of(("id",), front.quantities, space), rows)
