"""`gnomon lut`: look at hardware profiles, check and compare them, exchange their tables. One file a few commands."""

from __future__ import annotations

import importlib

import typer

from ..groups import Grouped
from .show import ProfileName, print_profile

__all__ = ["ProfileName", "print_profile", "register"]

COMMANDS = ("show", "check", "diff", "exchange")


def register(app: typer.Typer) -> None:
    """Add the verb."""
    lut = typer.Typer(
        help="Look at, check, compare and exchange hardware profiles.",
        cls=Grouped,
        no_args_is_help=True,
        rich_markup_mode=None,
    )
    app.add_typer(lut, name="lut")
    for command in COMMANDS:
        importlib.import_module(f".{command}", __package__).register(lut)
