"""`gnomon report`: one HTML file about profiles and runs."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from ..options.common import Force
from ..options.completion import profile_names


def register(app: typer.Typer) -> None:
    """Add the verb."""

    @app.command()
    def report(
        subjects: Annotated[
            list[str],
            typer.Argument(
                metavar="PROFILE|RUN...",
                help="Profiles (files, or names of shipped ones) and run folders. Two of a kind are compared; a "
                "profile beside a run prices it for that device too.",
                autocompletion=profile_names,
            ),
        ],
        out: Annotated[Path, typer.Option("--out", "-o", help="The HTML file to write.")] = Path("report.html"),
        force: Force = False,
    ) -> None:
        """Write one HTML file about profiles and runs: it opens in any browser, works offline, and prints."""
        from ...api import report as write

        print(f"report   {write(*subjects, out=out, force=force)}")
