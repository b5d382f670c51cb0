"""Latency of a sub-network on the profiled device, from the profile's latency model: arithmetic, so cheap."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

from ...supernets.space import Indices
from ..errors import MissingContext
from ..objective import PredictsLatency, SearchContext, Values


@dataclass(frozen=True)
class Latency:
    """Estimated latency in microseconds, to minimise."""

    model: PredictsLatency
    name: str = "latency"
    unit: str = "us"
    direction: Literal["min"] = "min"
    costly: bool = False

    def values(self, indices: Indices) -> Values:
        """Estimate (n, d) architectures, (n,)."""
        return self.model.value_us(indices)


def build(context: SearchContext) -> Latency:
    """Build the objective for the context's latency model; raises MissingContext without one."""
    if context.latency is None:
        raise MissingContext(
            "objective 'latency' needs a hardware profile, and there is none; make one on the device with "
            f"`gnomon profile {context.space.name}` and pass it as --profile FILE"
        )
    return Latency(context.latency)
