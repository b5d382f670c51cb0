"""What evaluations cost, added up one by one as exactly as if all were added at once."""

from __future__ import annotations

import math


class Spending:
    """A growing sum of shares, in full validations; adding one takes constant time, and no rounding is lost.

    The sum is kept as a few numbers whose bits do not overlap (Shewchuk 1997, as `math.fsum` does).
    """

    def __init__(self) -> None:
        self._parts: list[float] = []

    def add(self, share: float) -> None:
        """Add the cost of an evaluation."""
        kept = []
        for part in self._parts:
            if abs(share) < abs(part):
                share, part = part, share
            high = share + part
            low = part - (high - share)
            if low:
                kept.append(low)
            share = high
        self._parts = [*kept, share]

    @property
    def total(self) -> float:
        """The sum, rounded once."""
        return math.fsum(self._parts)
