"""Where hypervolume counts, as `latency<=12ms`: a region forbids nothing, it says what a search is after.

On its worse side a bound is where hypervolume ends; architectures beyond it come after those inside, by how far they
miss. On its better side ("nothing faster than 2 ms is of use") a bound clips: what is better counts as the bound.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from ..errors import InvalidConfig, InvalidConstraint
from .constraint import Constraint
from .objective import Direction, Objective, ObjectiveInfo, Values


@dataclass(frozen=True)
class Region:
    """Bounds an objective in its unit, m each: values worse than `worst` are outside, better than `best` are clipped.

    Infinite where there is no bound. `texts` is what the bounds were read from.
    """

    directions: tuple[Direction, ...]
    worst: tuple[float, ...]
    best: tuple[float, ...]
    texts: tuple[str, ...] = ()

    @staticmethod
    def of(
        texts: Sequence[str], objectives: Sequence[Objective | ObjectiveInfo], constraints: Sequence[Constraint] = ()
    ) -> Region:
        """Read bounds on objectives; raises InvalidConfig for one that cannot be read, and for an empty region.

        Empty is also what leaves nothing that keeps the `constraints`.
        """
        units = {objective.name: objective.unit for objective in objectives}
        lows = dict.fromkeys(units, -np.inf)
        highs = dict.fromkeys(units, np.inf)
        for text in texts:
            bound = read(text, units)
            if bound.operator in (">", ">="):
                lows[bound.objective] = max(lows[bound.objective], bound.bound)
            else:
                highs[bound.objective] = min(highs[bound.objective], bound.bound)
        for name in units:
            check_interval(name, lows[name], highs[name], texts, (), units)
        for kept in constraints if texts else ():
            if kept.objective in units:
                low, high = lows[kept.objective], highs[kept.objective]
                if kept.operator in (">", ">="):
                    check_interval(kept.objective, max(low, kept.bound), high, texts, constraints, units)
                else:
                    check_interval(kept.objective, low, min(high, kept.bound), texts, constraints, units)
        minimal = [objective.direction == "min" for objective in objectives]
        return Region(
            tuple(objective.direction for objective in objectives),
            tuple(highs[name] if small else lows[name] for name, small in zip(units, minimal)),
            tuple(lows[name] if small else highs[name] for name, small in zip(units, minimal)),
            tuple(texts),
        )

    def clipped(self, values: Values) -> Values:
        """Return (n, m) values with what is better than the region's better side set to it."""
        small = np.array([direction == "min" for direction in self.directions])
        return np.where(small, np.maximum(values, self.best), np.minimum(values, self.best))

    def miss(self, values: Values) -> Values:
        """Return by how much (n, m) values are beyond the worse sides, relative to the bounds and summed, (n,)."""
        total = np.zeros(len(values))
        for column, (bound, direction) in enumerate(zip(self.worst, self.directions)):
            if np.isfinite(bound):
                beyond = values[:, column] - bound if direction == "min" else bound - values[:, column]
                total += np.maximum(beyond, 0.0) / (abs(bound) or 1.0)
        return total

    def holds(self, values: Values) -> NDArray[np.bool_]:
        """Tell which of (n, m) values are inside, (n,)."""
        return np.asarray(self.miss(values) == 0)

    def check_corner(self, corner: Sequence[float]) -> None:
        """Raise InvalidConfig where a better side is no better than the reference point, so that nothing counts."""
        for best, end, direction in zip(self.best, corner, self.directions):
            if np.isfinite(best) and (best >= end if direction == "min" else best <= end):
                raise InvalidConfig(
                    f"region={', '.join(self.texts)}: hypervolume would be counted from {end:g} to {best:g}, which is "
                    f"{'more' if direction == 'min' else 'less'}, so nothing counts; move the bound, or give a "
                    "reference beyond it",
                    field="region",
                )


def read(text: str, units: dict[str, str]) -> Constraint:
    """Read one bound; raises InvalidConfig."""
    try:
        return Constraint.parse(text, units)
    except InvalidConstraint as error:
        raise InvalidConfig(f"region={text!r}: {error}", field="region") from error


def check_interval(
    name: str, low: float, high: float, texts: Sequence[str], constraints: Sequence[Constraint], units: dict[str, str]
) -> None:
    """Raise InvalidConfig unless low is below high."""
    if low >= high:
        rules = f"region {', '.join(texts)}" + (f" with {', '.join(map(str, constraints))}" if constraints else "")
        raise InvalidConfig(
            f"{rules}: {name} would have to be at least {low:g} and at most {high:g} {units[name]}, which leaves "
            "nothing; drop one of the bounds",
            field="region",
        )
