"""The one door by which files and folders appear where a user wants them: it replaces only what Gnomon wrote.

What is to appear is written beside its place and renamed into it. Nothing is replaced unless asked, also not what
appeared meanwhile; when asked, only what its kind recognises by its content, and anything else is refused in one line.
A process killed at any moment leaves the old or the new, whole. Whatever is in the way, or keeps the operating system
from writing, is one error: OutputUnusable. This file imports no package of Gnomon's, so all may import it.
"""

from __future__ import annotations

import ctypes
import errno
import glob
import os
import shutil
import stat
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from .errors import GnomonError

fcntl: Any
try:
    import fcntl
except ModuleNotFoundError:  # of systems other than POSIX
    fcntl = None

AT_FDCWD, RENAME_EXCHANGE = -100, 2  # of Linux
RENAME_SWAP = 2  # of macOS
OLD, OURS = "old", ".gnomon"  # a replaced folder; the end of the names of folders that things are written in
SETTLED_S = 60.0  # a folder younger than this may be about to be held


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
    """Raise OutputUnusable unless nothing is at `path`, or `force` may replace what is there."""
    if not os.path.lexists(path):
        return
    fault = kind.fault(path)
    if fault:
        raise OutputUnusable(
            f"{path} {fault}, so it is not replaced; choose another {kind.option}, or move it away"
            if force
            else f"{path} is there already, and {fault}; choose another {kind.option}"
        )
    if not force:
        raise OutputUnusable(f"{path} is there already; choose another {kind.option}, or replace it with `force=True`")


@contextmanager
def appearing(path: Path, kind: Kind, *, force: bool) -> Iterator[Path]:
    """Yield a free path of the same name to write a file or folder at; when the block ends well it is at `path`.

    Raises OutputUnusable for what is in the way, before and after the block, and for an OSError, also of the block.
    """
    try:
        restore(path, kind)
        sweep(path, kind)
        require_free(path, kind, force=force)
        path.parent.mkdir(parents=True, exist_ok=True)
        begins = f".{path.name[:100]}."
        with tempfile.TemporaryDirectory(dir=path.parent, prefix=begins, suffix=OURS) as beside, held(Path(beside)):
            fresh = Path(beside) / path.name
            yield fresh
            for part in (*(fresh.iterdir() if fresh.is_dir() else ()), fresh):
                synced(part)
            if not os.path.lexists(path):
                place_new(fresh, path, kind)
            else:
                require_free(path, kind, force=force)
                replace(fresh, path, kind)
        synced(path.parent)
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
    for old in sorted(path.parent.glob(f".{glob.escape(path.name[:100])}.*/{OLD}")):
        if old.is_dir() and not kind.fault(old):
            old.rename(path)
            return


def sweep(path: Path, kind: Kind) -> None:
    """Remove what killed processes left beside `path` of what they were writing, and nothing that is not theirs."""
    if fcntl is None or not path.parent.is_dir():
        return
    for beside in path.parent.glob(f".{glob.escape(path.name[:100])}.*{OURS}"):
        try:
            age_s = time.time() - beside.lstat().st_mtime
            names = {one.name for one in beside.iterdir()}
            if age_s < SETTLED_S or not names <= {path.name, OLD} or (OLD in names and kind.fault(beside / OLD)):
                continue
            with held(beside):
                shutil.rmtree(beside)
        except OSError:  # in use, or not ours to remove
            continue


@contextmanager
def held(folder: Path) -> Iterator[None]:
    """Hold a folder that something is written in, so that nobody takes it for a dead process's; raises OSError."""
    if fcntl is None:
        yield
        return
    descriptor = os.open(folder, os.O_RDONLY | os.O_DIRECTORY | os.O_NOFOLLOW)
    try:
        with suppress_unsupported():
            fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
        yield
    finally:
        os.close(descriptor)


@contextmanager
def suppress_unsupported() -> Iterator[None]:
    """Let a file system pass that knows no locks."""
    try:
        yield
    except OSError as error:
        if error.errno not in (errno.ENOSYS, errno.ENOTSUP, errno.EINVAL, errno.ENOLCK):
            raise


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


def synced(path: Path) -> None:
    """Wait until a file or a folder's list of names is on the disk."""
    if os.name == "nt":
        return  # it opens no folder, and no file read-only, for that
    descriptor = os.open(path, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)
