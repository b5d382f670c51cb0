"""Latency of a sub-network on the profiled device, from the profile's latency model: arithmetic, so cheap."""

from __future__ import annotations

from dataclasses import dataclass

from ....supernets.plugins import closest_hint
from ....supernets.space.space import Indices
from ...errors import MissingContext
from ..context import PredictsLatency, SearchContext
from ..objective import Direction, Objective, Values


@dataclass(frozen=True)
class Latency(Objective):
    """Estimated latency in microseconds, to minimise."""

    model: PredictsLatency
    name: str = "latency"
    unit: str = "us"
    direction: Direction = "min"

    def values(self, indices: Indices) -> Values:
        """Estimate (n, d) architectures, (n,)."""
        return self.model.value_us(indices)


def build(context: SearchContext) -> Latency:
    """Build the objective for the context's latency model of its instance; raises MissingContext without one."""
    instance = context.instance
    name = f"latency@{instance}" if instance else "latency"
    model = context.latencies.get(instance)
    if model is not None:
        return Latency(model, name=name)
    names = [f"latency@{other}" if other else "latency" for other in context.latencies]
    given = f"the profiles given are of {', '.join(names)}{closest_hint(name, names)}" if names else "there is none"
    raise MissingContext(
        f"objective {name!r} needs a hardware profile, and {given}; make one on the device with "
        f"`gnomon profile --space {context.space.name}` and pass it as "
        f"`profile{f'={instance}=FILE' if instance else ''}`"
    )
