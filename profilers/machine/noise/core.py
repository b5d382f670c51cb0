"""How much of the time the core is ours at this moment: watched with the probe that also guards every measurement.

What disturbs short measurements most is a neighbour on the same core, who comes and goes in spells of milliseconds to
seconds; no counter of the system tells of one on the other side of a hypervisor. The jitter of the readings that are
clean says how finely a block can be timed at all.
"""

from __future__ import annotations

import time
from dataclasses import dataclass
from functools import cached_property
from statistics import median
from typing import List, Optional, Tuple

from ...timing.clean import is_clean, low_level, spells_of, typical_spell
from ...timing.measurement import quantile
from ...timing.probe import MatmulProbe, Probe
from .cause import severity_of

PAUSE_S = 2e-4  # between readings, so that they last longer than the probe itself
NEVER = 0.9  # share of the time from which the core is hardly ever ours


@dataclass(frozen=True)
class CoreNoise:
    """What a probe read, one reading after the other: ``at_s`` when each ended, ``readings_us`` how long it took."""

    at_s: Tuple[float, ...]
    readings_us: Tuple[float, ...]

    @cached_property
    def slowness(self) -> Tuple[float, ...]:
        """The readings as multiples of the lowest level at which several agree."""
        level_us = low_level(self.readings_us)
        return tuple(us / level_us for us in self.readings_us)

    @property
    def shared(self) -> float:
        """The share of the readings while the core was not ours."""
        return sum(not is_clean(slow) for slow in self.slowness) / len(self.readings_us)

    @property
    def slow_down(self) -> float:
        """How many times slower the core was then, in the middle; 1 where it never was."""
        return median([slow for slow in self.slowness if not is_clean(slow)] or [1.0])

    @cached_property
    def spells_s(self) -> Tuple[float, ...]:
        """How long each spell lasted in which the core was not ours, in the order of time, until the reading after."""
        return tuple(spells_of([*self.at_s, self.at_s[-1]], [*self.slowness, 1.0]))  # the last one ends with us

    @property
    def relative_iqr(self) -> float:
        """The interquartile range of the clean readings, as a share of their level."""
        ordered = sorted(slow for slow in self.slowness if is_clean(slow))
        return quantile(ordered, 0.75) - quantile(ordered, 0.25)

    @property
    def stretch(self) -> float:
        """How many times as long as on a quiet machine measuring takes, if the core goes on being shared as now."""
        return 1 / max(1 - self.shared, 1e-3)

    @property
    def verdict(self) -> str:
        """How good the machine is for timing at this moment: ok, warn or bad.

        The worse of the jitter (2 %, 6 %) and the time shared: from a tenth measuring takes noticeably longer, from
        four fifths five times as long.
        """
        jitter = severity_of(self.relative_iqr, warn=0.02, bad=0.06)
        shared = severity_of(self.shared, warn=0.10, bad=0.80)
        return max(jitter, shared, key=("ok", "warn", "bad").index)

    @property
    def sentence(self) -> str:
        """What was seen, in one line."""
        if not self.spells_s:
            return "the core was ours all the time"
        found = (
            f"the core was shared {self.shared:.0%} of the time, x{self.slow_down:.2f}, in spells of "
            f"{1e3 * typical_spell(self.spells_s):.0f} ms (longest {1e3 * max(self.spells_s):.0f} ms)"
        )
        if self.shared > NEVER:
            return f"{found}: it is hardly ever ours, and latencies will be corrected ones, with wider intervals"
        return f"{found}; measuring takes {self.stretch:.1f} times as long as on a quiet machine"


def core_noise(*, watch_s: float = 1.0, probe: Optional[Probe] = None) -> CoreNoise:
    """Read the probe for ``watch_s`` seconds; the first tenth of the readings, while it warms up, is left out.

    Raises ValueError for a time that is not positive.
    """
    if not watch_s > 0:
        raise ValueError(f"watch_s is {watch_s}; expected a positive time")
    probe = probe or MatmulProbe()
    start_s = time.perf_counter()
    at_s: List[float] = []
    readings_us: List[float] = []
    while time.perf_counter() - start_s < watch_s or len(readings_us) < 10:
        us = probe.read_us()
        readings_us.append(max(us, 1e-3))  # a clock of a millisecond reads 0 at times
        at_s.append(time.perf_counter() - start_s)
        until_s = time.perf_counter() + PAUSE_S
        while time.perf_counter() < until_s:  # a sleeping core would lower its clock
            pass
    kept = len(at_s) // 10
    return CoreNoise(tuple(at_s[kept:]), tuple(readings_us[kept:]))
