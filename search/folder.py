"""The run folder on disk: who may write it, and what it already holds."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from filelock import FileLock, Timeout

from ..profilers.journal import write_atomically
from .errors import OutputUnusable, RunDamaged, RunLocked, RunMismatch
from .records import EVALUATIONS_FILE, HEADER_FILE, RunHeader, read_header

LOCK_FILE = "run.lock"  # stays behind: removing it would let two processes hold "the" lock at once


@contextmanager
def writing(folder: Path) -> Iterator[None]:
    """Turn an error of the operating system while writing the folder into OutputUnusable."""
    try:
        yield
    except OSError as error:
        raise OutputUnusable(
            f"cannot write the run folder {folder}: {error.strerror or error}; choose another with --output, or free "
            "it and run the same command again to resume"
        ) from error


@contextmanager
def held(folder: Path) -> Iterator[None]:
    """Create the folder if needed and hold its lock; raises RunLocked, OutputUnusable."""
    lock = FileLock(folder / LOCK_FILE)
    with writing(folder):
        folder.mkdir(parents=True, exist_ok=True)
        try:
            lock.acquire(timeout=0)
        except Timeout as error:
            raise RunLocked(
                f"another process is writing {folder}; wait for it, or search into another folder"
            ) from error
    try:
        yield
    finally:
        lock.release()


def existing_header(folder: Path, wanted: RunHeader) -> RunHeader | None:
    """Return the header of the run that `folder` holds, None where it holds none.

    Raises RunMismatch, naming the fields, when it is not the `wanted` run.
    """
    if not (folder / HEADER_FILE).exists():
        if (folder / EVALUATIONS_FILE).exists():
            raise RunDamaged(
                f"{folder} has {EVALUATIONS_FILE} but no {HEADER_FILE}; restore it, choose another folder, or discard "
                "the evaluations with --force",
                path=folder / HEADER_FILE,
            )
        return None
    stored = read_header(folder)
    before, now = decisive_fields(stored), decisive_fields(wanted)
    fields = [name for name in {**before, **now} if before.get(name) != now.get(name)]
    if fields:
        differences = ", ".join(f"{name} ({before.get(name)!r} there, {now.get(name)!r} now)" for name in fields)
        raise RunMismatch(
            f"{folder} holds another run; it differs in {differences}. Choose another folder, or discard that run "
            "with --force",
            fields=fields,
        )
    return stored


def decisive_fields(header: RunHeader) -> dict[str, Any]:
    """Return what makes two headers the same run, flat, by name."""
    content: Mapping[str, Any] = header.model_dump(mode="json")
    flat = {**content["config"], "space_digest": content["space_digest"], "measured": content["objectives"]}
    return flat | {f"provenance.{name}": value for name, value in content["provenance"].items()}


def start_folder(folder: Path, header: RunHeader) -> None:
    """Write the header of a new run; evaluations of an earlier one go first, so that no two runs ever mix."""
    with writing(folder):
        (folder / EVALUATIONS_FILE).unlink(missing_ok=True)
        write_atomically(folder / HEADER_FILE, header.to_json())
