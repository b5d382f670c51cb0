"""Tasks: a data set with its splits, and the metric that is searched. One file each, found by name."""

from __future__ import annotations

import importlib
import pkgutil
from pathlib import Path
from types import ModuleType

from ..errors import DataUnavailable
from .images import ImageTask, LabelledImages


def load_task(name: str, data: Path | None = None) -> ImageTask:
    """Load the task `name` from its embedded sample, or from the folder `data`; raises DataUnavailable."""
    task: ImageTask = task_module(name).load(data)
    return task


def training_split_of(name: str, data: Path) -> tuple[LabelledImages, LabelledImages]:
    """Return the images to train on and those held out, from the full data set in `data`; raises DataUnavailable."""
    split: tuple[LabelledImages, LabelledImages] = task_module(name).training_split(data)
    return split


def task_module(name: str) -> ModuleType:
    """Import the module of the task `name`; raises DataUnavailable for one without a loader."""
    known = sorted(module.name for module in pkgutil.iter_modules([str(Path(__file__).parent)]))
    tasks = [module for module in known if module not in ("idx", "images", "prepare")]
    if name not in tasks:
        raise DataUnavailable(f"no loader for the data of task {name!r}; there is one for {', '.join(tasks)}")
    return importlib.import_module(f".{name}", __package__)
