"""`gnomon export`: ship a sub-network."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from ..options.command_file import with_config
from ..options.common import AsJson, DryRun, Force
from ..options.completion import profile_names
from ..options.device import Device, Verbose, connected
from ..options.period import Period, milliseconds_of
from ..options.run import PICK_HELP, RunFolder
from ..options.weights import Checkpoint, Data
from ..printing.estimate import print_again
from ..printing.exported_model import print_export
from ..printing.line import print_line
from ..printing.progress import say
from ..printing.table import print_json


def register(app: typer.Typer) -> None:
    """Add the verb."""

    @app.command()
    @with_config
    def export(
        run: RunFolder,
        out: Annotated[Path, typer.Option(help="Folder to write: the model and model.json.")],
        pick: Annotated[str, typer.Option(help=PICK_HELP)] = "knee",
        profile: Annotated[
            list[str] | None,
            typer.Option(
                help="Profile to predict with and to time under; several as searched with.",
                autocompletion=profile_names,
            ),
        ] = None,
        precision: Annotated[str | None, typer.Option(help="Precision of the model; default: the run's.")] = None,
        checkpoint: Checkpoint = None,
        data: Data = None,
        no_timing: Annotated[
            bool, typer.Option("--no-timing", help="Predict alone: do not wait for this device, nor time on it.")
        ] = False,
        period: Period = None,
        kernels: Annotated[
            bool, typer.Option("--kernels", help="Also say which kernels the runtime makes of the model.")
        ] = False,
        dry_run: DryRun = False,
        device: Device = "local",
        verbose: Verbose = False,
        as_json: AsJson = False,
        force: Force = False,
    ) -> None:
        """Export a sub-network of a run's front to ONNX, checked in every installed runtime and timed."""
        from dataclasses import asdict

        from ...api import export as export_run
        from ...api import load_run
        from ...api.preparing import asked_export
        from ...search.deployments.given import given_profiles
        from ...search.export.export import require_exportable
        from ..options.profiles import load_profiles

        loaded = load_run(run)
        if dry_run:
            profiles = given_profiles(**load_profiles(profile or ()))
            asked = asked_export(
                loaded, pick, profiles, precision=precision, checkpoint=checkpoint, data=data, on_step=say
            )
            require_exportable(
                asked.supernet,
                out,
                profile=asked.profile,
                precision=asked.precision,
                timing=not no_timing,
                period_ms=milliseconds_of(period),
                force=force,
            )
            chosen = asked.chosen.network
            weights = float(asked.supernet.space.network.params([chosen.indices])[0])
            timed = bool(profile) and not no_timing
            print_line(f"network  {chosen.id}, picked by {pick}")
            print_again(loaded, 2, int(timed), disk_mib=4 * weights / 2**20)
            return
        with connected(device, verbose=verbose) as there:
            exported = export_run(
                loaded,
                pick,
                out,
                **load_profiles(profile or ()),
                precision=precision,
                checkpoint=checkpoint,
                data=data,
                timing=not no_timing,
                period_ms=milliseconds_of(period),
                kernels=kernels,
                device=there,
                force=force,
                on_step=say,
            )
        if as_json:
            print_json(asdict(exported))
        else:
            print_export(exported)
