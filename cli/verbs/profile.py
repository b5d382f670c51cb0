"""`gnomon profile`: measure a hardware profile."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, Any

import typer

from ...settings import PROFILE
from ..options.common import Backend, Force
from ..options.device import Device, Verbose, connected
from ..options.from_settings import checked, with_options
from ..options.space import SpaceArgument, SpaceOption, named_space
from ..printing.progress import progress, worker_progress


def register(app: typer.Typer) -> None:
    """Add the verb."""

    @app.command()
    @with_options(PROFILE)
    def profile(
        space: SpaceArgument = None,
        space_option: SpaceOption = None,
        backend: Backend = "onnxruntime",
        *,
        networks_only: Annotated[
            bool, typer.Option("--networks-only", help="Measure no layer: a regression on the whole networks predicts.")
        ] = False,
        source: Annotated[
            str | None,
            typer.Option("--from", help="Correct this profile of another device or configuration by --samples."),
        ] = None,
        samples: Annotated[int, typer.Option(help="Whole networks measured with --from.", min=10)] = 10,
        out: Annotated[Path | None, typer.Option(help="File to write; default: named after the device.")] = None,
        strict: Annotated[
            bool, typer.Option("--strict", help="Exit 4 when the profile's quality is not good.")
        ] = False,
        force: Force = False,
        device: Device = "local",
        verbose: Verbose = False,
        **values: Any,
    ) -> None:
        """Measure every layer of a space on a device, and whole networks that verify the table."""
        from ...api import load_profile
        from ...api import profile as measure_profile
        from ...lut.profile_file.store import SUFFIX
        from ...profilers.timing.protocol import TimingPolicy
        from ..exits import QualityRefused
        from ..printing.profile import print_profile
        from ..printing.report import print_report

        asked = checked(PROFILE, values)
        policy = TimingPolicy(time_cap_s=asked.pop("time_cap_s"))
        if source is not None:
            asked["networks"] = samples
        named = named_space(space, space_option, default="fashion_mnist")
        with (
            connected(device, verbose=verbose) as transport,
            progress(f"profile {named} on {backend}") as report,
        ):
            measured = measure_profile(
                named,
                backend,
                out=out,
                **asked,
                layers=source is None and not networks_only,
                source=None if source is None else load_profile(source),
                policy=policy,
                force=force,
                device=transport,
                on_progress=worker_progress(report),
            )
        print_profile(measured)
        path = out or Path(measured.name + SUFFIX)
        print(f"saved    {path}")
        print_report(path.with_suffix(".html"), measured)
        if strict and measured.quality != "good":
            raise QualityRefused(f"the profile's quality is {measured.quality}: {measured.quality_reason}")
