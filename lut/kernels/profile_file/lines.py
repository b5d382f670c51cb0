"""The lines of a kernel profile as records: each is validated, and agrees with itself and with those it names."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from pydantic import TypeAdapter, ValidationError

from ....profilers.errors import JournalDamaged
from ....profilers.files import read_file
from ....profilers.journal import has_checksum, record_from_line, whole_lines, without_checksum
from ...errors import ProfileDamaged
from ...profile_file.lines import require_fitting
from ...profile_file.schema import AnchorRecord, FailureRecord
from ...record import Record
from .records import (
    FIRST_WITH_CHECKSUMS,
    READABLE_VERSIONS,
    SCHEMA,
    AnyKernelRecord,
    CallRecord,
    KernelRecord,
    ModelRecord,
    SourceRecord,
)

ADAPTER: TypeAdapter[Record] = TypeAdapter(AnyKernelRecord)
CALL = "call"  # the key, in plans, of the model that does next to nothing
MODEL = "model:"  # begins the key, in plans, of a whole model


def digest_of(key: str) -> str:
    """Return the short name of a kernel's key, by which plans and models refer to it."""
    return hashlib.sha256(key.encode("utf-8")).hexdigest()[:24]


def read_records(path: Path) -> list[Record]:
    """Return the records of a file; raises ProfileDamaged, which names the line where one is wrong."""
    try:
        lines, torn = whole_lines(path, read_file(path))
        if torn:
            raise ProfileDamaged(f"{torn[0]}. A finished profile has no torn line: copy it again, or profile again")
        is_checked = bool(lines) and has_checksum(lines[0])
        if is_checked:
            lines = [without_checksum(path, number, line) for number, line in enumerate(lines, 1)]
        content = [record_from_line(path, number, line) for number, line in enumerate(lines, 1)]
        if require_readable(path, content[0] if content else {}) >= FIRST_WITH_CHECKSUMS and not is_checked:
            without_checksum(path, 1, lines[0])
    except OSError as error:
        raise ProfileDamaged(f"cannot read {path}: {error}") from error
    except JournalDamaged as error:
        raise ProfileDamaged(str(error), line_number=error.line_number) from error
    records = [validated(path, number, line) for number, line in enumerate(content, 1)]
    require_distinct(path, records)
    require_known_calls(path, records)
    return records


def require_readable(path: Path, header: Mapping[str, Any]) -> int:
    """Return the version of a file with this first line; raises ProfileDamaged for another file and unknown ones."""
    if header.get("schema") != SCHEMA:
        raise ProfileDamaged(
            f"{path} holds {header.get('schema', 'no schema')!r}; a model's latency takes a kernel profile ({SCHEMA}). "
            f"Measure one: gnomon profile --kernels --out laptop.kernels.jsonl",
            line_number=1,
        )
    version = header.get("version")
    if not isinstance(version, int) or version not in READABLE_VERSIONS:
        known = ", ".join(map(str, READABLE_VERSIONS))
        raise ProfileDamaged(f"{path} has version {version!r}; this Gnomon reads {known}", line_number=1)
    return version


def validated(path: Path, number: int, line: Mapping[str, Any]) -> Record:
    """Return a line as its record; raises ProfileDamaged, naming line and field."""
    try:
        record = ADAPTER.validate_python(line)
    except ValidationError as error:
        first = error.errors()[0]
        where = ".".join(str(part) for part in first["loc"])
        raise ProfileDamaged(f"{path}, line {number}: {where}: {first['msg']}", line_number=number) from error
    if isinstance(record, (CallRecord, KernelRecord, ModelRecord)):
        require_fitting(path, number, record.timed)
        if record.timed.key != timed_key(record):
            raise ProfileDamaged(
                f"{path}, line {number}: the times are those of {record.timed.key!r}, the record is of "
                f"{timed_key(record)!r}; which is true cannot be told. Restore the file, or profile again",
                line_number=number,
            )
    return record


def timed_key(record: CallRecord | KernelRecord | ModelRecord) -> str:
    """Return the key, in plans, of what a record's times are of."""
    if isinstance(record, KernelRecord):
        return digest_of(record.key)
    return MODEL + record.name if isinstance(record, ModelRecord) else CALL


def require_distinct(path: Path, records: Sequence[Record]) -> None:
    """Raise ProfileDamaged for a second record of one thing: a copy of a model would count twice in its errors."""
    first_line: dict[tuple[str, object], int] = {}
    for number, record in enumerate(records, 1):
        identity = identity_of(record)
        first = first_line.setdefault(identity, number)
        if first != number:
            raise ProfileDamaged(
                f"{path}, line {number}: the {' '.join(map(str, identity))[:80]} has a record on line {first} already; "
                f"which is true cannot be told. Restore the file, or profile again",
                line_number=number,
            )


def identity_of(record: Record) -> tuple[str, object]:
    """Return what no two records of a profile share."""
    kind = str(getattr(record, "record", ""))
    if isinstance(record, AnchorRecord):
        return kind, (record.key, record.session, record.t_s)
    if isinstance(record, (KernelRecord, SourceRecord, FailureRecord)):
        return kind, record.key
    return kind, record.name if isinstance(record, ModelRecord) else ""


def require_known_calls(path: Path, records: Sequence[Record]) -> None:
    """Raise ProfileDamaged for a model that runs a kernel of which the file holds no time: it would have no sum."""
    known = {digest_of(record.key) for record in records if isinstance(record, (KernelRecord, SourceRecord))}
    for number, record in enumerate(records, 1):
        if isinstance(record, ModelRecord) and not record.calls.keys() <= known:
            unknown = min(record.calls.keys() - known)
            raise ProfileDamaged(
                f"{path}, line {number}: the model {record.name!r} runs the kernel {unknown}, which the file does not "
                f"hold. Restore the file, or profile again",
                line_number=number,
            )
