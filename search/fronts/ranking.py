"""Orders values by dominance and by how crowded their surroundings are."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from ..problem.objective import Direction, Values
from ..problem.objective import minimised as minimised


def best_first(values: Values, directions: Sequence[Direction], violations: Values | None = None) -> NDArray[np.intp]:
    """Order (n, m) values: feasible before infeasible, then by front, then the least crowded first, (n,)."""
    from moocore import pareto_rank

    violations = np.zeros(len(values)) if violations is None else violations
    ranks = np.zeros(len(values), dtype=np.int64)
    crowding = np.zeros(len(values))
    feasible = np.flatnonzero(violations == 0)
    if len(feasible):
        costs = minimised(values[feasible], directions)
        ranks[feasible] = pareto_rank(costs)
        crowding[feasible] = crowding_by_rank(values[feasible], ranks[feasible])
    return np.lexsort((-crowding, ranks, violations))  # stable: as they come, where equal


def crowding_by_rank(values: Values, ranks: NDArray[np.int64]) -> Values:
    """Return the gaps around each of (n, m) points among those of its rank, summed over objectives, (n,).

    Infinite at the ends. Ranks (n,) are 0, 1, ... without one left out.
    """
    total = np.zeros(len(values))
    first = np.concatenate([[0], np.cumsum(np.bincount(ranks))])
    for column in values.T:
        order = np.lexsort((column, ranks))  # stable: as they come, where equal
        placed = column[order]
        span = (placed[first[1:] - 1] - placed[first[:-1]])[ranks[order]]
        gaps = np.full(len(values), np.inf)
        with np.errstate(divide="ignore", invalid="ignore"):
            gaps[1:-1] = (placed[2:] - placed[:-2]) / span[1:-1]
        gaps[first[:-1]] = gaps[first[1:] - 1] = np.inf
        total[order] += np.where(span > 0, gaps, 0.0)
    return total
