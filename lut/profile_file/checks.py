"""Whether a profile is what is asked for, and how its environment differs from this one."""

from __future__ import annotations

from ...profilers.errors import BackendBroken, BackendUnavailable, UnknownBackend
from ...profilers.machine.hardware import fingerprint
from ...profilers.runtimes.registry import load_backend
from ..errors import ProfileMismatch
from .profile import HardwareProfile


def check_profile(
    profile: HardwareProfile, *, space: str | None = None, precision: str | None = None
) -> tuple[str, ...]:
    """Check a profile against what is asked of it, and return how its environment differs from this one.

    Raises ProfileMismatch when it is of another space, layer set or precision, LatencyMissing when layers are absent
    that its model is built on.
    """
    check_request(profile, space=space, precision=precision)
    profile.require_for(profile.header.space)
    return environment_differences(profile)


def check_request(profile: HardwareProfile, *, space: str | None = None, precision: str | None = None) -> None:
    """Raise ProfileMismatch when the profile is of another space, layer set or precision than asked."""
    profile.space_named(space or profile.header.space)
    if precision is not None and precision != profile.header.config.precision:
        raise ProfileMismatch(
            f"profile {profile.name} is of precision {profile.header.config.precision}, not {precision}; "
            f"measure one: gnomon profile --space {profile.header.space} --precision {precision}",
            fields=("config.precision",),
        )


def environment_differences(profile: HardwareProfile) -> tuple[str, ...]:
    """Say how the runtime and the hardware here differ from the profile's."""
    try:
        versions = load_backend(profile.header.backend).versions()
    except (BackendUnavailable, UnknownBackend):
        return (f"{profile.header.backend} is not installed here",)
    except BackendBroken as error:
        return (str(error),)
    return profile.differences(versions=versions, hardware=fingerprint().to_json())
