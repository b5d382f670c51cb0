"""How much the latency of one model differs from build to build.

A runtime that times kernels while it builds may choose others the next time. What that does to a latency bounds how
finely a single build can be believed, whatever its own repeat noise.
"""

from __future__ import annotations

from contextlib import ExitStack
from dataclasses import dataclass
from typing import List, Optional, Tuple

from ..run_config import RunConfig
from ..runtimes.backend import Backend
from ..timing.measurement import Measurement
from ..timing.protocol import TimingPolicy, calibrate_loops, take_visit

VISITS = 8  # of each build, in turn, so that a slow moment of the machine hits all alike


@dataclass(frozen=True)
class BuildSpread:
    """The measurements of several builds of one model, timed in turn."""

    builds: Tuple[Measurement, ...]

    @property
    def values_us(self) -> Tuple[float, ...]:
        """The latency of each build."""
        return tuple(build.value_us for build in self.builds)

    @property
    def relative(self) -> float:
        """How far the slowest build lies above the fastest, as a share of the middle one."""
        ordered = sorted(self.values_us)
        return (ordered[-1] - ordered[0]) / ordered[len(ordered) // 2]

    @property
    def relative_noise(self) -> float:
        """How far two halves of the visits to one build lie apart, at most: a spread below this shows nothing."""
        return max(build.relative_disagreement for build in self.builds)


def build_spread(
    backend: Backend, model: bytes, config: RunConfig, *, builds: int = 3, policy: Optional[TimingPolicy] = None
) -> BuildSpread:
    """Build ``model`` anew several times and time all builds in turn.

    Give it a backend whose cache is not in use: with one, all builds choose alike. Raises ValueError for less than two
    builds, and what `Backend.load` raises.
    """
    if builds < 2:
        raise ValueError(f"builds is {builds}; expected at least 2, for there is no spread of one")
    policy = policy or TimingPolicy()
    with ExitStack() as stack:
        executables = [stack.enter_context(backend.load(model, config)) for _ in range(builds)]
        loops = calibrate_loops(executables[0], policy)
        visits: List[List[Tuple[float, ...]]] = [[] for _ in executables]
        for _ in range(VISITS):
            for executable, taken in zip(executables, visits):
                taken.append(take_visit(executable, policy, loops=loops))
    return BuildSpread(tuple(Measurement(tuple(taken), loops) for taken in visits))
