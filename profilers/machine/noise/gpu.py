"""Noise from an NVIDIA GPU: a clock that rises and falls, and what holds it down."""

from __future__ import annotations

from pathlib import Path
from typing import Any, Mapping, Optional

from ..nvml import open_nvml, slowdowns
from ..sysfs import ROOT
from .cause import NoiseCause


def gpu_clock(root: Path) -> Optional[NoiseCause]:
    """Tell whether the GPU's clock is held at one value; NVML is asked on this machine only."""
    conditions = _conditions(root)
    return None if conditions is None else clock_from_conditions(conditions)


def gpu_slowdown(root: Path) -> Optional[NoiseCause]:
    """Tell what holds the GPU's clock down now; NVML is asked on this machine only."""
    conditions = _conditions(root)
    return None if conditions is None else slowdown_from_conditions(conditions)


def clock_from_conditions(conditions: Mapping[str, Any]) -> Optional[NoiseCause]:
    """Judge the clock by what `Conditions.conditions` told."""
    now, highest = conditions.get("sm_clock_mhz"), conditions.get("sm_clock_highest_mhz")
    if not now or not highest:
        return None
    chosen = conditions.get("sm_clock_application_mhz")
    is_set = "application clocks" in (conditions.get("clock_limited_by") or ())
    return NoiseCause(
        "gpu clock",
        "ok" if is_set else "warn",
        f"{now} MHz now, at most {highest} MHz" + (f", set to {chosen} MHz" if is_set and chosen else ""),
        "the clock rises and falls with load and temperature, so short measurements see another speed than long ones",
        f"sudo nvidia-smi --lock-gpu-clocks={chosen or int(0.8 * highest)} (undo: sudo nvidia-smi --reset-gpu-clocks)",
    )


def slowdown_from_conditions(conditions: Mapping[str, Any]) -> Optional[NoiseCause]:
    """Judge what holds the clock down by what `Conditions.conditions` told."""
    limited_by = conditions.get("clock_limited_by")
    if limited_by is None:
        return None
    found = slowdowns(limited_by)
    return NoiseCause(
        "gpu slowdown",
        "bad" if found else "ok",
        ", ".join(found) or "none",
        "a GPU at its limit of power or temperature lowers its clock while models are timed",
        "cool it, wait, or lock a lower clock: sudo nvidia-smi --lock-gpu-clocks=MHZ",
    )


def _conditions(root: Path) -> Optional[Mapping[str, Any]]:
    nvml = open_nvml() if root == ROOT else None
    return None if nvml is None else nvml.conditions()
