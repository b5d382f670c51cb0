"""What a search needs of the device that it runs on."""

from __future__ import annotations

from typing import Protocol

from ..supernets.space.space import Architecture


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
