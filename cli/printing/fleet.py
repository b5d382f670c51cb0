"""How the profiles of a fleet are listed: those that are there, and why others are not."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

from .line import print_line
from .table import print_json, print_table

if TYPE_CHECKING:
    from ...lut.fleet.description import Fleet
    from ...lut.fleet.run import Task


def print_fleet(fleet: Fleet, tasks: Sequence[Task], *, as_json: bool) -> None:
    """Print a line a profile, and a reason a failure."""
    if as_json:
        print_json([record_of(fleet, task) for task in tasks])
        return
    rows = [
        (task.kind, task.plan.file_name, task.done_by.name if task.done_by else "", state_of(task), task.quality)
        for task in tasks
    ]
    print_table(("kind", "profile", "board", "state", "quality"), rows)
    for task in tasks:
        for attempt in task.failures:
            print_line(f"{attempt.board.name}: {task.plan.file_name}: {attempt.reason}")
    done = sum(task.done_by is not None for task in tasks)
    print_line(f"{done} of {len(tasks)} profiles are in {fleet.store}")


def state_of(task: Task) -> str:
    """Say in a word or two what became of a task."""
    if task.done_by is None:
        return "missing"
    return "was there" if task.was_there else f"measured in {task.seconds:.0f} s"


def record_of(fleet: Fleet, task: Task) -> dict[str, object]:
    """Return a task as JSON."""
    path = None if task.done_by is None else str(fleet.profile_path(task.done_by, task.plan))
    return {
        "kind": task.kind,
        "profile": task.plan.file_name,
        "board": None if task.done_by is None else task.done_by.name,
        "path": path,
        "was_there": task.was_there,
        "quality": task.quality or None,
        "seconds": round(task.seconds, 1),
        "failures": [{"board": one.board.name, "reason": one.reason} for one in task.failures],
    }
