"""Measure the memory and energy of a network under a profile's conditions, where this is the profile's device."""

from __future__ import annotations

from ...profilers.errors import CounterUnavailable
from ...profilers.resources.counter import open_counter
from ...profilers.resources.measure import REPEATS
from ...profilers.resources.measure import measure_resources as measure_here
from ...profilers.resources.memory import peak_mib
from ...profilers.resources.usage import Resources
from ...profilers.timing.plan import Model
from ..errors import ProfileMismatch
from ..profile_file.profile import HardwareProfile
from .measure import reason_not_here


def measure_resources(
    profile: HardwareProfile, model: Model, *, energy: bool = False, repeats: int = REPEATS
) -> Resources:
    """Measure what a model or program takes with the profile's backend and configuration, each repeat a new process.

    Raises ProfileMismatch unless this is the profile's device and runtime, and what `profilers.measure_resources` does.
    """
    if reason := reason_not_here(profile):
        raise ProfileMismatch(f"{reason}, so what it takes here would not be what it takes there", fields=("device",))
    backend = profile.header.backend
    return measure_here(model, backend=backend, config=profile.run_config, energy=energy, repeats=repeats)


def reason_without_memory(profile: HardwareProfile) -> str:
    """Say why the memory of the profile's networks cannot be measured here; nothing where it can."""
    device = profile.header.config.device
    if device != "cpu":
        return f"only the memory of processes on the CPU is measured, and the profile is of a {device}"
    try:
        peak_mib()
    except CounterUnavailable as error:
        return str(error)
    return reason_not_here(profile)


def reason_without_energy(profile: HardwareProfile) -> str:
    """Say why the energy of the profile's networks cannot be measured here, with all counters; nothing where it can."""
    if reason := reason_not_here(profile):
        return reason
    try:
        open_counter(profile.header.config.device).close()
    except CounterUnavailable as error:
        return str(error)
    return ""
