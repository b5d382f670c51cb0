"""Opens and reads files that anybody may have put there: regular files only, up to a size, and waiting for nothing.

A folder, a named pipe or a device in a file's place is refused with an OSError that says so; reading a pipe would wait
for ever, and a device may never end. What is written to is opened without following a link, which could lead anywhere.
"""

from __future__ import annotations

import contextlib
import errno
import os
import shutil
import stat
from pathlib import Path
from typing import TYPE_CHECKING, BinaryIO, Union

from ..temporary import replacing

if TYPE_CHECKING:
    PathLike = Union[str, "os.PathLike[str]"]

LARGEST_BYTES = 1 << 30  # of a file of text; the profile of 100,000 layers has 40 MB
FLAGS = getattr(os, "O_NONBLOCK", 0) | getattr(os, "O_CLOEXEC", 0) | getattr(os, "O_BINARY", 0)
NO_FOLLOW = getattr(os, "O_NOFOLLOW", 0)
KINDS = (
    (stat.S_ISLNK, "a link"),
    (stat.S_ISDIR, "a folder"),
    (stat.S_ISFIFO, "a named pipe"),
    (stat.S_ISSOCK, "a socket"),
)


def open_to_write(path: PathLike) -> BinaryIO:
    """Open a file to append to and to read, creating it where it is absent; raises OSError, also for a link."""
    with contextlib.suppress(FileNotFoundError):
        _refuse_special(Path(path).lstat(), path)
    descriptor = os.open(str(path), os.O_RDWR | os.O_APPEND | os.O_CREAT | NO_FOLLOW | FLAGS, 0o666)
    return _regular(descriptor, path, "a+b")


def open_own_to_write(path: PathLike) -> BinaryIO:
    """Open a file as `open_to_write`, with a content of its own where it has several names.

    Backups of hard links are such: the other names keep what they have.
    """
    file = open_to_write(path)
    if os.fstat(file.fileno()).st_nlink < 2:
        return file
    with file, replacing(path) as own:
        file.seek(0)
        shutil.copyfileobj(file, own)
    return open_to_write(path)


def open_to_read(path: PathLike) -> BinaryIO:
    """Open a file to read, through links; raises OSError."""
    _refuse_special(Path(path).stat(), path)
    return _regular(os.open(str(path), os.O_RDONLY | FLAGS), path, "rb")


def read_file(path: PathLike, *, largest_bytes: int = LARGEST_BYTES) -> bytes:
    """Return the content of a file; raises OSError, also for one that is no regular file or larger than that."""
    with open_to_read(path) as file:
        content = file.read(largest_bytes + 1)
    if len(content) > largest_bytes:
        raise OSError(errno.EFBIG, f"is larger than the {largest_bytes} bytes that are read of such a file", str(path))
    return content


def read_text_file(path: PathLike, *, largest_bytes: int = LARGEST_BYTES) -> str:
    """Return the content of a file of UTF-8 text; raises OSError as `read_file` does, and UnicodeDecodeError."""
    return read_file(path, largest_bytes=largest_bytes).decode("utf-8")


def has_schema(path: PathLike, *schemas: str, head_bytes: int = 1 << 20) -> bool:
    """Tell whether a regular file, and no link, begins as JSON that names one of the schemas, whole or damaged."""
    try:
        _refuse_special(Path(path).lstat(), path)
        with open_to_read(path) as file:
            head = file.read(head_bytes).lstrip()
    except OSError:
        return False
    compact = head.replace(b'": "', b'":"')
    return head[:1] == b"{" and any(f'"schema":"{schema}"'.encode() in compact for schema in schemas)


def _regular(descriptor: int, path: PathLike, mode: str) -> BinaryIO:
    """Return an open descriptor as a file; what was looked at before may have been replaced since."""
    try:
        _refuse_special(os.fstat(descriptor), path)
    except BaseException:
        os.close(descriptor)
        raise
    return os.fdopen(descriptor, mode)  # type: ignore[return-value]


def _refuse_special(found: os.stat_result, path: PathLike) -> None:
    if not stat.S_ISREG(found.st_mode):
        noun = next((noun for is_kind, noun in KINDS if is_kind(found.st_mode)), "a device")
        number = errno.EISDIR if noun == "a folder" else errno.ELOOP if noun == "a link" else errno.EINVAL
        raise OSError(number, f"is {noun}, and a regular file was expected", str(path))
