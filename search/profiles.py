"""The hardware profiles that a search takes latency from: one, which is plain `latency`, or several by name."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

from ..supernets.precision import FP32
from .errors import InvalidConfig
from .objective import PredictsLatency, check_instances

if TYPE_CHECKING:
    from ..lut import HardwareProfile

LATENCY = "latency"
PRECISION = "precision"  # of a run's provenance; absent where it is fp32


def named(profile: HardwareProfile | Mapping[str, HardwareProfile] | None) -> dict[str, HardwareProfile]:
    """Return profiles by name, the one of plain `latency` as ""; raises InvalidConfig for a name that is none."""
    profiles = dict(profile) if isinstance(profile, Mapping) else {} if profile is None else {"": profile}
    check_instances(profiles)
    return profiles


def latencies_from(profiles: Mapping[str, HardwareProfile], space: str) -> dict[str, PredictsLatency]:
    """Return their latency models by name; raises ProfileMismatch for a profile of another space."""
    for one in profiles.values():
        one.table.require(one.space_named(space).unique_layers())
    return {name: one.latency for name, one in profiles.items()}


def precision_of(profiles: Mapping[str, HardwareProfile]) -> str:
    """Return the precision that all profiles are of, fp32 without any; raises InvalidConfig where they differ."""
    found = {name: one.header.config.precision for name, one in profiles.items()}
    if len(set(found.values())) > 1:
        said = ", ".join(f"{name or profiles[name].name}: {precision}" for name, precision in found.items())
        raise InvalidConfig(
            f"the profiles are of different precisions ({said}), and a network is as good as one of them makes it; "
            "search each apart, with gnomon search --profile FILE --out FOLDER",
            field="profile",
        )
    return next(iter(found.values()), FP32)


def provenance_from(profiles: Mapping[str, HardwareProfile]) -> dict[str, Any]:
    """Return what a run keeps of its profiles: `profile`, that of plain latency or None, and `profiles` by name.

    And their `precision`, where it is not fp32. Raises InvalidConfig where they differ in it.
    """
    sources = {name: {"name": one.name, "sha256": one.digest} for name, one in profiles.items()}
    precision = precision_of(profiles)
    plain = sources.pop("", None)
    found: dict[str, Any] = {"profile": plain, "profiles": sources} if sources else {"profile": plain}
    return found if precision == FP32 else {**found, PRECISION: precision}


def searched_with(provenance: Mapping[str, Any]) -> dict[str, dict[str, str]]:
    """Return name and sha256 of the profile that each latency of a run came from, by objective."""
    found = {LATENCY: provenance.get("profile")}
    several = provenance.get("profiles")
    if isinstance(several, Mapping):
        found |= {f"{LATENCY}@{name}": source for name, source in several.items()}
    return {objective: dict(source) for objective, source in found.items() if isinstance(source, Mapping)}
