"""`gnomon data`: obtain data sets."""

from __future__ import annotations

import typer

from .groups import Grouped


def register(app: typer.Typer) -> None:
    """Add the verb."""
    data = typer.Typer(help="Obtain data sets.", cls=Grouped, no_args_is_help=True, rich_markup_mode=None)
    app.add_typer(data, name="data")

    @data.callback()
    def root() -> None:
        """Obtain data sets."""

    @data.command()
    def prepare(name: str = typer.Argument(help="Data set, e.g. fashion-mnist.")) -> None:
        """Download a data set, check its sha256, and unpack it into the user's cache."""
        from ..supernets.data.prepare import prepare as prepare_data

        folder = prepare_data(name)
        print(folder)
