"""What a CPU quota, as of a container with half a processor, did while a profile was measured."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

PREFIX = "cpu_quota_"  # of the worker's conditions


@dataclass(frozen=True, slots=True)
class QuotaDuring:
    """A quota of `cpus`, `slice_ms` in each period, that stopped the worker for `stopped_s`, `stops` times."""

    cpus: float
    slice_ms: float
    stops: int
    stopped_s: float

    @property
    def sentence(self) -> str:
        """What it did, in words."""
        stopped = f"stopped it {self.stops} times, for {self.stopped_s:.1f} s" if self.stops else "did not stop it"
        return f"a CPU quota of {self.cpus:.2f} CPUs {stopped}; blocks that were stopped do not count"

    def doubt(self, slowest_us: float) -> str:
        """Say why latencies up to `slowest_us` hold stops of the quota; nothing where they do not."""
        if not self.stops or slowest_us < self.slice_ms * 1e3:
            return ""
        return (
            f"a CPU quota allows {self.slice_ms:.0f} ms at a time, and networks take up to {slowest_us / 1e3:.0f} ms, "
            "so their latencies hold its stops"
        )


def quota_during(conditions: object) -> QuotaDuring | None:
    """Return the quota that a profile's conditions tell of; None where they tell of none."""
    if not isinstance(conditions, Mapping):
        return None
    told: list[Any] = [conditions.get(PREFIX + name) for name in ("cpus", "slice_ms", "stops", "stopped_s")]
    if not all(isinstance(r, (list, tuple)) and len(r) == 2 and all(is_number(v) for v in r) for r in told):
        return None
    cpus, slice_ms, stops, stopped_s = told
    return QuotaDuring(cpus[0], slice_ms[0], int(stops[1] - stops[0]), stopped_s[1] - stopped_s[0])


def is_number(value: object) -> bool:
    """Tell whether a value of a file is a plain number."""
    return isinstance(value, (int, float)) and not isinstance(value, bool)


def others_than_quota(conditions: Mapping[str, Any]) -> dict[str, Any]:
    """Return the conditions that are no quota's."""
    return {name: value for name, value in conditions.items() if not name.startswith(PREFIX)}
