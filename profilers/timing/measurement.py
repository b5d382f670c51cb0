"""All block times of one model, and the latency that they say."""

from __future__ import annotations

import math
from dataclasses import dataclass
from statistics import median
from typing import Optional, Sequence, Tuple

QUIET = 0.25  # the quantile of all blocks that is a latency


@dataclass(frozen=True)
class Measurement:
    """All block times of one model: ``block_us[v][b]`` is microseconds per inference in block b of visit v.

    loops: how many inferences each block averaged over.
    """

    block_us: Tuple[Tuple[float, ...], ...]
    loops: int

    def __post_init__(self) -> None:
        if self.loops < 1:
            raise ValueError(f"loops is {self.loops}; expected at least 1")
        if not self.block_us or not all(self.block_us):
            raise ValueError("a measurement needs at least one visit, and each visit at least one block")
        for value in (value for visit in self.block_us for value in visit):
            if not 0 < value < math.inf:
                raise ValueError(f"a block took {value!r} us per inference; expected a positive, finite time")

    @property
    def visits(self) -> int:
        """How many visits were made."""
        return len(self.block_us)

    @property
    def visit_us(self) -> Tuple[float, ...]:
        """The median of each visit, in the order of the visits."""
        return tuple(median(blocks) for blocks in self.block_us)

    @property
    def value_us(self) -> float:
        """The latency when nothing interferes: the lower quartile of all blocks."""
        return undisturbed([value for visit in self.block_us for value in visit])

    @property
    def relative_iqr(self) -> float:
        """The interquartile range of all blocks, as a share of the value."""
        ordered = sorted(value for visit in self.block_us for value in visit)
        return (quantile(ordered, 0.75) - quantile(ordered, 0.25)) / self.value_us

    @property
    def relative_disagreement(self) -> float:
        """How far two halves of the visits lie apart, as a share of the value; infinite with a single visit."""
        halves = self.split_half_us()
        return math.inf if halves is None else abs(halves[0] - halves[1]) / self.value_us

    def split_half_us(self) -> Optional[Tuple[float, float]]:
        """Return the latency by every second visit, and by the others; None with a single visit.

        How far the two disagree over many models is the noise floor: no prediction can be tested more finely.
        """
        if self.visits < 2:
            return None
        first, second = ([us for visit in self.block_us[start::2] for us in visit] for start in (0, 1))
        return undisturbed(first), undisturbed(second)


def undisturbed(values: Sequence[float]) -> float:
    """Return the lower quartile of some times: what they are when nothing interferes."""
    return quantile(sorted(values), QUIET)


def quantile(ordered: Sequence[float], share: float) -> float:
    """Return a quantile of sorted values, with linear interpolation."""
    position = share * (len(ordered) - 1)
    low = math.floor(position)
    high = min(low + 1, len(ordered) - 1)
    return ordered[low] + (ordered[high] - ordered[low]) * (position - low)
