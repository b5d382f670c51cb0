"""`gnomon finish`: validate the front of a run on examples and timings that the search did not use."""

from __future__ import annotations

from typing import Annotated

import typer

from ..options.command_file import with_config
from ..options.common import AsJson, DryRun, Force
from ..options.device import Device, Verbose, connected
from ..options.period import Period, milliseconds_of
from ..options.run import RunFolder
from ..options.weights import Checkpoint, Data
from ..printing.estimate import print_again
from ..printing.final_front import print_final
from ..printing.progress import say
from ..printing.report import print_report
from ..printing.table import print_json


def register(app: typer.Typer) -> None:
    """Add the verb."""

    @app.command()
    @with_config
    def finish(
        run: RunFolder,
        profile: Annotated[
            str | None, typer.Option(help="Profile to time the front with; another than the run's prices it anew.")
        ] = None,
        checkpoint: Checkpoint = None,
        data: Data = None,
        controls: Annotated[
            int | None,
            typer.Option(help="Networks of the first rounds validated too, to tell luck from the split; 8.", min=0),
        ] = None,
        period: Period = None,
        dry_run: DryRun = False,
        device: Device = "local",
        verbose: Verbose = False,
        as_json: AsJson = False,
        force: Force = False,
    ) -> None:
        """Validate a run's front on examples the search did not use, time it here, and say which members stay."""
        from ...api import final_front, load_profile, load_run
        from ...api.preparing import require_finishable
        from ...search.final.final import CONTROLS
        from ...search.final.front import load_final
        from ...search.runs.files.records import REPORT_FILE

        loaded = load_run(run)
        is_new = (
            bool(profile or checkpoint or data or force or period) or controls is not None
        )  # else a sealed final front is shown as it is
        final = None if is_new else load_final(loaded)
        priced_by = load_profile(profile) if profile else None
        others = CONTROLS if controls is None else controls
        if dry_run:
            with connected(device, verbose=verbose) as there:
                require_finishable(
                    loaded,
                    profile=priced_by,
                    checkpoint=checkpoint,
                    data=data,
                    controls=others,
                    period_ms=milliseconds_of(period),
                    device=there,
                    force=force,
                )
            members = len(loaded.front().architectures)
            print_again(loaded, members + others, members if profile else 0)
            return
        if final is None:
            with connected(device, verbose=verbose) as there:
                final = final_front(
                    loaded,
                    profile=priced_by,
                    checkpoint=checkpoint,
                    data=data,
                    controls=others,
                    period_ms=milliseconds_of(period),
                    device=there,
                    force=force,
                    on_step=say,
                )
        if as_json:
            print_json(final.as_json())
            return
        print_final(final)
        print(f"saved    {final.folder / 'final.json'}")
        print_report(final.folder / REPORT_FILE, loaded, *([priced_by] if priced_by else []))
