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
        for rank in range(int(ranks[feasible].max()) + 1):
            front = feasible[ranks[feasible] == rank]
            crowding[front] = crowding_distances(values[front])
    return np.lexsort((np.arange(len(values)), -crowding, ranks, violations))


def crowding_distances(values: Values) -> Values:
    """Return the gaps around each of (n, m) points summed over objectives, (n,); infinite at the ends."""
    total = np.zeros(len(values))
    for column in values.T:
        order = np.argsort(column, kind="stable")
        span = column[order[-1]] - column[order[0]]
        if span > 0:
            gaps = np.full(len(column), np.inf)
            gaps[1:-1] = (column[order[2:]] - column[order[:-2]]) / span
            total[order] += gaps
    return total
