"""The one door to temporary folders and files: held while they are in use, removed after, and by others after a kill.

Whoever makes one first removes what killed processes left where it is made: what has a name that only this file gives,
belongs to the same user, and is held by no live process, as the operating system's lock on it tells. On a file system
without such locks nothing of others is removed. It is carried to devices: Python 3.8 syntax, and no import of Gnomon's.
"""

from __future__ import annotations

import contextlib
import errno
import os
import re
import secrets
import shutil
import stat
import tempfile
import zlib
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import IO, TYPE_CHECKING, Any

if TYPE_CHECKING:
    PathLike = str | os.PathLike[str]

fcntl: Any
try:
    import fcntl
except ModuleNotFoundError:  # of systems other than POSIX
    fcntl = None

NAME = re.compile(r".+\.[0-9a-f]{8}\.gnomon", re.DOTALL)
MOST_NAME_BYTES = 100  # of the name that a temporary one begins with; a file system takes 255 in all
ATTEMPTS = 100
NO_LOCKS = (errno.ENOSYS, errno.ENOTSUP, errno.EINVAL, errno.ENOLCK, errno.EBADF)  # as file systems say it


@contextlib.contextmanager
def temporary_folder(beside: PathLike | None = None) -> Iterator[Path]:
    """Yield an empty folder that is removed at the end: in the folder for temporary files, or beside a path.

    Only this user may look into it. Raises OSError where it cannot be made.
    """
    parent = Path(tempfile.gettempdir()) if beside is None else Path(beside).parent
    sweep(parent)
    with _made(parent, "gnomon" if beside is None else _hidden(beside), _new_folder) as folder:
        yield folder


@contextlib.contextmanager
def replacing(path: PathLike) -> Iterator[IO[bytes]]:
    """Yield a file to write to; when the block ends well it is at ``path``, whole and on the disk, and else nowhere.

    Its permissions are those of a new file. Raises OSError.
    """
    path = Path(path)
    sweep(path.parent)
    with _made(path.parent, _hidden(path), _new_file) as fresh:
        with fresh.open("wb") as file:
            yield file
            file.flush()
            os.fsync(file.fileno())
        fresh.replace(path)
    sync(path.parent)


def sweep(folder: PathLike, is_spent: Callable[[Path], bool] = lambda left: not os.path.lexists(left / "old")) -> None:
    """Remove what killed processes left in a folder, as far as ``is_spent`` says that it may go; never raises OSError.

    A folder that holds the one that it replaces (``outputs.py``) is left to whoever writes there again.
    """
    if fcntl is None:
        return
    with contextlib.suppress(OSError):
        for left in [one for one in Path(folder).iterdir() if is_temporary(one.name)]:
            with contextlib.suppress(OSError), held(left) as is_held:  # in use, gone, or not ours to remove
                if is_held and left.lstat().st_uid == os.geteuid() and is_spent(left):
                    _remove(left)


def left_beside(path: Path) -> list[Path]:
    """Return what is, or was left, beside a path to become it, by `temporary_folder` or `replacing`; raises OSError."""
    begins, length = _hidden(path), len(".01234567.gnomon")
    names = sorted(one.name for one in path.parent.iterdir() if is_temporary(one.name))
    return [path.with_name(name) for name in names if name[:-length] == begins]


def discard(folder: Path) -> None:
    """Remove a folder at once, as others see it; what a kill leaves of it then is swept up. Raises OSError."""
    with temporary_folder(beside=folder) as beside:
        folder.rename(beside / folder.name)


def is_temporary(name: str) -> bool:
    """Tell whether a name is one that only this file gives."""
    return NAME.fullmatch(name) is not None


@contextlib.contextmanager
def held(path: Path) -> Iterator[bool]:
    """Hold a file or folder, or tell by False that nothing there can be held.

    Raises OSError where another process holds it, and where it is gone, a link, or nothing of the two kinds.
    """
    if fcntl is None:
        yield False
        return
    descriptor = os.open(path, os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK | os.O_CLOEXEC)
    try:
        found = os.fstat(descriptor)
        if not (stat.S_ISDIR(found.st_mode) or stat.S_ISREG(found.st_mode)):
            raise OSError(errno.EINVAL, os.strerror(errno.EINVAL), str(path))
        try:
            fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
            is_held = True
        except OSError as error:
            if error.errno not in NO_LOCKS:
                raise
            is_held = False
        if not os.path.samestat(found, path.lstat()):
            raise FileNotFoundError(errno.ENOENT, os.strerror(errno.ENOENT), str(path))
        yield is_held
    finally:
        os.close(descriptor)


def sync(path: PathLike) -> None:
    """Wait until a file, or a folder's list of names, is on the disk."""
    if os.name == "nt":
        return  # it opens no folder, and no file read-only, for that
    descriptor = os.open(path, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)


@contextlib.contextmanager
def _made(parent: Path, begins: str, make: Callable[[Path], None]) -> Iterator[Path]:
    """Yield what ``make`` makes under a new name, held from the first moment on, and remove it at the end."""
    with contextlib.ExitStack() as stack:
        for attempt in range(ATTEMPTS):
            place = parent / f"{begins}.{secrets.token_hex(4)}.gnomon"
            try:
                make(place)
                stack.enter_context(held(place))
                break
            except (FileExistsError, FileNotFoundError, BlockingIOError):  # one there, or somebody swept it up just now
                if attempt == ATTEMPTS - 1 or not parent.is_dir():
                    raise
        try:
            yield place
        finally:
            _remove(place)


def _hidden(path: PathLike) -> str:
    """Return the hidden name that something beside a path begins with; a long one keeps its beginning and a checksum.

    Names are bytes to the file system, and letters may take four.
    """
    name = Path(path).name
    content = os.fsencode(name)
    if len(content) > MOST_NAME_BYTES:
        name = f"{content[:MOST_NAME_BYTES].decode('utf-8', errors='ignore')}~{zlib.crc32(content):08x}"
    return f".{name}"


def _new_folder(place: Path) -> None:
    place.mkdir(mode=0o700)


def _new_file(place: Path) -> None:
    place.open("xb").close()


def _remove(place: Path) -> None:
    """Remove a file or a folder; what cannot be removed is left to the next who comes by."""
    with contextlib.suppress(OSError):
        if place.is_dir() and not place.is_symlink():
            shutil.rmtree(str(place), ignore_errors=True)
        else:
            place.unlink()
