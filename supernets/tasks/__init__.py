"""Tasks: a data set with its splits, and the metric that is searched. One file each, found by name."""

from __future__ import annotations

import importlib
import pkgutil
from pathlib import Path

from ..errors import DataUnavailable
from .images import ImageTask


def load_task(name: str, data: Path | None = None) -> ImageTask:
    """Load the task `name` from its embedded sample, or from the folder `data`; raises DataUnavailable."""
    known = {module.name for module in pkgutil.iter_modules([str(Path(__file__).parent)])}
    if name not in known:
        raise DataUnavailable(f"no loader for the data of task {name!r}; there is one for fashion_mnist")
    task: ImageTask = importlib.import_module(f".{name}", __package__).load(data)
    return task
