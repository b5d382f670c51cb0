"""AGE-MOEA-II: survivors that are spread along the front's own shape (Panichella 2022, doi:10.1145/3512290.3528732).

The first front is taken for a part of the surface where the p-th powers of normalised costs sum to 1. Worth is how far
one is from the two nearest that were chosen, along that surface, divided by how far from the ideal point, in the
p-norm. pymoo's implementation compiles with numba, which is heavy and not needed at these sizes, so the survival is
ours; p is found by bisection.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, ClassVar

import numpy as np

from ...problem.objective import Values
from ..algorithm import Evolution, Setting, Takes

FLATTEST, ROUNDEST = 0.1, 20.0  # bounds of p
CLOSEST = 1e-8  # distances below count as this


@dataclass(frozen=True)
class AdaptiveGeometry:
    """Mates by violation, rank and worth."""

    takes: ClassVar[Takes] = Takes(2)

    def start(self, setting: Setting) -> Evolution:
        """Begin with nothing known."""
        from moocore import pareto_rank
        from pymoo.algorithms.base.genetic import GeneticAlgorithm
        from pymoo.core.survival import Survival

        from ..pymoo_support.breeding import Breeding
        from ..pymoo_support.operators import operators, rank_and_crowding, tournament

        class SurfaceSurvival(Survival):  # type: ignore[misc]
            def _do(self, problem: Any, pop: Any, *args: Any, n_survive: int = 0, **kwargs: Any) -> Any:
                costs = pop.get("F")
                ranks = pareto_rank(costs)
                score = worth(costs, ranks == 0)
                pop.set("rank", ranks)
                pop.set("crowding", score)
                return pop[np.lexsort((-score, ranks))[:n_survive]]

        algorithm = GeneticAlgorithm(
            pop_size=setting.population,
            survival=SurfaceSurvival(filter_infeasible=True),
            advance_after_initial_infill=True,
            **operators(setting, tournament(rank_and_crowding)),
        )
        return Breeding(setting, algorithm)


def worth(costs: Values, first: Any) -> Values:
    """Return the worth of (n, m) costs, (n,), where `first` (n,) marks the front; its ends are worth infinity."""
    front = costs[first]
    ideal = front.min(axis=0)
    shifted = costs - ideal
    ends = corners(shifted[first])
    scaled = shifted / intercepts(shifted[first], ends)
    p = curvature(scaled[first], ends)
    proximity = np.maximum((np.abs(scaled) ** p).sum(axis=1) ** (1 / p), CLOSEST)
    result = 1.0 / proximity
    result[first] = spread(scaled[first], ends, p, proximity[first])
    return np.asarray(result)


def corners(front: Values) -> list[int]:
    """Return the members of a front (k, m), ideal at the origin, that are nearest to each axis; distinct."""
    squares = (front**2).sum(axis=1)[:, None] - front**2
    found: list[int] = []
    for column in squares.T[: len(front)]:
        column = column.copy()
        column[found] = np.inf
        found.append(int(np.argmin(column)))
    return found


def intercepts(front: Values, ends: list[int]) -> Values:
    """Return where the plane through the ends meets the axes, (m,); the front's extent where it does not."""
    extent = front.max(axis=0)
    if len(ends) == front.shape[1]:
        try:
            inverse = np.linalg.solve(front[ends], np.ones(len(ends)))
        except np.linalg.LinAlgError:
            inverse = np.zeros(len(ends))
        if np.isfinite(inverse).all() and (inverse > 0).all():
            extent = 1.0 / inverse
    return np.where(np.isfinite(extent) & (extent > 0), extent, 1.0)


def curvature(front: Values, ends: list[int]) -> float:
    """Return the p for which the p-th powers of the inner point nearest to the origin sum to 1, or 1 without any."""
    inner = np.delete(front, ends, axis=0)
    if len(inner) == 0:
        return 1.0
    point = np.clip(inner[np.argmin((inner**2).sum(axis=1))], 1e-9, 1 - 1e-9)
    low, high = FLATTEST, ROUNDEST
    for _ in range(50):  # the sum falls as p grows
        middle = (low + high) / 2
        low, high = (middle, high) if (point**middle).sum() > 1 else (low, middle)
    return (low + high) / 2


def spread(front: Values, ends: list[int], p: float, proximity: Values) -> Values:
    """Return, for (k, m) members chosen one by one, the distance to the two nearest chosen over proximity, (k,)."""
    distances = np.maximum(along_surface(front, p), CLOSEST) / proximity[:, None]
    score = np.full(len(front), np.inf)
    nearest = np.sort(distances[:, ends], axis=1)[:, :2]
    if nearest.shape[1] == 1:
        nearest = np.pad(nearest, ((0, 0), (0, 1)))
    left = np.ones(len(front), dtype=np.bool_)
    left[ends] = False
    for _ in range(int(left.sum())):
        sums = np.where(left, nearest.sum(axis=1), -np.inf)
        best = int(np.argmax(sums))
        score[best], left[best] = sums[best], False
        nearest = np.sort(np.column_stack([nearest, distances[:, best]]), axis=1)[:, :2]
    return score


def along_surface(front: Values, p: float) -> Values:
    """Return distances (k, k) between members projected to the surface, by way of the projected middle."""

    def projected(points: Values) -> Values:
        norm = (np.abs(points) ** p).sum(axis=-1, keepdims=True) ** (1 / p)
        return np.asarray(points / np.where(norm > CLOSEST, norm, 1.0))

    on = projected(front)
    middle = projected((on[:, None] + on[None]) / 2)
    half = np.linalg.norm(on[:, None] - middle, axis=2)
    return np.asarray(half + half.T)


def build() -> AdaptiveGeometry:
    """Build the algorithm."""
    return AdaptiveGeometry()
