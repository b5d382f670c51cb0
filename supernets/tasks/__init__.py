"""Tasks: a data set with its splits, and the metric that is searched. One file each, found by name.

A task's module defines `load(space, folder) -> Task`; where the package ships a sample, `folder` may be None. A metric
other than accuracy is its `METRIC`. Another package's task is an entry point of group gnomon.tasks: such a module.
"""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from types import ModuleType
from typing import Protocol

from ..errors import DataUnavailable
from ..metric import ACCURACY, Metric
from ..plugins import Registry, closest_hint
from ..space.space import SearchSpace


class Task(Protocol):
    """A data set that judges the sub-networks of a space."""

    @property
    def name(self) -> str:
        """Return the name that spaces call it by."""


def no_loader(kind: str, name: str, known: Sequence[str]) -> DataUnavailable:
    """Build the error for a task that nobody registered."""
    return DataUnavailable(
        f"no loader for the data of {kind} {name!r}; there is one for {', '.join(known)}{closest_hint(name, known)}. "
        "A task of your own is one file: docs/tasks.md"
    )


TASKS: Registry[ModuleType] = Registry("task", "supernets/tasks", no_loader, "gnomon.tasks", functions=("load",))


def task_names() -> tuple[str, ...]:
    """Name the registered tasks, sorted."""
    return TASKS.names()


def load_task(space: SearchSpace, data: str | Path | None = None) -> Task:
    """Load the task of `space` from its embedded sample, or from the folder `data`.

    Raises DataUnavailable, PluginBroken.
    """
    module = TASKS.load(space.task)
    with TASKS.blaming(space.task):
        task: Task = module.load(space, None if data is None else Path(data))
    return task


def metric_of(space: SearchSpace) -> Metric | None:
    """Return what the task of `space` judges by, without loading its data; None where nobody registered the task.

    Raises PluginBroken.
    """
    if space.task not in TASKS.names():
        return None
    metric: Metric = getattr(TASKS.load(space.task), "METRIC", ACCURACY)
    return metric
