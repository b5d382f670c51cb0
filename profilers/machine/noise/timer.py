"""How repeatable a fixed workload is at this moment: measured, not asked.

The spread (IQR) shows jitter. What it cannot show are spells, in which another program slows everything for a second
and is gone; they are found as neighbouring blocks far slower than the fastest ones.
"""

from __future__ import annotations

import time
from dataclasses import dataclass
from statistics import median
from typing import List, Tuple

from ...timing.measurement import undisturbed
from .cause import severity_of

SLOW = 1.15  # times the undisturbed block, from which a block counts as interfered with


@dataclass(frozen=True)
class TimerNoise:
    """How repeatable a fixed workload is now.

    block_us: microseconds a repetition, for each block. loops: repetitions a block.
    """

    block_us: Tuple[float, ...]
    loops: int = 1

    @property
    def value_us(self) -> float:
        """The median block."""
        return median(self.block_us)

    @property
    def relative_iqr(self) -> float:
        """The interquartile range as a share of the median."""
        ordered = sorted(self.block_us)
        return (ordered[(3 * len(ordered)) // 4] - ordered[len(ordered) // 4]) / self.value_us

    @property
    def spells_s(self) -> Tuple[float, ...]:
        """How long each spell of interference lasted, in seconds and in the order of time."""
        limit = SLOW * undisturbed(self.block_us)
        spells: List[float] = []
        was_slow = False
        for value in self.block_us:
            if value > limit:
                spells[len(spells) - was_slow :] = [(spells[-1] if was_slow else 0.0) + value * self.loops / 1e6]
            was_slow = value > limit
        return tuple(spells)

    @property
    def interference(self) -> float:
        """The share of the time in which something interfered."""
        return sum(self.spells_s) / (sum(self.block_us) * self.loops / 1e6)

    @property
    def verdict(self) -> str:
        """How good the machine is for timing at this moment: ok, warn or bad.

        The worse of the relative IQR (2 %, 10 %) and the share of interference (10 %, 50 %: from there on most visits
        are hit, and the fastest ones with them).
        """
        spread = severity_of(self.relative_iqr, warn=0.02, bad=0.10)
        hit = severity_of(self.interference, warn=0.10, bad=0.50)
        return max(spread, hit, key=("ok", "warn", "bad").index)


def timer_noise(*, blocks: int = 40, block_us: float = 20_000.0) -> TimerNoise:
    """Time a fixed numpy workload in ``blocks`` blocks of about ``block_us``; about a second with the defaults."""
    import numpy as np

    values = np.linspace(-1.0, 1.0, 16_384, dtype=np.float32)  # 64 KiB: stays in the cache, uses one thread
    scratch = np.empty_like(values)

    def elapsed_ns(loops: int) -> int:
        start = time.perf_counter_ns()
        for _ in range(loops):
            np.multiply(values, values, out=scratch)
            np.add(scratch, values, out=scratch)
        return max(1, time.perf_counter_ns() - start)

    elapsed_ns(200)
    loops = max(1, round(200 * block_us * 1e3 / elapsed_ns(200)))
    return TimerNoise(tuple(elapsed_ns(loops) / loops / 1e3 for _ in range(blocks)), loops)
