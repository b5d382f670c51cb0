"""Shows a search in Weights & Biases, offline unless WANDB_MODE says otherwise: `wandb sync` sends it when you want.

The files are in the folder `wandb` beside the run folder. Its project is WANDB_PROJECT, or gnomon. Neither reports of
errors nor facts about this machine, its code and its packages are collected.
"""

from __future__ import annotations

import os
from collections.abc import Mapping
from pathlib import Path
from secrets import token_hex
from typing import TYPE_CHECKING

from ..tracker import Setting

if TYPE_CHECKING:
    import wandb

MODULE = "wandb"
os.environ.setdefault("WANDB_ERROR_REPORTING", "false")  # read when wandb is imported, which is after this module


class WandbRun:
    """A run of Weights & Biases."""

    def __init__(self, run: wandb.Run) -> None:
        self.id, self._run = str(run.id), run

    def log(self, values: Mapping[str, float], step: int) -> None:
        """Log values."""
        self._run.log(dict(values), step=step)

    def close(self, front: str, *, is_over: bool) -> None:
        """Put the front into the summary, and write everything to the disk."""
        self._run.summary["front_text"] = front
        self._run.finish(exit_code=0 if is_over else 1)


def open_tracker(run: Path, settings: Mapping[str, Setting], known: str | None) -> WandbRun:
    """Go on with a run that is known, or begin one; raises what wandb raises."""
    import wandb

    quiet = wandb.Settings(
        silent=True,
        console="off",
        disable_git=True,
        disable_code=True,
        x_disable_stats=True,  # a thread that reads the processor's load would disturb what is timed meanwhile
        x_disable_meta=True,
        x_disable_machine_info=True,
        x_save_requirements=False,
        host="not told",
    )
    begun = wandb.init(
        project=os.environ.get("WANDB_PROJECT", "gnomon"),
        name=run.resolve().name,
        id=known or token_hex(8),
        resume="allow",
        dir=run.resolve().parent,
        config=dict(settings),
        mode=None if "WANDB_MODE" in os.environ else "offline",
        settings=quiet,
    )
    return WandbRun(begun)
