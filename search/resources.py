"""Measures the resources of sub-networks as they are shipped, the way a profile says that they are run."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from functools import cached_property
from typing import TYPE_CHECKING

from ..lut import measure_resources, reason_without_energy, reason_without_memory
from ..supernets.space import Architecture
from .final_timing import exported
from .objective import EvaluatesArchitectures, MeasuresResources

if TYPE_CHECKING:
    from ..lut import HardwareProfile


@dataclass(frozen=True)
class ProfiledResources:
    """What sub-networks take in a profile's backend and configuration, on the profile's device."""

    profile: HardwareProfile
    supernet: EvaluatesArchitectures | None = None

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


def resources_from(
    profiles: Mapping[str, HardwareProfile], supernet: EvaluatesArchitectures | None = None
) -> dict[str, MeasuresResources]:
    """Return what measures resources, by the name of the profile; nothing is tried before it is asked."""
    return {name: ProfiledResources(profile, supernet) for name, profile in profiles.items()}
