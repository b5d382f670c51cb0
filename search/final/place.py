"""Where a final front lies in the folder of its run: opened by one process at a time, and what is there recognised."""

from __future__ import annotations

import os
from collections.abc import Iterator
from contextlib import contextmanager, nullcontext
from pathlib import Path

from filelock import FileLock, Timeout

from ...outputs import OutputUnusable, file_kind, require_free, require_writable
from ...profilers.files import has_schema
from ...profilers.journal import Journal
from ...supernets.space.space import SearchSpace
from ...temporary import discard
from ..errors import RunLocked
from ..runs.files.folder import LOCK_FILE
from ..runs.files.records import FINAL_FILE, JOURNAL_FILE, TIMING_FOLDER
from .records import SCHEMA, FinalHeader, Record, read_final_journal, require_architectures, require_same_final

FINAL = file_kind("a final front", lambda path: has_schema(path, SCHEMA))


def require_place(folder: Path, header: FinalHeader, space: SearchSpace, *, force: bool) -> None:
    """Raise what opening the final front raises where another one, or another process, is in the way; writes nothing.

    That is RunMismatch, RunDamaged, RunLocked and OutputUnusable.
    """
    require_writable(folder / JOURNAL_FILE, "run")
    with running(folder) if os.path.lexists(folder / LOCK_FILE) else nullcontext():
        if force:
            for name in (JOURNAL_FILE, FINAL_FILE):
                require_free(folder / name, FINAL, force=True)
        else:
            recorded(folder, header, space)


def recorded(folder: Path, header: FinalHeader, space: SearchSpace) -> tuple[Record, ...]:
    """Return what is there of this very final front; raises RunMismatch, RunDamaged."""
    records = read_final_journal(folder)
    if records and isinstance(records[0], FinalHeader):
        require_same_final(folder, records[0], header)
    require_architectures(records, space.name, folder / JOURNAL_FILE)
    return records


@contextmanager
def opened(
    folder: Path, header: FinalHeader, space: SearchSpace, *, force: bool
) -> Iterator[tuple[Journal, tuple[Record, ...]]]:
    """Open the final front's journal under the run's lock, and return what it holds of this very final front."""
    with running(folder):
        if force:
            for name in (JOURNAL_FILE, FINAL_FILE):
                require_free(folder / name, FINAL, force=True)
                (folder / name).unlink(missing_ok=True)
            if (folder / TIMING_FOLDER).is_dir():
                discard(folder / TIMING_FOLDER)
        records = recorded(folder, header, space)
        with Journal(folder / JOURNAL_FILE) as journal:
            yield journal, records


@contextmanager
def running(folder: Path) -> Iterator[None]:
    """Hold the lock of a run; raises RunLocked, and OutputUnusable for an OSError of the block."""
    try:
        with FileLock(folder / LOCK_FILE, timeout=0):
            yield
    except Timeout as error:
        raise RunLocked(f"another process is writing the run in {folder}; wait for it, or choose another") from error
    except OSError as error:
        raise OutputUnusable(
            f"cannot write the final front into {folder}: {error}; what was measured is kept"
        ) from error
