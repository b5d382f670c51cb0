"""The hypervolume of a growing set of points: what each point adds, without looking at all others again.

With two objectives a point costs a search in a sorted list (Emmerich et al. 2005); with
more, only a point that no other dominates costs anything, and then the hypervolume of the front so far.
"""

from __future__ import annotations

from bisect import bisect_left
from collections.abc import Sequence

import numpy as np

from ..problem.objective import Direction, Values, minimised
from .pareto import hypervolume


def hypervolumes(values: Values, directions: Sequence[Direction], reference: Sequence[float]) -> Values:
    """Return the hypervolume of the first 1, 2, ... n of (n, m) values, up to `reference` (m), as (n,)."""
    costs, corner = minimised(values, directions), minimised(np.array([reference]), directions)[0]
    growing = Staircase(*corner.tolist()) if len(corner) == 2 else Front(corner)
    return np.array([growing.with_point(point) for point in costs], dtype=np.float64)


class Staircase:
    """Points of two costs that do not dominate each other, and the area that they dominate up to a corner."""

    def __init__(self, first: float, second: float) -> None:
        self._corner = first, second
        self._firsts: list[float] = []  # ascending
        self._seconds: list[float] = []  # descending
        self._area = 0.0

    def with_point(self, point: Values) -> float:
        """Add a point (2,) of costs, and return the area of all so far."""
        first, second = map(float, point)
        firsts, seconds = self._firsts, self._seconds
        begin = end = bisect_left(firsts, first)
        ceiling = seconds[begin - 1] if begin else self._corner[1]
        repeats = begin < len(firsts) and firsts[begin] == first and seconds[begin] <= second
        if first >= self._corner[0] or second >= ceiling or repeats:
            return self._area
        left = first
        while end < len(firsts) and seconds[end] >= second:  # what the point dominates
            self._area += (firsts[end] - left) * (ceiling - second)
            left, ceiling = firsts[end], seconds[end]
            end += 1
        right = firsts[end] if end < len(firsts) else self._corner[0]
        self._area += (right - left) * (ceiling - second)
        firsts[begin:end], seconds[begin:end] = [first], [second]
        return self._area


class Front:
    """Points of m costs that do not dominate each other, and the volume that they dominate up to a `corner` (m,)."""

    def __init__(self, corner: Values) -> None:
        self._corner = corner
        self._points = np.empty((0, len(corner)))
        self._volume: float | None = 0.0  # None until it is asked for

    @property
    def volume(self) -> float:
        """The volume that the points dominate."""
        if self._volume is None:
            directions: list[Direction] = ["min"] * len(self._corner)
            self._volume = hypervolume(self._points, directions, self._corner.tolist())
        return self._volume

    def add(self, point: Values) -> None:
        """Add a point (m,) of costs; one that is dominated, or beyond the corner, changes nothing."""
        if (point >= self._corner).any() or (self._points <= point).all(axis=1).any():
            return
        kept = self._points[~(point <= self._points).all(axis=1)]
        self._points, self._volume = np.vstack([kept, point]), None

    def with_point(self, point: Values) -> float:
        """Add a point (m,) of costs, and return the volume of all so far."""
        self.add(point)
        return self.volume

    def copy(self) -> Front:
        """Return a front of these points that grows apart from this."""
        other = Front(self._corner)
        other._points, other._volume = self._points, self._volume
        return other
