"""All block times of one model, and the latency that they say.

Where a probe was read around every block, the latency is the median of the clean blocks: a property of the machine,
however often it was disturbed. A core's clock moves with what other cores do, by some percent; the probe shows that
too, so each clean block is divided by what the probe took around it, in units of its clean level. Where a neighbour may
have come and gone within a share of them, it is the median of the others, which are the quicker ones. Of a model with
too few clean blocks it is the median of what its blocks would have taken, by how slow the core is expected to have been
(``log t = median (log x - beta log s)``), and its spread is that much wider; blocks during which something else took
the core away are left out, since they say how long that took. Where there was no probe it is the lower
quartile of all blocks, which holds while a good quarter of them was left alone.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from statistics import median
from typing import Dict, List, Optional, Sequence, Tuple

QUIET = 0.25  # the quantile of all blocks that is a latency where no probe tells them apart
ROUNDING = 1e-9  # so that a whole number of blocks stays one
ENOUGH_CLEAN = 4  # blocks whose median is a latency


@dataclass(frozen=True)
class Contention:
    """What the probe said around each block of a measurement: both are shaped like ``Measurement.block_us``.

    clean: whether the core was ours at both ends of the block.
    slowness: how many times slower than ours the core is expected to have been during it.
    beta: how much of that slowness reaches models (1: all), and how far models differ in it.
    clock: how many times slower than at its clean level the core itself was during it; empty where that is not known.
    switches: how often something else took the core away during it; empty where that is not known.
    undisturbed: the share of the clean blocks that nobody is expected to have slowed: who came and went in between
        (`chain.py`), or whose traffic the probe does not see (`results/contention.py`).
    """

    clean: Tuple[Tuple[bool, ...], ...]
    slowness: Tuple[Tuple[float, ...], ...]
    beta: float = 1.0
    beta_spread: float = 0.5
    undisturbed: float = 1.0
    clock: Tuple[Tuple[float, ...], ...] = ()
    switches: Tuple[Tuple[int, ...], ...] = ()

    @property
    def clocks(self) -> Tuple[Tuple[float, ...], ...]:
        """The clock during each block; its clean level where that is not known."""
        return self.clock or tuple((1.0,) * len(visit) for visit in self.clean)

    @property
    def losses(self) -> Tuple[Tuple[int, ...], ...]:
        """How often each block lost the core; never where that is not known."""
        return self.switches or tuple((0,) * len(visit) for visit in self.clean)

    @property
    def clean_blocks(self) -> int:
        """How many blocks are expected to have been ours from end to end."""
        return int(self.undisturbed * sum(map(sum, self.clean)) + ROUNDING)


@dataclass(frozen=True)
class Measurement:
    """All block times of one model: ``block_us[v][b]`` is microseconds per inference in block b of visit v.

    loops: how many inferences each block averaged over.
    contention: what the probe said; None where there was none.
    processes: of each visit the process that made it, by any number; empty where that is not known.
    """

    block_us: Tuple[Tuple[float, ...], ...]
    loops: int
    contention: Optional[Contention] = None
    processes: Tuple[int, ...] = ()

    def __post_init__(self) -> None:
        if self.loops < 1:
            raise ValueError(f"loops is {self.loops}; expected at least 1")
        if not self.block_us or not all(self.block_us):
            raise ValueError("a measurement needs at least one visit, and each visit at least one block")
        for value in (value for visit in self.block_us for value in visit):
            if not 0 < value < math.inf:
                raise ValueError(f"a block took {value!r} us per inference; expected a positive, finite time")
        if len(self.processes) not in (0, len(self.block_us)):
            raise ValueError(f"{len(self.processes)} processes of {len(self.block_us)} visits; expected one of each")
        if self.contention is not None:
            shape = [len(visit) for visit in self.block_us]
            told = self.contention
            for marks in (told.clean, told.slowness, told.clock or self.block_us, told.switches or self.block_us):
                if [len(visit) for visit in marks] != shape:
                    raise ValueError("the probe's marks are not of these blocks; expected one for each")

    @property
    def visits(self) -> int:
        """How many visits were made."""
        return len(self.block_us)

    @property
    def visit_us(self) -> Tuple[float, ...]:
        """The median of each visit, in the order of the visits."""
        return tuple(median(blocks) for blocks in self.block_us)

    @property
    def is_undisturbed(self) -> bool:
        """Whether the latency comes from clean blocks; False also where no probe tells."""
        return self.contention is not None and self.contention.clean_blocks >= ENOUGH_CLEAN

    @property
    def used_us(self) -> Tuple[Tuple[float, ...], ...]:
        """The times that the latency is read off, by visit; visits without any are left out.

        The clean blocks at the core's clean level where there are enough; else all, corrected by the probe; without a
        probe all as they are.
        """
        return tuple(visit for visit in self._used_of_each if visit)

    @property
    def used_by_process(self) -> Tuple[Tuple[Tuple[float, ...], ...], ...]:
        """The visits of ``used_us``, by the process that made them; of one process where that is not known."""
        found: Dict[int, List[Tuple[float, ...]]] = {}
        for process, visit in zip(self.processes or (0,) * self.visits, self._used_of_each):
            if visit:
                found.setdefault(process, []).append(visit)
        return tuple(tuple(visits) for visits in found.values())

    @property
    def _used_of_each(self) -> Tuple[Tuple[float, ...], ...]:
        """What is used of each visit; nothing of some."""
        marks = self.contention
        if marks is None:
            return self.block_us
        if not self.is_undisturbed:
            most = sorted(count for counts in marks.losses for count in counts)[:ENOUGH_CLEAN][-1]
            return tuple(
                tuple(us / slow**marks.beta for us, slow, count in zip(visit, slowness, counts) if count <= most)
                for visit, slowness, counts in zip(self.block_us, marks.slowness, marks.losses)
            )
        return tuple(
            tuple(us / clock for us, clean, clock in zip(visit, is_clean, of_visit) if clean)
            for visit, is_clean, of_visit in zip(self.block_us, marks.clean, marks.clocks)
        )

    @property
    def quantile(self) -> float:
        """Which quantile of ``used_us`` is the latency: the median, of what a neighbour did not slow in between."""
        return QUIET if self.contention is None else 0.5 * self._own_share

    @property
    def _own_share(self) -> float:
        """The share of ``used_us``, its lowest, that nobody is expected to have slowed."""
        return self.contention.undisturbed if self.contention is not None and self.is_undisturbed else 1.0

    @property
    def value_us(self) -> float:
        """The latency when nothing interferes."""
        return self._level(self.used_us)

    @property
    def relative_iqr(self) -> float:
        """The interquartile range of what the latency is read off, as a share of it.

        Corrected blocks are uncertain by how far models differ in what a busy core does to them, too.
        """
        ordered = sorted(value for visit in self.used_us for value in visit)
        own = self._own_share
        spread = (quantile(ordered, 0.75 * own) - quantile(ordered, 0.25 * own)) / self.value_us
        return spread if self.contention is None or self.is_undisturbed else math.hypot(spread, self._doubt())

    @property
    def relative_disagreement(self) -> float:
        """How far two halves of the visits lie apart, as a share of the value; infinite with a single visit."""
        halves = self.split_half_us()
        return math.inf if halves is None else abs(halves[0] - halves[1]) / self.value_us

    def split_half_us(self) -> Optional[Tuple[float, float]]:
        """Return the latency by every second visit, and by the others; None with a single visit.

        How far the two disagree over many models is the noise floor: no prediction can be tested more finely. Visits
        that the latency does not use are not counted.
        """
        used = self.used_us
        return None if len(used) < 2 else (self._level(used[::2]), self._level(used[1::2]))

    def _level(self, used_us: Sequence[Sequence[float]]) -> float:
        return quantile(sorted(us for visit in used_us for us in visit), self.quantile)

    def _doubt(self) -> float:
        """Return the relative spread that not knowing this model's own beta adds."""
        marks = self.contention
        if marks is None:
            return 0.0
        logs = sorted(abs(math.log(slow)) for visit in marks.slowness for slow in visit)
        return marks.beta_spread * quantile(logs, 0.5)


def undisturbed(values: Sequence[float]) -> float:
    """Return the lower quartile of some times: what they are when nothing interferes."""
    return quantile(sorted(values), QUIET)


def quantile(ordered: Sequence[float], share: float) -> float:
    """Return a quantile of sorted values, with linear interpolation."""
    position = share * (len(ordered) - 1)
    low = math.floor(position)
    high = min(low + 1, len(ordered) - 1)
    return ordered[low] + (ordered[high] - ordered[low]) * (position - low)
