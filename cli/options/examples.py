"""Which examples a validation is on: all, or a share of those that decide most."""

from __future__ import annotations

import math
from typing import Annotated

import typer

DECIDING = "deciding"
DEFAULT_SHARE = 0.2

Examples = Annotated[
    str,
    typer.Option(
        metavar="all|deciding[:SHARE]",
        help="All examples, or those that decide most by the smallest and the largest network; the accuracy on all is "
        f"estimated from them. SHARE is of all, {DEFAULT_SHARE:g} unless given.",
    ),
]


def share_of_deciding(text: str) -> float | None:
    """Return the share of deciding examples that was asked for, None for all examples; raises BadParameter."""
    if text == "all":
        return None
    name, colon, said = text.partition(":")
    try:
        share = float(said) if colon else DEFAULT_SHARE
    except ValueError:
        share = math.nan
    if name != DECIDING or not 0 < share <= 1:
        raise typer.BadParameter(
            f"--examples {text}: expected all, deciding, or deciding:SHARE with a share above 0 and at most 1, as "
            "deciding:0.1"
        )
    return share
