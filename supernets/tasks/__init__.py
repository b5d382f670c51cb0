"""Tasks: a data set with its splits, and the metric that is searched. One file each, found by name.

A task's module defines `load(space, folder) -> Task`; where the package ships a sample, `folder` may be None.
"""

from __future__ import annotations

import importlib
import pkgutil
from pathlib import Path
from types import ModuleType
from typing import TYPE_CHECKING, Protocol

from ..errors import DataUnavailable
from ..space import SearchSpace

if TYPE_CHECKING:
    from ..elastic import ElasticNetwork
    from ..supernet import Supernet

NOT_TASKS = {
    "cifar",
    "decoding",
    "ding",
    "folders",
    "home_assistant",
    "idx",
    "images",
    "labelled",
    "pairs",
    "prepare",
    "rotten_tomatoes",
    "text",
    "text_files",
    "vocabulary",
}


class Task(Protocol):
    """A data set that judges the sub-networks of a space."""

    @property
    def name(self) -> str:
        """Return the name that spaces call it by."""

    def supernet(self, space: SearchSpace, network: ElasticNetwork, checkpoint_sha256: str) -> Supernet:
        """Join the space, its weights and this task."""


def load_task(space: SearchSpace, data: str | Path | None = None) -> Task:
    """Load the task of `space` from its embedded sample, or from the folder `data`; raises DataUnavailable."""
    data = None if data is None else Path(data)
    task: Task = task_module(space.task).load(space, data)
    return task


def task_module(name: str) -> ModuleType:
    """Import the module of the task `name`; raises DataUnavailable for one without a loader."""
    known = {module.name for module in pkgutil.iter_modules([str(Path(__file__).parent)])}
    tasks = sorted(known - NOT_TASKS)
    if name not in tasks:
        raise DataUnavailable(f"no loader for the data of task {name!r}; there is one for {', '.join(tasks)}")
    return importlib.import_module(f".{name}", __package__)
