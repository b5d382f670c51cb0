"""A run folder for writing: created, recognised, locked. One process writes a run at a time."""

from __future__ import annotations

import json
import os
from collections.abc import Iterator, Mapping
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from pathlib import Path

from filelock import FileLock, Timeout

from ....outputs import OutputUnusable, require_writable
from ....profilers.files import has_schema, open_to_read
from ....profilers.journal import Journal, write_atomically
from ....temporary import is_temporary
from ...errors import RunLocked, RunMismatch
from .asks import read_asks
from .identity import require_same
from .records import (
    ASKS_FILE,
    CALL_FILE,
    EVALUATIONS_FILE,
    FINAL_FILE,
    JOURNAL_FILE,
    REPORT_FILE,
    REPORT_MARK,
    RUN_FILE,
    SCHEMA,
    START_FILE,
    STOP_FILE,
    TIMING_FOLDER,
    TRACKERS_FILE,
    Evaluation,
    RunHeader,
    read_header,
)
from .replay import read_evaluations
from .start import Start, is_start, read_start
from .stopping import TOLERANCE, cost_of

LOCK_FILE = "lock"
LONGEST_LINE_BYTES = 1 << 20
KEPT = "what was measured is kept, and the same command goes on"


@dataclass(frozen=True, slots=True)
class Opened:
    """A run folder that is locked: its description, what it started from, what it holds, and where to write more.

    `asks` are the rounds that were asked for early.
    """

    header: RunHeader
    start: Start | None
    evaluations: tuple[Evaluation, ...]
    asks: dict[int, int]
    journal: Journal


@dataclass(frozen=True, slots=True)
class Found:
    """What a folder holds of the run that is asked for: as `Opened`, but not locked, and `stored` as it is there."""

    stored: RunHeader
    header: RunHeader
    start: Start | None
    evaluations: tuple[Evaluation, ...]
    asks: dict[int, int]


def require_place(folder: Path, asked: RunHeader, start: Start | None, *, force: bool) -> None:
    """Raise what `open_run` raises where another run, or something else, is in the way; writes nothing."""
    require_own(folder)
    require_writable(folder / RUN_FILE, "`folder`")
    if os.path.lexists(folder / LOCK_FILE):
        with ExitStack() as stack:
            lock(folder, stack)
    find_run(folder, asked, start, force=force)


def find_run(folder: Path, asked: RunHeader, start: Start | None, *, force: bool) -> Found | None:
    """Return what is there of the run that is asked for, None where it begins; raises RunMismatch, RunDamaged."""
    stored = read_header(folder) if os.path.lexists(folder / RUN_FILE) and not force else None
    if stored is None:
        return None
    started = stored.provenance.start_sha256
    if start is None and started is not None:
        start = read_start(folder, started)
    header = asked.started_from(start.sha256) if start else asked
    told = header.opening_budget
    header = header.model_copy(update={"opening_budget": stored.opening_budget, "budgets": stored.budgets})
    require_same(folder, stored, header)
    evaluations, asks = read_evaluations(folder, stored, start), read_asks(folder)
    if told is not None and stored.opening_budget is not None and header.config.budget != stored.config.budget:
        header = header.given(told, max([*asks, *(evaluation.round for evaluation in evaluations)], default=-1) + 1)
    spent, budget = cost_of(evaluations), header.config.budget
    if spent - TOLERANCE > budget:
        raise RunMismatch(
            f"the run in {folder} has spent {spent:g} full validations already, and the budget asked for is {budget}; "
            "give it a larger one, or choose another `folder`",
            fields=("config.budget",),
        )
    return Found(stored, header, start, evaluations, asks)


def open_run(folder: Path, asked: RunHeader, start: Start | None, stack: ExitStack, *, force: bool) -> Opened:
    """Create the run in `folder`, or check that it is the one asked for, and hold it until `stack` closes.

    Without a `start`, a run that has one keeps it. Raises RunMismatch, RunDamaged, RunLocked, OutputUnusable.
    """
    require_own(folder)
    lock(folder, stack)
    found = find_run(folder, asked, start, force=force)
    if found is None:
        header = asked.started_from(start.sha256) if start else asked
        begin(folder, header, start)
        return Opened(header, start, (), {}, open_journal(folder, stack, EVALUATIONS_FILE))
    if found.stored != found.header:
        write_header(folder, found.header)
    journal = open_journal(folder, stack, EVALUATIONS_FILE)
    return Opened(found.header, found.start, found.evaluations, found.asks, journal)


@contextmanager
def writing(folder: Path, advice: str) -> Iterator[None]:
    """Turn the operating system's refusals, of writing only, into RunLocked and OutputUnusable."""
    try:
        yield
    except Timeout as error:
        raise RunLocked(f"another process is writing the run in {folder}; wait for it, or choose another") from error
    except OSError as error:
        raise OutputUnusable(f"cannot write the run folder {folder}: {error}; {advice}") from error


def lock(folder: Path, stack: ExitStack) -> None:
    """Create the folder and lock it until `stack` closes; raises RunLocked, OutputUnusable."""
    with writing(folder, "choose another `folder`"):
        folder.mkdir(parents=True, exist_ok=True)
        stack.enter_context(FileLock(folder / LOCK_FILE, timeout=0))


def open_journal(folder: Path, stack: ExitStack, name: str) -> Journal:
    """Open a journal of the run to append to until `stack` closes; raises OutputUnusable."""
    with writing(folder, "choose another `folder`"):
        journal = Journal(folder / name).__enter__()
    stack.callback(close, journal, folder)
    return journal


def close(journal: Journal, folder: Path) -> None:
    """Close the journal, which on a full disk fails as its last append did."""
    with writing(folder, KEPT):
        journal.__exit__(None, None, None)


def begin(folder: Path, header: RunHeader, start: Start | None) -> None:
    """Write a new run into `folder`, which must be empty or hold a run; replaces only a run's files."""
    require_own(folder)
    with writing(folder, "choose another `folder`"):
        for name in (EVALUATIONS_FILE, STOP_FILE, ASKS_FILE, CALL_FILE, TRACKERS_FILE):
            (folder / name).unlink(missing_ok=True)
        if start is not None:
            write_atomically(folder / START_FILE, start.text)
        write_header(folder, header)
        if start is None:
            (folder / START_FILE).unlink(missing_ok=True)


def require_own(folder: Path) -> None:
    """Raise OutputUnusable, before anything is written, unless the folder is absent, empty, or holds a run."""
    try:
        paths = sorted(folder.iterdir())
    except FileNotFoundError:
        return
    except OSError as error:
        raise OutputUnusable(f"cannot write the run folder {folder}: {error}; choose another `folder`") from error
    if (folder / RUN_FILE) in paths:
        if not (has_schema(folder / RUN_FILE, SCHEMA) or is_journal(folder / EVALUATIONS_FILE)):
            raise OutputUnusable(f"{folder / RUN_FILE} is not the description of a run; choose another `folder`")
        return
    own = (f".{START_FILE}.", f".{RUN_FILE}.")  # what a kill left of earlier versions' files
    left = [p for p in paths if p.name.startswith(own) or is_temporary(p.name)]
    others = [p.name for p in paths if not (p in left or is_lock(p) or is_start(p))]
    if others:
        raise OutputUnusable(f"{folder} is not empty and holds no run ({others[0]}); choose another `folder`")


def foreign_in_run(folder: Path) -> str:
    """Say what a folder holds that no run leaves there, or nothing: for whoever would remove all of it."""
    if folder.is_symlink() or not folder.is_dir() or not has_schema(folder / RUN_FILE, SCHEMA):
        return "is no run"
    own = {RUN_FILE, EVALUATIONS_FILE, STOP_FILE, START_FILE, ASKS_FILE, CALL_FILE, TRACKERS_FILE}
    own |= {JOURNAL_FILE, FINAL_FILE, TIMING_FOLDER}
    others = [
        path.name
        for path in sorted(folder.iterdir())
        if path.name not in own and not (is_lock(path) or is_report(path) or is_temporary(path.name))
    ]
    return f"holds {others[0]}, which no run wrote" if others else ""


def is_journal(path: Path) -> bool:
    """Tell whether a file begins as the evaluations of a run, whose description may be damaged."""
    try:
        with open_to_read(path) as file:
            first = json.loads(file.readline(LONGEST_LINE_BYTES))
    except (OSError, ValueError, RecursionError):
        return False
    return isinstance(first, dict) and {"round", "order", "id", "indices", "values"} <= set(first)


def is_lock(path: Path) -> bool:
    """Tell whether a file is the lock of a run, which is empty."""
    return path.name == LOCK_FILE and path.is_file() and path.stat().st_size == 0


def is_report(path: Path) -> bool:
    """Tell whether a file is the report that Gnomon wrote of a run."""
    if path.name != REPORT_FILE or not path.is_file():
        return False
    with open_to_read(path) as file:
        return REPORT_MARK.encode() in file.read(LONGEST_LINE_BYTES)


def write_header(folder: Path, header: RunHeader) -> None:
    """Write or replace the run's description."""
    with writing(folder, "choose another `folder`"):
        write_atomically(folder / RUN_FILE, header.model_dump_json(indent=1, by_alias=True) + "\n")


def kept_reference(folder: Path) -> Mapping[str, float]:
    """Return the references that the run in `folder` was begun with, none where there is no run; raises RunDamaged."""
    return read_header(folder).config.reference if os.path.lexists(folder / RUN_FILE) else {}
