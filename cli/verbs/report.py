"""`gnomon report`: one HTML file about profiles and runs."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from ..options.common import Force
from ..options.completion import profile_names


def serve_report(subjects: list[str], port: int) -> None:
    """Serve a report until Ctrl-C."""
    from ...reports.errors import ReportRefused
    from ...reports.html.serve import server_of

    try:
        server = server_of(subjects, port=port)
    except OSError as error:
        raise ReportRefused(f"cannot serve on port {port}: {error.strerror}; choose another --port") from error
    with server:
        print(f"serving  http://127.0.0.1:{server.server_port}/ until Ctrl-C", flush=True)
        try:
            server.serve_forever()
        except KeyboardInterrupt:
            print("stopped")


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
        serve: Annotated[
            bool, typer.Option("--serve", help="Write no file: serve it to this machine alone, following a run.")
        ] = False,
        port: Annotated[int, typer.Option(help="Port of --serve; 0 takes a free one.", min=0, max=65535)] = 0,
        force: Force = False,
    ) -> None:
        """Write one HTML file about profiles and runs: it opens in any browser, works offline, and prints."""
        if serve:
            serve_report(subjects, port)
            return
        from ...api import report as write

        print(f"report   {write(*subjects, out=out, force=force)}")
