"""Reference directions, and costs brought to one scale."""

from __future__ import annotations

from itertools import combinations

import numpy as np

from ...problem.objective import Values


def directions(n: int, m: int) -> Values:
    """Return exactly `n` directions spread over the positive orthant of `m` objectives, (n, m); each sums to 1.

    Of the smallest regular lattice on the simplex that has enough points (Das & Dennis 1998), the axes come first and
    then, one by one, the point farthest from those taken.
    """
    divisions = 1
    while len(points := lattice(divisions, m)) < n:
        divisions += 1
    if len(points) == n:
        return points
    order = np.argsort(-points.max(axis=1), kind="stable")
    points = points[order]  # the axes lead
    taken = list(range(min(n, m)))
    distance = np.linalg.norm(points[:, None] - points[taken][None], axis=2).min(axis=1)
    while len(taken) < n:
        farthest = int(np.argmax(np.round(distance, 9)))
        taken.append(farthest)
        distance = np.minimum(distance, np.linalg.norm(points - points[farthest], axis=1))
    return points[taken]


def lattice(divisions: int, m: int) -> Values:
    """Return every point of `m` multiples of 1/divisions that sum to 1, (n, m)."""
    bars = np.array(list(combinations(range(divisions + m - 1), m - 1)), dtype=np.int64).reshape(-1, m - 1)
    edges = np.pad(bars, ((0, 0), (1, 1)), constant_values=((0, 0), (-1, divisions + m - 1)))
    return (np.diff(edges, axis=1) - 1) / divisions


def normalised(costs: Values, front: Values) -> Values:
    """Scale (n, m) costs so that the best of `front` (k, m) are 0 and its worst 1."""
    low = front.min(axis=0)
    extent = front.max(axis=0) - low
    return np.asarray((costs - low) / np.where(extent > 0, extent, 1.0))
