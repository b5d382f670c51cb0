"""A CPU quota stops this process in the middle of whatever it does; what it stopped is a disturbed block.

The kernel counts a stop as an involuntary context switch of a thread that was running. The thread that times may have
been waiting for those of the runtime instead, so under a quota the group's own count of stops counts too.
"""

from __future__ import annotations

from typing import Callable, Optional

from ..machine.noise.limits import QuotaUse, quota_use
from ..timing.probe import Probe

ReadQuota = Callable[[], Optional[QuotaUse]]


class QuotaProbe:
    """A probe under a CPU quota, whose stops count as interruptions."""

    def __init__(self, probe: Probe, read_quota: ReadQuota) -> None:
        self._probe, self._read_quota = probe, read_quota

    def read_us(self) -> float:
        """Run the probe's kernel and return the microseconds taken."""
        return self._probe.read_us()

    def switches(self) -> Optional[int]:
        """Return how often this thread was interrupted or its group stopped so far."""
        quota = self._read_quota()
        stops = 0 if quota is None else quota.stops
        return (self._probe.switches() or 0) + stops


def under_quota(probe: Optional[Probe], read_quota: ReadQuota = quota_use) -> Optional[Probe]:
    """Return a probe that counts the stops of a CPU quota too, where there is one; else the probe itself."""
    return probe if probe is None or read_quota() is None else QuotaProbe(probe, read_quota)
