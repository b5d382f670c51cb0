"""What objectives are built from: a space, and a super-network, latency models and a device where there are some."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Protocol, runtime_checkable

from ...supernets.precision import FP32
from ...supernets.space.space import Architecture, Indices, SearchSpace
from .objective import Values
from .supernet import SearchableSupernet, searchable


class PredictsLatency(Protocol):
    """What the latency objective needs of a profile's latency model."""

    def value_us(self, indices: Indices) -> Values:
        """Estimate the latency of (n, d) architectures in microseconds, (n,)."""


@runtime_checkable
class ChoosesDeployments(Protocol):
    """A latency that is the least of several deployments', and says which."""

    def value_us(self, indices: Indices) -> Values:
        """Estimate the latency of (n, d) architectures in microseconds, (n,)."""

    def chosen(self, indices: Indices) -> Values:
        """Return the number of the deployment in which each architecture is fastest, from 0, (n,)."""


@dataclass(frozen=True)
class SearchContext:
    """What objectives are built from: a space, and a super-network, latency models and a device where there are some.

    One latency model, or several by the name of their profile ("" is that of plain `latency`); `resources` by the same
    names. `instance` is what stands after the @ of the objective being built. `precision` is what the networks are
    validated in. A super-network that knows no precisions, with `metric` and `evaluate(architecture, split, share)`,
    is adapted as one of fp32 (`supernet.py`).
    """

    space: SearchSpace
    supernet: SearchableSupernet | None = None
    latency: PredictsLatency | Mapping[str, PredictsLatency] | None = None
    split: str = "validation"
    instance: str = ""
    precision: str = FP32
    resources: Mapping[str, MeasuresResources] = field(default_factory=dict)

    def __post_init__(self) -> None:
        object.__setattr__(self, "supernet", searchable(self.supernet))

    @property
    def latencies(self) -> Mapping[str, PredictsLatency]:
        """Latency models by the name of their profile."""
        if self.latency is None:
            return {}
        return self.latency if isinstance(self.latency, Mapping) else {"": self.latency}

    @property
    def deployments(self) -> ChoosesDeployments | None:
        """What chooses the deployment of each network; None where there is one, or none."""
        latency = self.latencies.get("")
        return latency if isinstance(latency, ChoosesDeployments) else None


class MeasuresResources(Protocol):
    """What the objectives of memory and energy need of a device; a refusal is empty where it can be measured here."""

    @property
    def memory_refusal(self) -> str:
        """Why memory cannot be measured here."""

    @property
    def energy_refusal(self) -> str:
        """Why energy cannot be measured here."""

    def memory_mib(self, architecture: Architecture) -> float:
        """Measure the most memory that a sub-network takes, in MiB."""

    def energy_mj(self, architecture: Architecture) -> float:
        """Measure the energy of a sub-network's inference, in mJ."""
