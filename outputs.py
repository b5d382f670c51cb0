"""The one door by which files and folders appear where a user wants them: it replaces only what Gnomon wrote.

What is to appear is written beside its place and renamed into it. Nothing is replaced unless asked, also not what
appeared meanwhile; when asked, only what its kind recognises by its content, and anything else is refused in one line.
A process killed at any moment leaves the old or the new, whole. Whatever is in the way, or keeps the operating system
from writing, is one error: OutputUnusable. This file imports no package of Gnomon's, so all may import it.
"""

from __future__ import annotations

import ctypes
import errno
import os
import stat
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from .errors import GnomonError
from .inputs import fault_of_folder
from .temporary import left_beside, sweep, sync, temporary_folder

AT_FDCWD, RENAME_EXCHANGE = -100, 2  # of Linux
RENAME_SWAP = 2  # of macOS
OLD = "old"  # a replaced folder, beside what replaces it


class OutputUnusable(GnomonError):
    """An output is there already, is nothing that Gnomon wrote, or cannot be written."""


@dataclass(frozen=True, slots=True)
class Kind:
    """What Gnomon writes: a `noun` with its article, and `fault`, which says why a path is no such thing, or "".

    `fault` begins as a predicate: "holds thesis.txt, which no export has". `option` is how a place is chosen.
    """

    noun: str
    fault: Callable[[Path], str]
    option: str = "`out`"


def file_kind(noun: str, is_one: Callable[[Path], bool], *, option: str = "`out`") -> Kind:
    """Return the kind of regular files, and no links to them, that `is_one` recognises; it may raise OSError."""

    def fault(path: Path) -> str:
        try:
            recognised = stat.S_ISREG(path.lstat().st_mode) and is_one(path)
        except OSError:
            recognised = False
        return "" if recognised else f"is not {noun} that Gnomon wrote"

    return Kind(noun, fault, option)


def require_free(path: Path, kind: Kind, *, force: bool) -> None:
    """Raise OutputUnusable unless nothing is at `path`, or `force` may replace what is there.

    What a process left beside it that was killed when it had put it there is removed: nobody may write there again.
    """
    if not os.path.lexists(path):
        return
    sweep(path.parent)
    fault = kind.fault(path)
    if fault:
        raise OutputUnusable(
            f"{path} {fault}, so it is not replaced; choose another {kind.option}, or move it away"
            if force
            else f"{path} is there already, and {fault}; choose another {kind.option}"
        )
    if not force:
        raise OutputUnusable(f"{path} is there already; choose another {kind.option}, or replace it with `force=True`")


def require_place(path: Path, kind: Kind, *, force: bool) -> None:
    """Raise OutputUnusable where `appearing` would at once, without writing anything."""
    require_free(path, kind, force=force)
    require_writable(path, kind.option)


def require_writable(path: Path, option: str = "`out`") -> None:
    """Raise OutputUnusable unless something could be created at `path`, with the folders that are missing."""
    parent = path.absolute().parent
    while not os.path.lexists(parent):
        parent = parent.parent
    fault = fault_of_folder(parent)
    if not fault and not os.access(parent, os.W_OK | os.X_OK):
        fault = "may not be written to"
    if fault:
        raise OutputUnusable(f"cannot write {path}: {parent} {fault}; choose another {option}")


@contextmanager
def appearing(path: Path, kind: Kind, *, force: bool) -> Iterator[Path]:
    """Yield a free path of the same name to write a file or folder at; when the block ends well it is at `path`.

    Raises OutputUnusable for what is in the way, before and after the block, and for an OSError, also of the block.
    """
    try:
        restore(path, kind)
        sweep(path.parent)
        sweep(path.parent, lambda left: left in left_beside(path) and not kind.fault(left / OLD))
        require_free(path, kind, force=force)
        path.parent.mkdir(parents=True, exist_ok=True)
        with temporary_folder(beside=path) as beside:
            fresh = beside / path.name
            yield fresh
            for part in (*(fresh.iterdir() if fresh.is_dir() else ()), fresh):
                sync(part)
            if not os.path.lexists(path):
                place_new(fresh, path, kind)
            else:
                require_free(path, kind, force=force)
                replace(fresh, path, kind)
        sync(path.parent)
    except OSError as error:
        raise OutputUnusable(f"cannot write {path}: {error}; choose another {kind.option}") from error


def place_new(fresh: Path, path: Path, kind: Kind) -> None:
    """Move what was written to `path`, where nothing is; what appeared there in the last moment stays."""
    try:
        if fresh.is_dir():
            fresh.rename(path)  # onto another folder only if that is empty
            return
        try:
            os.link(fresh, path)
        except OSError as error:
            if error.errno not in (errno.EPERM, errno.ENOTSUP, errno.ENOSYS, errno.EMLINK, errno.EACCES):
                raise
            if os.path.lexists(path):  # a file system without links cannot do both at once
                raise FileExistsError(errno.EEXIST, "File exists", str(path)) from error
            fresh.rename(path)
    except OSError as error:
        if error.errno not in (errno.EEXIST, errno.ENOTEMPTY, errno.ENOTDIR, errno.EISDIR):
            raise
        said = f"{path} appeared meanwhile and was left as it is; choose another {kind.option}"
        raise OutputUnusable(said) from error


def replace(fresh: Path, path: Path, kind: Kind) -> None:
    """Put what was written in the place of what is at `path`, which then lies beside and is looked at once more."""
    old = fresh
    if not exchange(fresh, path):
        if not fresh.is_dir():
            fresh.replace(path)
            return
        old = fresh.with_name(OLD)
        try:
            path.rename(old)  # killed after this, the next call restores it
            fresh.rename(path)
        except BaseException:
            if old.exists() and not os.path.lexists(path):
                old.rename(path)
            raise
    if fault := kind.fault(old):  # somebody wrote into it in the last moment
        if old == fresh:
            exchange(old, path)
        else:
            path.rename(fresh)
            old.rename(path)
        raise OutputUnusable(f"{path} {fault}, so it is not replaced; choose another {kind.option}, or move it away")


def restore(path: Path, kind: Kind) -> None:
    """Bring back a folder whose replacement was killed between two renames, where they cannot be one."""
    if os.path.lexists(path) or not path.parent.is_dir():
        return
    for left in left_beside(path):
        old = left / OLD
        if old.is_dir() and not kind.fault(old):
            old.rename(path)
            return


def exchange(first: Path, second: Path) -> bool:
    """Let two files or folders change places at once; False where the system cannot."""
    library: Any = ctypes.CDLL(None, use_errno=True) if os.name == "posix" else None
    names = os.fsencode(first), os.fsencode(second)
    if sys.platform == "linux" and hasattr(library, "renameat2"):
        failed = library.renameat2(AT_FDCWD, names[0], AT_FDCWD, names[1], RENAME_EXCHANGE)
    elif sys.platform == "darwin" and hasattr(library, "renamex_np"):
        failed = library.renamex_np(*names, RENAME_SWAP)
    else:
        return False
    if not failed:
        return True
    number = ctypes.get_errno()
    if number in (errno.EINVAL, errno.ENOSYS, errno.ENOTSUP, errno.EXDEV):  # of a file system that cannot
        return False
    raise OSError(number, os.strerror(number), str(second))
