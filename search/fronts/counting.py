"""On which share of the examples an evaluation counts in a front.

A front of few points leaves gaps: n points on a linear front miss 1 / (n + 1) of its area. An evaluation on a share of
the examples costs that share, so a budget buys more points, each a little wrong, and errors put the wrong points on
the front. Where e is the error of each by the range of values, the front misses .4 e more (the mean of a normal error's
positive part). Both together are least on a share of (.2 r) ** (2 / 3), where r is the budget times the error by the
range, the error that where 1 / share - 1 is 1. A surrogate that has seen all evaluations takes part of it away: about
half, by the shares that did best in searches (docs/deciding.md). The error is not assumed: it is that of architectures
evaluated on two shares, or on one and in full.
"""

from __future__ import annotations

import math
from collections.abc import Hashable, Mapping, Sequence
from typing import TypeVar

import numpy as np

from ..problem.objective import Values

Key = TypeVar("Key", bound=Hashable)
Pair = tuple[float, Sequence[float], float, Sequence[float]]  # a share, the values on it, a larger share, those on it
FEWEST_PAIRS = 3
STEP = 0.05  # shares are multiples of this
MOST = 0.5  # of the examples: beyond, a full evaluation costs little more
LEFT, MISSED = 0.5, 0.4  # of the error: what a surrogate leaves, and what a front misses of its range by what is left
CERTAIN = 8.0  # errors that values must range over: networks that guess range over some four by chance


def counts_from(
    full: Mapping[Key, Sequence[float]], partial: Sequence[tuple[Key, float, Sequence[float]]], budget: float
) -> float:
    """Return the least share from which evaluations count in the front of a search of such a budget; 1: full ones only.

    `full` and `partial` evaluations are by architecture, partial ones with their share; both have m values each. Full
    ones have the range of values: the smallest and the largest architecture are among them.
    """
    exact = most_exact(full, partial)
    pairs = pairs_of(partial, exact)
    if len(pairs) < FEWEST_PAIRS:
        return 1.0
    return share_from(unit_error(pairs), np.ptp(np.array(list(full.values()), dtype=np.float64), axis=0), budget)


def share_from(error: Values, spread: Values, budget: float) -> float:
    """Return the share on which errors (m,) and the finiteness of a front cost least together; 1 for more than half.

    `error` is that where 1 / share - 1 is 1, and of random examples what a full evaluation errs by too; `spread` (m,)
    is the range of each objective. 1 also where that may be by chance.
    """
    if not ((spread > CERTAIN * error) | (error == 0)).all():
        return 1.0
    ratio = budget * np.divide(LEFT * error, spread, out=np.zeros_like(error), where=spread > 0)
    least = float((MISSED * ratio / 2.0).max()) ** (2.0 / 3.0)
    share = math.ceil(least / STEP - 1e-9) * STEP
    return round(share, 2) if share <= MOST else 1.0


def most_exact(
    full: Mapping[Key, Sequence[float]], partial: Sequence[tuple[Key, float, Sequence[float]]]
) -> dict[Key, tuple[float, Sequence[float]]]:
    """Return the evaluation of each architecture on the largest share, the first of equals, with that share."""
    best: dict[Key, tuple[float, Sequence[float]]] = {key: (1.0, values) for key, values in full.items()}
    for key, share, values in partial:
        if key not in best or share > best[key][0]:
            best[key] = share, values
    return best


def pairs_of(
    partial: Sequence[tuple[Key, float, Sequence[float]]], exact: Mapping[Key, tuple[float, Sequence[float]]]
) -> list[Pair]:
    """Pair evaluations on a share with those of the same architectures that are more exact."""
    return [(share, values, *exact[key]) for key, share, values in partial if share < exact[key][0]]


def unit_error(pairs: Sequence[Pair]) -> Values:
    """Return the error that some pairs show of each objective, (m,), where 1 / share - 1 is 1: it grows with its root.

    Examples of a share are among those of a larger one, so both differ by what the smaller errs more. A shift that all
    have counts as an error too.
    """
    beyond = np.array([1.0 / share - 1.0 / larger for share, _, larger, _ in pairs])
    wrong = np.array([np.subtract(values, exact) for _, values, _, exact in pairs], dtype=np.float64)
    return np.asarray(np.sqrt((wrong**2 / beyond[:, None]).mean(axis=0)), dtype=np.float64)
