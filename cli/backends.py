"""`gnomon backends`: runtimes that can be timed."""

from __future__ import annotations

import typer

from .output import AsJson, print_json, print_table


def register(app: typer.Typer) -> None:
    """Add the verb."""

    @app.command()
    def backends(as_json: AsJson = False) -> None:
        """List the runtimes, their versions, and how to install those that are absent."""
        from ..profilers.errors import BackendUnavailable
        from ..profilers.registry import backend_names, load_backend

        rows: list[tuple[str, str, str]] = []
        for name in backend_names():
            try:
                rows.append((name, load_backend(name).version(), ""))
            except BackendUnavailable as error:
                rows.append((name, "not installed", error.install_command))
        if as_json:
            print_json([dict(zip(("name", "version", "install"), row)) for row in rows])
        else:
            print_table(("backend", "version", "install with"), rows)
