"""`gnomon runs`: hand a run to other tools."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from ..groups import group_of_commands
from ..options.common import Force
from ..options.run import RunFolder
from ..printing.progress import say

Format = Annotated[str | None, typer.Option("--format", help="csv, parquet or optuna; default: by the suffix.")]


def register(app: typer.Typer) -> None:
    """Add the verb."""
    runs = group_of_commands(app, "runs", "Hand runs to other tools.")

    @runs.command("export")
    def export_run(
        run: RunFolder,
        out: Annotated[Path, typer.Option(help="File to write: .csv, .parquet, .db or .log (both Optuna).")],
        name: Format = None,
        force: Force = False,
    ) -> None:
        """Write a run's evaluations as CSV, Parquet or an Optuna study: genes by name, values with their units."""
        from ...api import load_run
        from ...search.interchange import write_run

        loaded = load_run(run)
        left_out = write_run(loaded, out, name=name, force=force)
        print(f"saved    {out}: {len(loaded.evaluations) - left_out} evaluations")
        if left_out:
            say(f"left out {left_out} evaluations on a share of the examples: their values compare with no other's")
