"""Crash-safe JSON Lines, and files that appear whole or not at all.

A journal only grows: one JSON object a line, flushed and synced before `Journal.append` returns. A process killed
while writing leaves at most one torn last line, which lacks its newline; readers drop it with a warning, and the next
writer cuts it off. Anything wrong in a line that has one is not an accident of writing, and is an error that names the
line. No journal is ever opened for overwriting, nor through a link.

A line ends with a checksum (`crc32`) of all that stands before it, so an altered byte is found wherever it is. Files
that an older Gnomon began have lines without one, but none after the first that has one.
"""

from __future__ import annotations

import json
import os
import warnings
import zlib
from pathlib import Path
from typing import TYPE_CHECKING, Any, BinaryIO, Dict, Iterable, List, Mapping, Optional, Tuple, Union

from ..temporary import replacing, sync
from .errors import JournalDamaged
from .files import open_own_to_write, read_file

if TYPE_CHECKING:
    from types import TracebackType

    PathLike = Union[str, "os.PathLike[str]"]

Record = Dict[str, Any]

CHECKSUM = "crc32"
_CHECKSUM_BYTES = len(b',"crc32":"01234567"}')


class TornLine(UserWarning):
    """The last line of a journal is torn, as by a kill while it was written, and was dropped."""


def warn_torn(said: Iterable[str]) -> None:
    """Warn of torn lines; the command line shows such warnings on stderr."""
    for text in said:
        warnings.warn(TornLine(text), stacklevel=3)


def value_from_json(text: Union[str, bytes]) -> Any:
    """Return the value of JSON text that anybody may have written.

    Raises ValueError for what is no JSON, NaN and infinity too, and for what is nested too deeply to be read.
    """
    try:
        return json.loads(text.decode("utf-8") if isinstance(text, bytes) else text, parse_constant=_refuse_constant)
    except RecursionError:
        raise ValueError("it is nested too deeply") from None


def json_line(record: Mapping[str, Any]) -> str:
    """Return ``record`` as one canonical line: compact, keys sorted, no newline; NaN and infinity are a ValueError."""
    return json.dumps(record, sort_keys=True, separators=(",", ":"), ensure_ascii=False, allow_nan=False)


def checked_line(record: Mapping[str, Any]) -> bytes:
    """Return ``record`` as the line of a journal, its checksum last, without a newline; raises as `json_line`."""
    if not record or CHECKSUM in record:
        raise ValueError(f"a record of a journal needs fields, and none of the name {CHECKSUM}; found {list(record)}")
    return with_checksum(json_line(record).encode("utf-8"))


def with_checksum(line: bytes) -> bytes:
    """Return the line of a journal that has no checksum with one."""
    body = line[:-1]
    return body + f',"{CHECKSUM}":"{zlib.crc32(body):08x}"}}'.encode()


class Journal:
    """An open journal to append records to; use it as a context manager.

    Opening creates a missing file, and cuts a torn last line off an existing one; ``warnings`` then says so. Raises
    OSError for a link, and for anything but a regular file.
    """

    def __init__(self, path: PathLike) -> None:
        self.path = Path(path)
        self.warnings: Tuple[str, ...] = ()
        self._file: Optional[BinaryIO] = None

    def __enter__(self) -> Journal:
        is_new = not self.path.exists()
        self._file = open_own_to_write(self.path)
        if is_new:
            sync(self.path.parent)
        else:
            self.warnings = cut_torn_tail(self.path, self._file)
        return self

    def __exit__(
        self,
        kind: Optional[type[BaseException]],
        error: Optional[BaseException],
        traceback: Optional[TracebackType],
    ) -> None:
        if self._file is not None:
            self._file.close()
            self._file = None

    def append(self, record: Mapping[str, Any], *, sync: bool = True) -> None:
        """Write ``record`` as one line that survives this process.

        ``sync=False`` skips the wait for the disk: the line then survives a crash of the process but perhaps not a
        power cut. Raises ValueError for NaN and infinity, before anything is written.
        """
        if self._file is None:
            raise ValueError(f"The journal {self.path} is not open; use it as `with Journal(path) as journal:`")
        self._file.write(checked_line(record) + b"\n")
        self._file.flush()
        if sync:
            os.fsync(self._file.fileno())


def read_journal(path: PathLike) -> Tuple[List[Record], Tuple[str, ...]]:
    """Return the records of a journal and warnings about a torn last line, which is dropped.

    Raises `JournalDamaged` (with ``path`` and ``line_number``) for a bad line that ends in a newline, the last one too,
    and OSError for what is no regular file.
    """
    lines, said = whole_lines(path, read_file(path))
    records, is_checked = [], False
    for number, line in enumerate(lines, start=1):
        record = record_from_line(path, number, line)
        is_checked = _is_intact(path, number, line, record, required=is_checked)
        record.pop(CHECKSUM, None)
        records.append(record)
    return records, said


def whole_lines(path: PathLike, content: bytes) -> Tuple[List[bytes], Tuple[str, ...]]:
    """Return the lines of a journal's content without their newlines, and warnings about a torn one, left out."""
    lines, torn = _split(content)
    return lines, ((_torn_warning(path, len(lines) + 1, len(torn)),) if torn else ())


def write_atomically(path: PathLike, content: Union[str, bytes]) -> None:
    """Put ``content`` at ``path`` so that a reader sees the old file or the new one, never a part; raises OSError."""
    with replacing(path) as file:
        file.write(content.encode("utf-8") if isinstance(content, str) else content)


def cut_torn_tail(path: Path, file: BinaryIO) -> Tuple[str, ...]:
    """Cut off what follows the last newline, and warn of it; reads no more of a whole file than its last byte."""
    size = file.seek(0, os.SEEK_END)
    file.seek(max(0, size - 1))
    if file.read(1) in (b"", b"\n"):
        return ()
    file.seek(0)
    lines, torn = _split(file.read())
    file.truncate(size - len(torn))
    os.fsync(file.fileno())
    return (_torn_warning(path, len(lines) + 1, len(torn)),)


def _split(data: bytes) -> Tuple[List[bytes], bytes]:
    """Split into whole lines (without their newline) and the torn rest, which is what follows the last newline.

    It is torn even when it happens to parse: half of a number is a number. A line and its newline are written at once.
    """
    lines = data.split(b"\n")
    torn = lines.pop()
    return lines, torn


def record_from_line(path: PathLike, number: int, line: bytes) -> Record:
    """Return the record of a journal's line; raises `JournalDamaged` with its number, from 1."""
    record = _object(line)
    if record is None:
        raise JournalDamaged(
            f"{path}, line {number}: expected one JSON object, found {line[:60]!r}. The file was damaged or edited; "
            f"restore it, or remove that line to give up its record",
            path=str(path),
            line_number=number,
        )
    return record


def _is_intact(path: PathLike, number: int, line: bytes, record: Record, *, required: bool) -> bool:
    """Tell whether a line has a checksum; raises `JournalDamaged` for a wrong one, and for none where `required`."""
    if CHECKSUM not in record and not required:
        return False
    without_checksum(path, number, line)
    return True


def has_checksum(line: bytes) -> bool:
    """Tell whether a line ends as one that has a checksum."""
    return line[-_CHECKSUM_BYTES:].startswith(f',"{CHECKSUM}":"'.encode())


def without_checksum(path: PathLike, number: int, line: bytes) -> bytes:
    """Return a line as it was before it had its checksum; raises `JournalDamaged` for a wrong one, and for none."""
    body = line[:-_CHECKSUM_BYTES]
    if line != body + f',"{CHECKSUM}":"{zlib.crc32(body):08x}"}}'.encode():
        raise JournalDamaged(
            f"{path}, line {number}: it is not what was written, as its checksum says. The file was damaged or edited; "
            f"restore it, or remove that line to give up its record",
            path=str(path),
            line_number=number,
        )
    return body + b"}"


def _object(line: bytes) -> Optional[Record]:
    try:
        value = value_from_json(line)
    except ValueError:
        return None
    return value if isinstance(value, dict) else None


def _refuse_constant(name: str) -> None:
    raise ValueError(f"{name} is not JSON")


def _torn_warning(path: PathLike, number: int, size_bytes: int) -> str:
    return f"{path}, line {number}: dropped a torn last line of {size_bytes} bytes (the writer was interrupted)"
