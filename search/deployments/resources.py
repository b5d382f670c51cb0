"""Measures the resources of sub-networks as they are shipped, as a profile says that they are run."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import TYPE_CHECKING

import numpy as np

from ...lut import measure_resources, reason_without_energy, reason_without_memory
from ...supernets.space.space import Architecture
from ..problem.context import MeasuresResources, PredictsLatency
from ..problem.supernet import EvaluatesInFp32, SearchableSupernet, searchable
from .deployment import Deployments
from .models import exported
from .profiles import named

if TYPE_CHECKING:
    from ...lut import HardwareProfile
    from .profiles import Profiles


@dataclass(frozen=True)
class ProfiledResources:
    """What sub-networks take in a profile's backend and configuration, on the profile's device."""

    profile: HardwareProfile
    supernet: SearchableSupernet | None = None

    @cached_property
    def memory_refusal(self) -> str:
        """Why memory cannot be measured here."""
        return reason_without_memory(self.profile)

    @cached_property
    def energy_refusal(self) -> str:
        """Why energy cannot be measured here."""
        return reason_without_energy(self.profile)

    def memory_mib(self, architecture: Architecture) -> float:
        """Measure a sub-network's peak of memory, in about three seconds."""
        model = exported(architecture, self.supernet, self.profile)
        return measure_resources(self.profile, model).memory_mib

    def energy_mj(self, architecture: Architecture) -> float:
        """Measure the energy of a sub-network's inference, in some ten seconds, a minute on a GPU."""
        model = exported(architecture, self.supernet, self.profile)
        energy_mj = measure_resources(self.profile, model, energy=True).energy_mj
        assert energy_mj is not None
        return energy_mj


@dataclass(frozen=True)
class DeployedResources:
    """What sub-networks take in the deployment in which each is fastest, of several profiles of one device."""

    deployments: Deployments
    each: tuple[ProfiledResources, ...]

    @property
    def memory_refusal(self) -> str:
        """Why memory cannot be measured here in one of the deployments."""
        return next(filter(None, (one.memory_refusal for one in self.each)), "")

    @property
    def energy_refusal(self) -> str:
        """Why energy cannot be measured here in one of the deployments."""
        return next(filter(None, (one.energy_refusal for one in self.each)), "")

    def memory_mib(self, architecture: Architecture) -> float:
        """Measure a sub-network's peak of memory in its deployment."""
        resources, network = self.deployed(architecture)
        return resources.memory_mib(network)

    def energy_mj(self, architecture: Architecture) -> float:
        """Measure the energy of a sub-network's inference in its deployment."""
        resources, network = self.deployed(architecture)
        return resources.energy_mj(network)

    def deployed(self, architecture: Architecture) -> tuple[ProfiledResources, Architecture]:
        """Return how an architecture is run, and the network that it is without its settings."""
        row = np.array([architecture.indices], dtype=np.int64)
        return self.each[int(self.deployments.chosen(row)[0])], self.deployments.space.network_of(architecture)


def resources_from(
    profile: Profiles,
    latencies: Mapping[str, PredictsLatency],
    supernet: SearchableSupernet | EvaluatesInFp32 | None = None,
) -> dict[str, MeasuresResources]:
    """Return what measures resources, by the name of the profile; `latencies` are those taken from the same profiles.

    Nothing is tried before it is asked.
    """
    supernet = searchable(supernet)
    if isinstance(profile, Sequence):
        deployments = latencies[""]
        assert isinstance(deployments, Deployments)
        by_digest = {one.digest: ProfiledResources(one, supernet) for one in profile}
        return {"": DeployedResources(deployments, tuple(by_digest[one.sha256] for one in deployments.each))}
    return {name: ProfiledResources(one, supernet) for name, one in named(profile).items()}
