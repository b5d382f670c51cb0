"""The option --period: how far apart an application begins its inferences."""

from __future__ import annotations

import re
from typing import Annotated

import typer

Period = Annotated[
    str | None,
    typer.Option(metavar="TIME", help="Time one inference every so often too, as an application does, e.g. 33ms."),
]
WRITTEN = re.compile(r"\s*(\d*\.?\d+)\s*(us|ms|s)\s*")
IN_MS = {"us": 1e-3, "ms": 1.0, "s": 1e3}


def milliseconds_of(period: str | None) -> float | None:
    """Return a period in milliseconds; raises BadParameter for what is no time with its unit."""
    if period is None:
        return None
    match = WRITTEN.fullmatch(period)
    if match is None:
        raise typer.BadParameter(f"--period {period}: expected a time with its unit, as 33ms or 1s")
    number, unit = match.groups()
    return float(number) * IN_MS[unit]
