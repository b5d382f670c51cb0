"""A tiny fixed kernel that tells, in some 20 microseconds, whether the core is ours at this moment.

It fits the first-level cache with room to spare, so that it reads the same whatever ran before it, and does arithmetic
only: what slows it is a neighbour on the same core, or a lower clock. It says nothing of the memory. A runtime whose
threads take every core is as slow as the slowest of them, so the probe then visits them all.
"""

from __future__ import annotations

import contextlib
import os
import time
from typing import Callable, Optional, Protocol, Sequence

SIDE = 32  # of the matrices; three of them take 12 KiB
WARM, KEPT = 2, 8  # products thrown away, and timed
COARSEST_S = 1e-6  # clock resolution from which a reading says too little
TRIALS = 16  # readings that show, at the start, that the clock advances


class Probe(Protocol):
    """What the protocol asks of a probe."""

    def read_us(self) -> float:
        """Run the kernel and return the microseconds taken."""

    def switches(self) -> Optional[int]:
        """Return how often this process was interrupted so far (involuntary context switches); None if unknown."""


class MatmulProbe:
    """Products of two matrices of 32 x 32 numbers in float32; ``clock_ns`` counts nanoseconds."""

    def __init__(self, clock_ns: Callable[[], int] = time.perf_counter_ns) -> None:
        import numpy as np

        values = np.linspace(-1.0, 1.0, SIDE * SIDE, dtype=np.float32).reshape(SIDE, SIDE)
        self._left, self._right, self._out = values, values.T.copy(), np.empty_like(values)
        self._multiply = np.matmul
        self._clock_ns = clock_ns
        self._switches = _switch_counter()

    def read_us(self) -> float:
        """Run the kernel and return the microseconds taken."""
        multiply, left, right, out = self._multiply, self._left, self._right, self._out
        for _ in range(WARM):
            multiply(left, right, out=out)
        start_ns = self._clock_ns()
        for _ in range(KEPT):
            multiply(left, right, out=out)
        return (self._clock_ns() - start_ns) / 1e3

    def switches(self) -> Optional[int]:
        """Return how often this process was interrupted so far; None on Windows, which does not count it."""
        return None if self._switches is None else self._switches()


class EveryCoreProbe:
    """Reads a probe on each of the cores ``cpus`` in turn; the slowest counts. The thread then runs where it may again.

    Only this thread moves: those of a runtime stay where they are.
    """

    def __init__(self, probe: Probe, cpus: Sequence[int]) -> None:
        self._probe, self._cpus = probe, tuple(cpus)

    def read_us(self) -> float:
        """Return the microseconds on the slowest core; a core that may no longer be used is left out."""
        allowed = os.sched_getaffinity(0)
        readings = []
        try:
            for cpu in self._cpus:
                with contextlib.suppress(OSError):
                    os.sched_setaffinity(0, {cpu})
                    readings.append(self._probe.read_us())
        finally:
            os.sched_setaffinity(0, allowed)
        return max(readings) if readings else self._probe.read_us()

    def switches(self) -> Optional[int]:
        """Return how often this thread was interrupted so far; None if unknown."""
        return self._probe.switches()


def open_probe(threads: int = 1) -> Optional[Probe]:
    """Return the probe of this machine for a runtime of so many threads; None where the clock is too coarse for it.

    With as many threads as cores, or more, it reads every core; with fewer, nobody knows which ones the threads take,
    and only the core of this thread is read.
    """
    if time.get_clock_info("perf_counter").resolution > COARSEST_S:
        return None
    probe = MatmulProbe()
    if not is_readable(probe):
        return None
    cpus = sorted(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else []
    return EveryCoreProbe(probe, cpus) if threads > 1 and 1 < len(cpus) <= threads else probe


def is_readable(probe: Probe) -> bool:
    """Tell whether the clock is fine enough for the probe: one that stands still meanwhile can tell nothing apart."""
    return min(probe.read_us() for _ in range(TRIALS)) > 0


def _switch_counter() -> Optional[Callable[[], int]]:
    try:
        import resource
    except ImportError:  # Windows
        return None
    which = getattr(resource, "RUSAGE_THREAD", resource.RUSAGE_SELF)
    return lambda: int(resource.getrusage(which).ru_nivcsw)
