"""`gnomon backends`: runtimes that can be timed."""

from __future__ import annotations

import typer

from ..options.common import AsJson
from ..printing.table import print_json, print_table


def register(app: typer.Typer) -> None:
    """Add the verb."""

    @app.command()
    def backends(as_json: AsJson = False) -> None:
        """List the runtimes, their devices and versions; why one does not work here, and how to install it."""
        from ...profilers.runtimes.availability import availabilities

        found = availabilities()
        if as_json:
            print_json(
                [
                    {
                        "name": one.name,
                        "device": one.device,
                        "state": one.state,
                        "version": one.version or one.state,
                        "reason": one.reason,
                        "install": one.install_command,
                    }
                    for one in found
                ]
            )
        else:
            print_table(
                ("backend", "device", "version", "why not, and how to get it"),
                [(one.name, one.device, one.version or one.state, one.reason) for one in found],
            )
