"""Compare two kernel profiles kernel by kernel, as two hardware profiles are compared layer by layer (`diff.py`)."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

import numpy as np

from ...profilers.files import has_schema
from ..errors import ProfileMismatch
from ..kernels.profile_file.profile import KernelProfile, MeasuredKernel, load_kernel_profile
from ..kernels.profile_file.records import SCHEMA
from ..profile_file.profile import HardwareProfile
from ..profile_file.store import load_profile
from .diff import AnyProfile, ProfileDiff, compared, diff_profiles
from .significance import Array, log_errors

NOUN = "kernels"


def diff_sources(a: AnyProfile | str | Path, b: AnyProfile | str | Path) -> ProfileDiff:
    """Compare two profiles of one kind, each itself, its file, or the name of a shipped one.

    Raises UnknownProfile, ProfileDamaged, and ProfileMismatch for two kinds, or where there is nothing to compare.
    """
    first, second = opened(a), opened(b)
    if isinstance(first, HardwareProfile) and isinstance(second, HardwareProfile):
        return diff_profiles(first, second)
    if isinstance(first, KernelProfile) and isinstance(second, KernelProfile):
        return diff_kernel_profiles(first, second)
    kernels, layers = (first, second) if isinstance(first, KernelProfile) else (second, first)
    raise ProfileMismatch(
        f"{kernels.name} is a kernel profile, and {layers.name} is of the layers of a space; compare two of one kind",
        fields=("schema",),
    )


def opened(source: AnyProfile | str | Path) -> AnyProfile:
    """Return a profile itself, or that of a file, of whichever kind it is; raises UnknownProfile, ProfileDamaged."""
    if isinstance(source, (HardwareProfile, KernelProfile)):
        return source
    return load_kernel_profile(source) if has_schema(source, SCHEMA) else load_profile(source)


def diff_kernel_profiles(a: KernelProfile, b: KernelProfile) -> ProfileDiff:
    """Compare the kernels that two profiles measured both; raises ProfileMismatch where there are none."""
    before, after = timed_in(a), timed_in(b)
    shared = tuple(digest for digest in before if digest in after)
    if not shared:
        raise ProfileMismatch(
            f"{a.name} ({a.runtime}) and {b.name} ({b.runtime}) have no measured kernel in common, so there is nothing "
            f"to compare; runtimes, and processors with other instructions, make other kernels of the same models",
            fields=("backend",),
        )
    pairs = [(before[digest], after[digest]) for digest in shared]
    return compared(
        a,
        b,
        tuple(old.key for old, _ in pairs),
        [(old.value_us, new.value_us) for old, new in pairs],
        own_errors=(own_errors([old for old, _ in pairs]), own_errors([new for _, new in pairs])),
        only_a=tuple(one.key for digest, one in before.items() if digest not in after),
        only_b=tuple(one.key for digest, one in after.items() if digest not in before),
        caution=caution_of(a, b),
        noun=NOUN,
    )


def timed_in(profile: KernelProfile) -> Mapping[str, MeasuredKernel]:
    """Return the kernels whose block times a profile holds, by digest."""
    return {digest: one for digest, one in profile.kernels.items() if one.measurement is not None}


def own_errors(kernels: list[MeasuredKernel]) -> Array:
    """Return the standard error of each kernel's log latency, (n,).

    A kernel's own time is that of its model less a call of the runtime, so its relative error is so much larger.
    """
    measurements = [one.measurement for one in kernels if one.measurement is not None]
    whole = np.array([measurement.value_us for measurement in measurements])
    own = np.array([one.value_us * one.copies for one in kernels])
    return np.asarray(log_errors(measurements) * np.maximum(1.0, whole / own))


def caution_of(a: KernelProfile, b: KernelProfile) -> str | None:
    """Return why single kernels' verdicts may be false alarms; None when nothing speaks for it."""
    count, name = max((never_clean(profile), profile.name) for profile in (a, b))
    if not count:
        return None
    return f"{count} kernels of {name} were never seen undisturbed: changes of theirs may be false alarms"


def never_clean(profile: KernelProfile) -> int:
    """Count the kernels that were not seen undisturbed often enough; 0 without a probe."""
    if profile.header.contention is None:
        return 0
    found = [one.measurement for one in timed_in(profile).values()]
    return sum(measurement is not None and not measurement.is_undisturbed for measurement in found)
