"""`gnomon lut`: look at hardware profiles, check and compare them, exchange their tables. One file a few commands."""

from __future__ import annotations

import importlib

import typer

from ...groups import group_of_commands

COMMANDS = ("show", "check", "diff", "exchange", "merge")


def register(app: typer.Typer) -> None:
    """Add the verb."""
    lut = group_of_commands(app, "lut", "Look at, check, compare and exchange hardware profiles.")
    for command in COMMANDS:
        importlib.import_module(f".{command}", __package__).register(lut)
