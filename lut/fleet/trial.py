"""Ask every board, all at the same time, whether it could measure what is missing; nothing is measured or written."""

from __future__ import annotations

import subprocess
from collections.abc import Sequence
from contextlib import ExitStack
from typing import IO

from ...outputs import require_writable
from .description import Board, Fleet
from .run import COMMAND, OnStep, Task, asked_of, begun, ending_of, step_from, tasks_of


def try_fleet(fleet: Fleet, *, say: OnStep = lambda text: None, command: Sequence[str] = ()) -> list[Task]:
    """Return all tasks; those without `done_by` are missing, and their failures say which boards could not do them.

    `command` starts the process that asks a board, `child.py` where none is given. Raises OutputUnusable.
    """
    tasks = tasks_of(fleet)
    missing = {board: open_to for board in fleet.boards if (open_to := [one for one in tasks if one.is_open_to(board)])}
    with ExitStack() as stack:
        asked = []
        for board, open_to in missing.items():
            for task in open_to:
                require_writable(fleet.profile_path(board, task.plan), f"`store` in {fleet.path}")
            plans = [asked_of(fleet, board, task.plan) for task in open_to]
            child, stdin, stderr = begun(command or COMMAND, {"device": board.device, "try": plans})
            for held in (child, stderr, stdin):
                stack.enter_context(held)
            stack.callback(child.kill)
            asked.append((board, child, stderr))
            say(f"{board.name}: is asked for {len(plans)} profiles")
        for board, child, stderr in asked:
            take_down(board, missing[board], child, stderr)
    return tasks


def take_down(board: Board, missing: Sequence[Task], child: subprocess.Popen[bytes], stderr: IO[bytes]) -> None:
    """Wait for a child, and note of each profile what it said of it, else how it ended."""
    output, _ = child.communicate()
    told, reason = dict[int, str](), ""
    for step in map(step_from, output.split(b"\n")):
        if isinstance(step.get("tried"), int):
            told[step["tried"]] = str(step.get("refused") or "")
        reason = str(step.get("error") or reason)
    for number, task in enumerate(missing):
        if refused := told.get(number, reason or ending_of(child.returncode, stderr)):
            task.fail(board, refused)
