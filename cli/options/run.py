"""The run folder that a verb takes, and how a member of its front is picked."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

PICK_HELP = 'An id, knee, "best accuracy", "weights accuracy=2,latency=1", or a rule such as latency<=2ms.'
RunFolder = Annotated[Path, typer.Argument(help="Run folder, as given to gnomon search --out.")]
