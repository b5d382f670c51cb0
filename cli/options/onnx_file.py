"""The options --model and --shape: an ONNX file of the user's, and the sizes of its inputs."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

Model = Annotated[
    Path | None,
    typer.Option("--model", metavar="FILE", help="An ONNX file, predicted from a kernel profile (profile --kernels)."),
]
Shapes = Annotated[
    list[str] | None,
    typer.Option("--shape", metavar="NAME=SIZES", help="Sizes of an input, as images=1x3x320x320. May be repeated."),
]
