"""The profiles that a call names: one device, several devices, or several deployments on one device."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING

from ..errors import InvalidConfig

if TYPE_CHECKING:
    from ...lut import HardwareProfile
    from .profiles import Profiles


def given_profiles(
    profile: HardwareProfile | None = None,
    devices: Mapping[str, HardwareProfile] | None = None,
    deployments: Sequence[HardwareProfile] | None = None,
) -> Profiles:
    """Return the profiles of a call in the form that a search takes them in.

    `profile` is plain `latency`; `devices` are latency@NAME, also beside it; `deployments` are precisions, runtimes and
    numbers of threads that a network can run with on one device, and stand alone. Raises InvalidConfig.
    """
    for kind, argument in ((Mapping, "devices={name: profile}"), ((list, tuple), "deployments=[profile, ...]")):
        if isinstance(profile, kind):
            raise InvalidConfig(f"profile holds {len(profile)} profiles, and is one; say {argument}", field="profile")
    if not deployments:
        return {"": profile, **devices} if profile and devices else dict(devices) if devices else profile
    if profile or devices:
        others = "profile" if profile else "devices"
        raise InvalidConfig(
            f"deployments are those of one device, and {others} is given too; give the profiles of several devices as "
            "devices={name: profile}",
            field="deployments",
        )
    return list(deployments)
