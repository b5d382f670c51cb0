"""Measure what a fleet lacks: boards at the same time, each one profile after the other, in processes of their own.

A plan is measured once for each kind, by whichever board of it is free. What a board cannot do is given to the next
board of its kind that has not tried it; a board that is lost, or whose process is killed, gets nothing more. What was
measured by one board is never mixed with another's: each has a folder of its own, where an interrupted plan goes on.
"""

from __future__ import annotations

import contextlib
import json
import os
import selectors
import signal
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import IO, Any

from ...outputs import OutputUnusable
from ..measuring.building import clear_finished
from ..profile_file.store import PROFILE
from .description import Board, Fleet, Plan

COMMAND = (sys.executable, "-m", f"{__package__}.child")
LAST_WORDS_BYTES = 2_000
LONGEST_STOP_S = 60.0  # from Ctrl-C until a child has brought home what was measured
MOST_SAID_BYTES = 1 << 20  # in one line of a child


@dataclass(frozen=True, slots=True)
class Attempt:
    """A board that did not measure a plan, and why."""

    board: Board
    reason: str


@dataclass(slots=True)
class Task:
    """A plan for a kind: `done_by` the board that has its profile, None while there is none."""

    kind: str
    plan: Plan
    done_by: Board | None = None
    was_there: bool = False
    quality: str = ""
    seconds: float = 0.0
    failures: list[Attempt] = field(default_factory=list)

    def is_open_to(self, board: Board) -> bool:
        """Tell whether a board of its kind could still measure it."""
        tried = any(attempt.board == board for attempt in self.failures)
        return self.done_by is None and board.kind == self.kind and not tried

    def fail(self, board: Board, reason: str) -> None:
        """Take down, in one line, why a board did not measure it."""
        self.failures.append(Attempt(board, " ".join(reason.split())))


@dataclass(slots=True)
class Running:
    """A child that measures a task on a board; what it said that is no whole line yet, and its last step.

    It ends when its `stdin` does, which is open as long as this process lives.
    """

    board: Board
    task: Task
    child: subprocess.Popen[bytes]
    stdin: IO[bytes]
    stderr: IO[bytes]
    since_s: float
    received: bytes = b""
    last: dict[str, Any] = field(default_factory=dict)


OnStep = Callable[[str], None]


def tasks_of(fleet: Fleet) -> list[Task]:
    """Return every plan of every kind, and which are done: a profile of that name is in a board's folder."""
    tasks = []
    for kind in dict.fromkeys(board.kind for board in fleet.boards):
        for plan in fleet.plans:
            done = [b for b in fleet.boards if b.kind == kind and not PROFILE.fault(fleet.profile_path(b, plan))]
            tasks.append(Task(kind, plan, done[0] if done else None, was_there=bool(done)))
    return tasks


def run_fleet(fleet: Fleet, *, say: OnStep = lambda text: None, command: Sequence[str] = ()) -> list[Task]:
    """Measure what is missing, and return all tasks; those without `done_by` are missing still, with their failures.

    `command` starts the process that measures one profile, `child.py` where none is given. Raises OutputUnusable. On
    Ctrl-C every child is stopped where it goes on later.
    """
    clear_leftovers(fleet)
    tasks, lost, running = tasks_of(fleet), set[str](), dict[str, Running]()
    with selectors.DefaultSelector() as selector, stopping(running):
        while True:
            for board in fleet.boards:
                if board.name not in lost and board.name not in running:
                    others = {one.task.plan for one in running.values() if one.board.kind == board.kind}
                    task = next_for(fleet, board, tasks, others, lost)
                    if task is not None:
                        say(f"{board.name}: {task.plan.file_name}")
                        running[board.name] = one = started(fleet, board, task, command or COMMAND)
                        assert one.child.stdout is not None
                        selector.register(one.child.stdout, selectors.EVENT_READ, one)
            if not running:
                return tasks
            for key, _ in selector.select():
                one = key.data
                if listen(one, say):
                    continue
                selector.unregister(key.fileobj)
                del running[one.board.name]
                if conclude(one, say):
                    lost.add(one.board.name)


def clear_leftovers(fleet: Fleet) -> None:
    """Remove what a process left that was killed when its profile was written: nobody measures there again."""
    for board in fleet.boards:
        for plan in fleet.plans:
            if (out := fleet.profile_path(board, plan)).exists():
                clear_finished(out, PROFILE)


def next_for(fleet: Fleet, board: Board, tasks: Sequence[Task], others: set[Plan], lost: set[str]) -> Task | None:
    """Return what a free board measures next, None for nothing: what it began first, then what nobody began.

    What another board of the kind began, and can still go on with, is left to it.
    """

    def begun_by(one: Board, task: Task) -> bool:
        path = fleet.profile_path(one, task.plan)
        return path.with_name(f"{path.name}.building").is_dir()

    open_tasks = [task for task in tasks if task.is_open_to(board) and task.plan not in others]
    own = [task for task in open_tasks if begun_by(board, task)]
    siblings = [b for b in fleet.boards if b.kind == board.kind and b != board and b.name not in lost]
    fresh = [task for task in open_tasks if not any(begun_by(b, task) and task.is_open_to(b) for b in siblings)]
    return next(iter((*own, *fresh)), None)


def started(fleet: Fleet, board: Board, task: Task, command: Sequence[str]) -> Running:
    """Start the child that measures a task on a board, in a session of its own: Ctrl-C reaches it through us."""
    out = fleet.profile_path(board, task.plan)
    try:
        out.parent.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise OutputUnusable(
            f"cannot write to {fleet.store}: {error}; choose another `store` in {fleet.path}"
        ) from error
    child, stdin, stderr = begun(command, {**asked_of(fleet, board, task.plan), "device": board.device})
    return Running(board, task, child, stdin, stderr, time.monotonic())


def asked_of(fleet: Fleet, board: Board, plan: Plan) -> dict[str, Any]:
    """Return what a child is told of a profile."""
    return {
        "space": plan.space,
        "backend": plan.backend,
        "layers": plan.layers,
        "settings": dict(plan.settings),
        "out": str(fleet.profile_path(board, plan)),
    }


def begun(command: Sequence[str], asked: Mapping[str, Any]) -> tuple[subprocess.Popen[bytes], IO[bytes], IO[bytes]]:
    """Start a child that is told what on its input; return it, its input, which stays open, and its stderr."""
    stderr = tempfile.TemporaryFile()  # noqa: SIM115  (it lives as long as the child)
    child = subprocess.Popen(
        list(command),
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        stderr=stderr,
        start_new_session=True,
        env={**os.environ, "PYTHONPATH": os.pathsep.join(filter(None, sys.path))},
    )
    assert child.stdin is not None
    stdin, child.stdin = child.stdin, None  # else waiting for the child would close it
    with contextlib.suppress(BrokenPipeError):  # it died; how is said when its output ends
        stdin.write(json.dumps(asked).encode() + b"\n")
        stdin.flush()
    return child, stdin, stderr


def listen(one: Running, say: OnStep) -> bool:
    """Take what a child says; False when it has ended."""
    assert one.child.stdout is not None
    part = os.read(one.child.stdout.fileno(), 1 << 16)
    one.received += part
    *lines, one.received = one.received.split(b"\n")
    if len(one.received) > MOST_SAID_BYTES:
        one.child.kill()
    for line in lines:
        step = step_from(line)
        one.last.update(step)
        if "done" in step:
            say(f"{one.board.name}: {step['done']}/{step.get('total')}, ETA {step.get('eta_s')} s")
    return bool(part)


def step_from(line: bytes) -> dict[str, Any]:
    """Return a line of a child as a step; what is none is empty."""
    try:
        step = json.loads(line)
    except (ValueError, RecursionError):
        return {}
    return step if isinstance(step, dict) else {}


def conclude(one: Running, say: OnStep) -> bool:
    """Take down how a child ended; True where its board is lost to this run."""
    code = one.child.wait()
    ended = ending_of(code, one.stderr)
    close(one)
    one.task.seconds += time.monotonic() - one.since_s
    if code == 0 and "quality" in one.last:
        one.task.done_by, one.task.quality = one.board, str(one.last["quality"])
        say(f"{one.board.name}: done, {one.task.plan.file_name}")
        return False
    if "error" in one.last:
        reason, is_lost = str(one.last["error"]), bool(one.last.get("unreachable"))
    else:
        reason, is_lost = ended, code < 0
    one.task.fail(one.board, reason)
    say(f"{one.board.name}: not done: {reason}{'; nothing more is asked of this board' if is_lost else ''}")
    return is_lost


@contextmanager
def stopping(running: dict[str, Running]) -> Iterator[None]:
    """When the block is left by an exception, as Ctrl-C, stop what runs where it can go on, and wait for it.

    A child is told by the end of its input: a signal may come before it can take one.
    """
    try:
        yield
    except BaseException:
        for one in running.values():
            with contextlib.suppress(BrokenPipeError):
                one.stdin.close()
        deadline_s = time.monotonic() + LONGEST_STOP_S
        for one in running.values():
            try:
                one.child.communicate(timeout=max(0.1, deadline_s - time.monotonic()))
            except (subprocess.TimeoutExpired, KeyboardInterrupt):
                one.child.kill()
            close(one)
        raise


def close(one: Running) -> None:
    """Let go of a child's pipes."""
    one.child.wait()
    assert one.child.stdout is not None
    one.child.stdout.close()
    one.stderr.close()
    with contextlib.suppress(BrokenPipeError):
        one.stdin.close()


def ending_of(code: int, stderr: IO[bytes]) -> str:
    """Say how a child ended, with the last line of its stderr."""
    how = f"by {signal.Signals(-code).name}" if code < 0 else f"with exit code {code}"
    size = stderr.seek(0, os.SEEK_END)
    stderr.seek(max(0, size - LAST_WORDS_BYTES))
    lines = [line.strip() for line in stderr.read().decode("utf-8", errors="replace").split("\n")]
    last = next((line for line in reversed(lines) if line), "")
    return f"its process ended {how}{': ' if last else ''}{last}"
