"""`gnomon backends`: runtimes that can be timed."""

from __future__ import annotations

import typer

from .output import AsJson, print_json, print_table


def register(app: typer.Typer) -> None:
    """Add the verb."""

    @app.command()
    def backends(as_json: AsJson = False) -> None:
        """List the runtimes, their devices and versions, and how to install those that are absent."""
        from ..profilers.errors import BackendUnavailable
        from ..profilers.registry import backend_names, device_of, load_backend

        rows: list[tuple[str, str, str, str]] = []
        for name in backend_names():
            try:
                rows.append((name, device_of(name), load_backend(name).version(), ""))
            except BackendUnavailable as error:
                rows.append((name, device_of(name), "not available", error.install_command))
        if as_json:
            print_json([dict(zip(("name", "device", "version", "install"), row)) for row in rows])
        else:
            print_table(("backend", "device", "version", "install with"), rows)
