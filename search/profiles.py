"""The hardware profiles that a search takes latency from.

One is plain `latency`; several by name are several devices, latency@NAME each; several without names are ways to run a
network on one device (`deployment.py`).
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from ..supernets.precision import FP32
from ..supernets.space import SearchSpace
from .deployment import Deployments
from .errors import InvalidConfig
from .objective import PredictsLatency, check_instances

if TYPE_CHECKING:
    from ..lut import HardwareProfile

    Profiles = HardwareProfile | Mapping[str, HardwareProfile] | Sequence[HardwareProfile] | None

LATENCY = "latency"


@dataclass(frozen=True)
class Searched:
    """What a search takes from hardware profiles: the space, latency models by name, and what it keeps of them.

    `space` is the one asked for, or the same with the precision as a choice. `precision` is what networks are
    validated in where it is no choice.
    """

    space: SearchSpace
    latencies: Mapping[str, PredictsLatency]
    provenance: Mapping[str, Any]
    precision: str = FP32


def searched(profile: Profiles, space: SearchSpace) -> Searched:
    """Take a search's latencies from one profile, several by name, or several ways to run a network on one device.

    Raises InvalidConfig for names that are none, precisions that differ between named profiles, or ways that do not
    belong together; ProfileMismatch for a profile of another space; LatencyMissing.
    """
    if isinstance(profile, Sequence):
        ways = Deployments.from_profiles(profile, space)
        return Searched(ways.space, {"": ways}, {"profile": None, "deployments": ways.provenance}, ways.precision)
    profiles = named(profile)
    check_instances(profiles)
    for one in profiles.values():
        one.table.require(one.space_named(space.name).unique_layers())
    precision = precision_of(profiles)
    return Searched(space, {n: one.latency for n, one in profiles.items()}, provenance_from(profiles), precision)


def named(profile: HardwareProfile | Mapping[str, HardwareProfile] | None) -> dict[str, HardwareProfile]:
    """Return profiles by name, the one of plain `latency` as ""."""
    return dict(profile) if isinstance(profile, Mapping) else {} if profile is None else {"": profile}


def precision_of(profiles: Mapping[str, HardwareProfile]) -> str:
    """Return the precision that all profiles are of, fp32 for none; raises InvalidConfig where they differ."""
    found = {one.header.config.precision: name for name, one in profiles.items()}
    if len(found) > 1:
        said = " and ".join(f"{name or one} is of {one}" for one, name in found.items())
        raise InvalidConfig(
            f"the profiles are of several precisions ({said}), and a network answers differently in each; search each "
            "for itself, or give profiles of one device without names: then the precision is searched too",
            field="profile",
        )
    return next(iter(found), FP32)


def provenance_from(profiles: Mapping[str, HardwareProfile]) -> dict[str, Any]:
    """Return what a run keeps of its profiles: `profile`, that of plain latency or None, and `profiles` by name."""
    sources = {name: {"name": one.name, "sha256": one.digest} for name, one in profiles.items()}
    plain = sources.pop("", None)
    return {"profile": plain, "profiles": sources} if sources else {"profile": plain}


def searched_with(provenance: Mapping[str, Any]) -> dict[str, dict[str, str]]:
    """Return name and sha256 of the profile that each latency of a run came from, by objective."""
    found = {LATENCY: provenance.get("profile")}
    several = provenance.get("profiles")
    if isinstance(several, Mapping):
        found |= {f"{LATENCY}@{name}": source for name, source in several.items()}
    return {objective: dict(source) for objective, source in found.items() if isinstance(source, Mapping)}
