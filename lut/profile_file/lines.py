"""The lines of a hardware profile as records: each is validated, and what is wrong is named by its line."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

from pydantic import TypeAdapter, ValidationError

from ...profilers.errors import JournalDamaged
from ...profilers.journal import has_checksum, record_from_line, whole_lines, without_checksum
from ...supernets import Architecture
from ..errors import ProfileDamaged
from ..record import Record
from .schema import (
    FIRST_WITH_CHECKSUMS,
    READABLE_VERSIONS,
    SCHEMA,
    AnchorRecord,
    AnyRecord,
    FailureRecord,
    LayerRecord,
    NetworkRecord,
    PriorRecord,
    ProfileHeader,
)

ADAPTER: TypeAdapter[Record] = TypeAdapter(AnyRecord)


def records_of(path: Path, content: bytes) -> Iterator[tuple[int, bytes, Record]]:
    """Yield the number, from 1, the line and the record of each line; raises ProfileDamaged for the first bad one.

    All lines have checksums or none has; they are yielded without. Each record agrees with itself; a second record of
    one thing is bad.
    """
    try:
        lines, torn = whole_lines(path, content)
        if torn:
            raise ProfileDamaged(f"{torn[0]}. A finished profile has no torn line: copy it again, or profile again")
        first_line: dict[tuple[str, object], int] = {}
        is_checked = bool(lines) and has_checksum(lines[0])
        for number, line in enumerate(lines, 1):
            if is_checked:
                line = without_checksum(path, number, line)
            record = record_of(path, number, line)
            if isinstance(record, ProfileHeader) and record.version >= FIRST_WITH_CHECKSUMS and not is_checked:
                without_checksum(path, number, line)
            require_new(path, number, record, first_line)
            require_fitting(path, number, record)
            yield number, line, record
    except JournalDamaged as error:
        raise ProfileDamaged(str(error), line_number=error.line_number) from error


def record_of(path: Path, number: int, line: bytes) -> Record:
    """Return a line as its record; raises ProfileDamaged, naming line and field."""
    try:
        record = ADAPTER.validate_json(line)  # in one step; what it refuses is read again, to say why
    except ValidationError:
        return validated(path, number, record_from_line(path, number, line))
    if isinstance(record, ProfileHeader):
        require_readable(path, number, record.schema_id, record.version)
    return record


def validated(path: Path, number: int, line: dict[str, object]) -> Record:
    """Return the content of a line as its record; raises ProfileDamaged, naming line and field."""
    if line.get("record") == "header":
        require_readable(path, number, line.get("schema"), line.get("version"))
    try:
        return ADAPTER.validate_python(line)
    except ValidationError as error:
        first = error.errors()[0]
        where = ".".join(str(part) for part in first["loc"])
        raise ProfileDamaged(f"{path}, line {number}: {where}: {first['msg']}", line_number=number) from error


def require_readable(path: Path, number: int, schema: object, version: object) -> None:
    """Raise ProfileDamaged for a header of another file, or of a version that is not known."""
    if schema != SCHEMA or version not in READABLE_VERSIONS:
        raise ProfileDamaged(
            f"{path}, line {number}: schema {schema!r} version {version!r}; "
            f"this Gnomon reads {SCHEMA} versions {', '.join(map(str, READABLE_VERSIONS))}",
            line_number=number,
        )


def require_new(path: Path, number: int, record: Record, first_line: dict[tuple[str, object], int]) -> None:
    """Raise ProfileDamaged when something has a second record: which is true cannot be told.

    A copy of a network or an anchor's visit would also count twice, in the fit and in its verified error.
    """
    for identity in identities(record):
        first = first_line.setdefault(identity, number)
        if first != number:
            raise ProfileDamaged(
                f"{path}, line {number}: {said_of(record)} was on line {first} already; a profile has one record of "
                "each. Remove the wrong one, or profile again",
                line_number=number,
            )


def identities(record: Record) -> tuple[tuple[str, object], ...]:
    """Return what identifies a record; no two records of a profile share it."""
    if isinstance(record, (LayerRecord, PriorRecord, FailureRecord)):
        return ((record.record, record.key),)
    if isinstance(record, NetworkRecord):
        return (("network", record.id), ("network", record.indices))
    if isinstance(record, AnchorRecord):
        return (("anchor", (record.key, record.session, record.t_s)),)
    return ((type(record).__name__, ""),)


def said_of(record: Record) -> str:
    """Name what identifies a record, in words."""
    kind = str(getattr(record, "record", "record"))
    if isinstance(record, AnchorRecord):
        return f"the visit to the anchor {record.t_s:g} s into session {record.session}"
    name = record.id if isinstance(record, NetworkRecord) else getattr(record, "key", "")
    return f"{kind} {name}" if name else f"the {kind}"


def require_fitting(path: Path, number: int, record: Record) -> None:
    """Raise ProfileDamaged for a record whose times or readings are not of its blocks."""
    if not isinstance(record, (LayerRecord, NetworkRecord)):
        return
    if len(record.at_s) not in (0, len(record.block_us)):
        raise ProfileDamaged(
            f"{path}, line {number}: at_s holds {len(record.at_s)} times of {len(record.block_us)} visits",
            line_number=number,
        )
    if not has_fitting_probe(record):
        raise ProfileDamaged(
            f"{path}, line {number}: the readings of the probe are not of these blocks; expected at_s, one reading "
            "more than blocks in each visit, and a count of switches for each block or none",
            line_number=number,
        )


def has_fitting_probe(record: LayerRecord | NetworkRecord) -> bool:
    """Tell whether a record's probe readings and switches, where it has any, are of its blocks."""
    if not record.probe_us:
        return not record.switches
    blocks = [len(visit) for visit in record.block_us]
    readings, counts = ([len(visit) for visit in part] for part in (record.probe_us, record.switches))
    return len(record.at_s) == len(blocks) and readings == [n + 1 for n in blocks] and counts in ([], blocks)


def require_own_genes(path: Path, space: str, number: int, record: NetworkRecord) -> None:
    """Raise ProfileDamaged for a network whose genes are not those of its id."""
    identity = Architecture(space, record.indices).id
    if identity != record.id:
        raise ProfileDamaged(
            f"{path}, line {number}: network.indices are of network {identity} of {space}, the id says {record.id}",
            line_number=number,
        )
