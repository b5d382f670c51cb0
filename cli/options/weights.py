"""The weights and the data that sub-networks are evaluated with."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

Checkpoint = Annotated[
    Path | None, typer.Option(help="Weights: ours, or a file as its authors publish it; default: those that ship.")
]
Data = Annotated[Path | None, typer.Option(help="Folder of the full data set; default: the embedded sample.")]
