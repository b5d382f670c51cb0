"""`gnomon profile`: measure a hardware profile."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from .output import Force, SpaceName, progress, worker_progress


def register(app: typer.Typer) -> None:
    """Add the verb."""

    @app.command()
    def profile(
        backend: Annotated[str, typer.Option(help="Runtime; gnomon backends lists them.")] = "onnxruntime",
        space: SpaceName = "fashion_mnist",
        threads: Annotated[int, typer.Option(help="Threads of the runtime.", min=1)] = 1,
        batch: Annotated[int, typer.Option(help="Images at a time.", min=1)] = 1,
        precision: Annotated[str, typer.Option(help="Precision of weights and activations.")] = "fp32",
        networks: Annotated[int, typer.Option(help="Whole networks that correct and verify the table.", min=10)] = 40,
        time_cap_s: Annotated[float, typer.Option(help="No further passes after this many seconds.", min=1)] = 180.0,
        out: Annotated[Path | None, typer.Option(help="File to write; default: named after the device.")] = None,
        strict: Annotated[
            bool, typer.Option("--strict", help="Exit 4 when the profile's quality is not good.")
        ] = False,
        force: Force = False,
    ) -> None:
        """Measure every layer of a space on this device, and whole networks that verify the table."""
        from ..lut import ProfileRequest, build_profile
        from ..profilers.backend import RunConfig
        from ..profilers.timing import TimingPolicy
        from ..supernets import SupernetError
        from .lut import print_profile
        from .main import QualityRefused

        try:
            config = RunConfig(precision=precision, threads=threads, batch=batch)
        except ValueError as error:
            raise SupernetError(str(error)) from error
        policy = TimingPolicy(time_cap_s=time_cap_s)
        request = ProfileRequest(space, backend, config, networks=networks, policy=policy)
        path = out or Path(request.file_name())
        with progress(f"profile {space} on {backend}") as report:
            measured = build_profile(request, path, force=force, on_progress=worker_progress(report))
        print_profile(measured)
        print(f"saved    {path}")
        if strict and measured.quality != "good":
            raise QualityRefused(f"the profile's quality is {measured.quality}: {measured.quality_reason}")
