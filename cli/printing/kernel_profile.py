"""How verbs print a kernel profile that was just measured."""

from __future__ import annotations

from typing import TYPE_CHECKING

from .line import print_line

if TYPE_CHECKING:
    from ...lut.kernels.profile_file.profile import KernelProfile


def print_kernel_profile(profile: KernelProfile) -> None:
    """Print what the profile holds, and its verified error."""
    from ...lut.kernels.composition import Composition
    from ...lut.kernels.regression import KernelRegression

    composition = Composition(profile, KernelRegression(profile))
    print(f"device   {profile.header.device}, {profile.header.backend}, {profile.header.config.threads} threads")
    print(
        f"kernels  {len(profile.measured)} measured, {len(profile.models)} whole models, {profile.header.seconds:.0f} s"
    )
    if profile.transfer is not None and profile.header.source is not None:
        scaled = len(profile.kernels) - len(profile.measured)
        print_line(f"source   {profile.header.source.name}: {profile.transfer.sentence()}")
        print(f"         {scaled} kernels scaled and not measured, {scaled / len(profile.kernels):.0%} of all")
    busy = profile.header.contention
    if busy is not None:
        print(f"busy     {busy.time_share:.0%} of the time, {busy.slow_down:.2f} times slower then")
    print(f"model    {composition.terms.sentence()}")
    print(f"verified {composition.report.sentence()}")
