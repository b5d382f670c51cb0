"""`gnomon data`: obtain data sets."""

from __future__ import annotations

import typer

from ..groups import group_of_commands


def register(app: typer.Typer) -> None:
    """Add the verb."""
    data = group_of_commands(app, "data", "Obtain data sets.")

    @data.command()
    def prepare(name: str = typer.Argument(help="Data set, e.g. fashion-mnist.")) -> None:
        """Download a data set, check its sha256, and unpack it into the user's cache."""
        from ...supernets.data.prepare import prepare as prepare_data

        folder = prepare_data(name)
        print(folder)
