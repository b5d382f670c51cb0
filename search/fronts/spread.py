"""A few members of a front that stand for all of it: those that together keep most of its hypervolume.

For two objectives the choice is the best there is, by dynamic programming along the front; for more it is greedy,
which keeps at least 1 - 1/e of the best (hypervolume is submodular; Nemhauser, Wolsey and Fisher 1978,
doi 10.1007/BF01588971). Hypervolume is that of costs scaled to the front's extent, up to a point a tenth beyond the
front's worst of each objective, so that its ends count and units do not.
"""

from __future__ import annotations

import numpy as np

from ..problem.objective import Values
from .preference import scaled

BEYOND = 1.1


def spread_of(costs: Values, n: int) -> tuple[int, ...]:
    """Return the positions, ascending, of `n` members of a front of (k, m) costs; all of them when n is k or more."""
    if n >= len(costs):
        return tuple(range(len(costs)))
    losses = scaled(costs)
    chosen = along_the_front(losses, n) if losses.shape[1] == 2 else greedily(losses, n)
    return tuple(sorted(chosen))


def along_the_front(losses: Values, n: int) -> list[int]:
    """Choose `n` of (k, 2) losses exactly; takes time in proportion to n k^2."""
    order = np.lexsort((losses[:, 1], losses[:, 0]))
    x, height = losses[order, 0], BEYOND - losses[order, 1]
    widths = x[None, :] - x[:, None]  # (k, k): from each member to each later one
    kept = (BEYOND - x) * height  # the most that one member, then two, ... keep, the first of them being the i-th
    later = np.triu(np.ones(widths.shape, dtype=bool), 1)
    following: list[np.ndarray[tuple[int], np.dtype[np.intp]]] = []
    for _ in range(n - 1):
        totals = np.where(later, kept[None, :] + widths * height[:, None], -np.inf)
        following.append(totals.argmax(axis=1))
        kept = totals.max(axis=1)
    position = int(np.argmax(kept))
    chosen = [position]
    for step in reversed(following):
        position = int(step[position])
        chosen.append(position)
    return [int(order[i]) for i in chosen]


def greedily(losses: Values, n: int) -> list[int]:
    """Choose `n` of (k, m) losses one after another, each time what adds most; m is 1 or at least 3."""
    from moocore import hypervolume

    if losses.shape[1] == 1:  # mutually non-dominated in one objective: all are equal
        return list(range(n))
    chosen: list[int] = []
    while len(chosen) < n:
        rest = [i for i in range(len(losses)) if i not in chosen]
        volumes = [hypervolume(losses[[*chosen, i]], ref=[BEYOND] * losses.shape[1]) for i in rest]
        chosen.append(rest[int(np.argmax(volumes))])
    return chosen
