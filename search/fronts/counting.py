"""From which share of the examples on an evaluation is exact enough to count in a front.

A front of few points leaves gaps: n points on a linear front reach at most n / (n + 1) of its area. An evaluation on a
share of the examples costs that share, so a budget buys more points, each a little wrong. That is the better bargain
as long as its error stays below the gap between neighbours that as many full evaluations as the budget buys would
leave. The error is not assumed: it is that of architectures evaluated both ways.
"""

from __future__ import annotations

import math
from collections.abc import Hashable, Mapping, Sequence
from typing import TypeVar

import numpy as np

from ..problem.objective import Direction, Values
from .pareto import non_dominated

Key = TypeVar("Key", bound=Hashable)
Pair = tuple[float, Sequence[float], Sequence[float]]  # a share, the values on it, and those of a full evaluation
FEWEST_PAIRS = 3
STEP = 0.05  # shares are multiples of this
MOST = 0.5  # of the examples: beyond, a full evaluation costs little more


def counts_from(
    full: Mapping[Key, Sequence[float]],
    partial: Sequence[tuple[Key, float, Sequence[float]]],
    directions: Sequence[Direction],
    budget: float,
) -> float:
    """Return the least share from which evaluations count in the front of a search of such a budget; 1: full ones only.

    `full` and `partial` evaluations are by architecture, partial ones with their share; both have m values each.
    """
    pairs = [(share, values, full[key]) for key, share, values in partial if key in full]
    if len(pairs) < FEWEST_PAIRS:
        return 1.0
    error = unit_error(pairs) * math.sqrt(1.0 + math.sqrt(2.0 / len(pairs)))  # few pairs may show too little
    gaps = gaps_of(np.array(list(full.values()), dtype=np.float64), directions, budget)
    if not ((gaps > 0) | (error == 0)).all():
        return 1.0
    ratio = np.divide(error, gaps, out=np.zeros_like(error), where=gaps > 0)
    least = float((ratio**2 / (1.0 + ratio**2)).max())
    share = math.ceil(least / STEP - 1e-9) * STEP
    return round(share, 2) if share <= MOST else 1.0


def unit_error(pairs: Sequence[Pair]) -> Values:
    """Return the error that some pairs show of each objective, (m,), where 1 / share - 1 is 1: it grows with its root.

    A shift that all have counts as an error too.
    """
    shares = np.array([share for share, _, _ in pairs])
    wrong = np.array([np.subtract(values, exact) for _, values, exact in pairs], dtype=np.float64)
    return np.asarray(np.sqrt((wrong**2 / (1.0 / shares - 1.0)[:, None]).mean(axis=0)), dtype=np.float64)


def gaps_of(values: Values, directions: Sequence[Direction], budget: float) -> Values:
    """Return the gap between neighbours in each objective, (m,), on a front of as many points as the budget.

    As wide as the front of (n, m) values is, judged by the median of its gaps: its ends may lie far out.
    """
    front = values[non_dominated(values, directions)]
    if len(front) < 2:
        return np.zeros(values.shape[1])
    gaps = np.median(np.diff(np.sort(front, axis=0), axis=0), axis=0)
    return np.asarray(gaps * (len(front) - 1) / budget, dtype=np.float64)
