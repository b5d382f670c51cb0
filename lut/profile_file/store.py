"""Read and seal hardware-profile files.

While a profile is measured, the worker's results journal is the record; the profile itself appears whole, sorted, by
an atomic rename. Reading validates every line and names the one that is wrong.
"""

from __future__ import annotations

import hashlib
import os
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from pydantic import TypeAdapter, ValidationError

from ...inputs import ABSENT, fault_of_file
from ...outputs import appearing, file_kind
from ...profilers.errors import JournalDamaged
from ...profilers.files import has_schema, read_file
from ...profilers.journal import json_line, read_journal
from ...supernets import Architecture
from ...supernets.plugins import closest_hint
from ..errors import ProfileDamaged, UnknownProfile
from ..latency_model.fit_report import FitReport
from ..latency_model.table import LatencyTable
from ..record import Record
from .foreign import kind_of_file, kind_of_folder
from .profile import HardwareProfile, predicted_from
from .schema import (
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
from .timeline import Timeline

SHIPPED = Path(__file__).parents[2] / "hardware_profiles"
SUFFIX = ".jsonl"
OPTIONAL = ("probe_us", "switches", "clean", "contention", "refreshed")  # fields left out where there is nothing
PROFILE = file_kind("a hardware profile", lambda path: has_schema(path, SCHEMA))


def shipped_profiles() -> tuple[str, ...]:
    """Name the profiles that come with the package, as `space/device.backend.precision.bN.tN`."""
    return tuple(sorted(str(path.relative_to(SHIPPED))[: -len(SUFFIX)] for path in SHIPPED.glob(f"*/*{SUFFIX}")))


def load_profile(source: str | Path) -> HardwareProfile:
    """Read a profile from a file, or a shipped one by name; raises UnknownProfile, ProfileDamaged."""
    return parse(path_of_profile(source))


def path_of_profile(source: str | Path) -> Path:
    """Return the file that a profile is named by, of a shipped one its own; raises UnknownProfile."""
    path = Path(source)
    fault = fault_of_file(path)
    if fault == "is a folder":
        raise UnknownProfile(f"{path} {kind_of_folder(path)}")
    if fault == ABSENT and not os.path.lexists(path):
        path = SHIPPED / f"{source}{SUFFIX}"
        if str(source) not in shipped_profiles():
            hint = closest_hint(str(source), shipped_profiles())
            raise UnknownProfile(
                f"no profile at {source} and none of that name is shipped{hint}. "
                "List them: gnomon lut list; measure one: gnomon profile"
            )
    return path


def records_in(path: Path) -> tuple[list[Record], bytes]:
    """Return the records of the profile at `path`, each valid in itself, and the file's content; as `parse` raises."""
    try:
        content = read_file(path)
        if not has_schema(path, SCHEMA) and (foreign := kind_of_file(path, content)):
            raise ProfileDamaged(f"{path} {foreign}")
        lines, warnings = read_journal(path)
    except OSError as error:
        raise ProfileDamaged(f"cannot read {path}: {error}") from error
    except JournalDamaged as error:
        raise ProfileDamaged(str(error), line_number=error.line_number) from error
    if warnings:
        raise ProfileDamaged(f"{warnings[0]}. A finished profile has no torn line: copy it again, or profile again")
    return [validated(path, number, line) for number, line in enumerate(lines, 1)], content


def parse(path: Path) -> HardwareProfile:
    """Read the profile at `path`; raises ProfileDamaged with the line that is wrong."""
    records, content = records_in(path)
    if not records or not isinstance(records[0], ProfileHeader):
        raise ProfileDamaged(f"{path}, line 1: expected the header of a hardware profile ({SCHEMA})", line_number=1)
    fits = [record for record in records if isinstance(record, FitReport)]
    if len(fits) != 1 or not isinstance(records[-1], FitReport):
        raise ProfileDamaged(
            f"{path}, line {len(records)}: expected the fit record, which closes a profile; the file is truncated",
            line_number=len(records),
        )
    refuse_repeats(path, records)
    refuse_other_networks(path, records[0].space, records)
    failures = {record.key: record.reason for record in records if isinstance(record, FailureRecord)}
    priors = {record.key: record.value_us for record in records if isinstance(record, PriorRecord)}
    header = records[0]
    anchors = tuple(record for record in records if isinstance(record, AnchorRecord))
    scale = header.refreshed.factor if header.refreshed else 1.0
    timeline = Timeline.of(header.session_starts_s, anchors, scale=scale)
    networks = tuple(record for record in records if isinstance(record, NetworkRecord))
    for number, record in enumerate(records, 1):
        if isinstance(record, (LayerRecord, NetworkRecord)) and len(record.at_s) not in (0, len(record.block_us)):
            raise ProfileDamaged(
                f"{path}, line {number}: at_s holds {len(record.at_s)} times of {len(record.block_us)} visits",
                line_number=number,
            )
        if isinstance(record, (LayerRecord, NetworkRecord)) and not has_fitting_probe(record):
            raise ProfileDamaged(
                f"{path}, line {number}: the readings of the probe are not of these blocks; expected at_s, one reading "
                "more than blocks in each visit, and a count of switches for each block or none",
                line_number=number,
            )
    layer_records = [record for record in records if isinstance(record, LayerRecord)]
    measured = timeline.measurements([*layer_records, *networks])
    layers = {record.key: found for record, found in zip(layer_records, measured)}
    return HardwareProfile(
        name=path.name.removesuffix(SUFFIX),
        digest=hashlib.sha256(content).hexdigest(),
        header=header,
        table=LatencyTable(layers, failures, predicted_from(priors)),
        networks=networks,
        network_measurements=tuple(measured[len(layer_records) :]),
        anchors=tuple(anchor.model_copy(update={"value_us": anchor.value_us * scale}) for anchor in anchors),
        fit=fits[0],
    )


def has_fitting_probe(record: LayerRecord | NetworkRecord) -> bool:
    """Tell whether a record's probe readings and switches, where it has any, are of its blocks."""
    blocks = [len(visit) for visit in record.block_us]
    if not record.probe_us:
        return not record.switches
    readings, counts = ([len(visit) for visit in part] for part in (record.probe_us, record.switches))
    return len(record.at_s) == len(blocks) and readings == [n + 1 for n in blocks] and counts in ([], blocks)


def refuse_repeats(path: Path, records: Iterable[Record]) -> None:
    """Raise ProfileDamaged, naming the line, when something has two records: which is true cannot be told.

    A copy of a network or an anchor's visit would also count twice, in the fit and in its verified error.
    """
    first_line: dict[tuple[str, object], int] = {}
    for number, record in enumerate(records, 1):
        said = said_of(record)
        for identity in identities(record):
            first = first_line.setdefault(identity, number)
            if first != number:
                raise ProfileDamaged(
                    f"{path}, line {number}: {said} was on line {first} already; a profile has one record of each. "
                    "Remove the wrong one, or profile again",
                    line_number=number,
                )


def refuse_other_networks(path: Path, space: str, records: Iterable[Record]) -> None:
    """Raise ProfileDamaged, naming the line, for a network whose genes are not those of its id."""
    for number, record in enumerate(records, 1):
        if isinstance(record, NetworkRecord) and Architecture(space, record.indices).id != record.id:
            raise ProfileDamaged(
                f"{path}, line {number}: network.indices are of network {Architecture(space, record.indices).id} of "
                f"{space}, the id says {record.id}",
                line_number=number,
            )


@contextmanager
def storable(source: str) -> Iterator[None]:
    """Turn the refusal of a value that no profile holds into ProfileDamaged, which names `source` and the field."""
    try:
        yield
    except ValidationError as error:
        first = error.errors()[0]
        where = ".".join(str(part) for part in first["loc"])
        raise ProfileDamaged(f"{source}: {where} is {first['input']!r}: {first['msg']}") from error


def identities(record: Record) -> Iterator[tuple[str, object]]:
    """Yield what identifies a record; no two records of a profile share it."""
    if isinstance(record, NetworkRecord):
        yield "network", record.id
        yield "network", record.indices
    elif isinstance(record, AnchorRecord):
        yield "anchor", (record.key, record.session, record.t_s)
    elif isinstance(record, (LayerRecord, PriorRecord, FailureRecord)):
        yield type(record).__name__, record.key
    else:
        yield type(record).__name__, ""


def said_of(record: Record) -> str:
    """Name what identifies a record, in words."""
    kind = str(getattr(record, "record", "record"))
    if isinstance(record, AnchorRecord):
        return f"the visit to the anchor {record.t_s:g} s into session {record.session}"
    name = record.id if isinstance(record, NetworkRecord) else getattr(record, "key", "")
    return f"{kind} {name}" if name else f"the {kind}"


def validated(path: Path, number: int, line: dict[str, object]) -> Record:
    """Return a line as its record; raises ProfileDamaged, naming line and field."""
    if line.get("record") == "header" and not (
        line.get("schema") == SCHEMA and line.get("version") in READABLE_VERSIONS
    ):
        raise ProfileDamaged(
            f"{path}, line {number}: schema {line.get('schema')!r} version {line.get('version')!r}; "
            f"this Gnomon reads {SCHEMA} versions {', '.join(map(str, READABLE_VERSIONS))}",
            line_number=number,
        )
    try:
        return ADAPTER.validate_python(line)
    except ValidationError as error:
        first = error.errors()[0]
        where = ".".join(str(part) for part in first["loc"])
        raise ProfileDamaged(f"{path}, line {number}: {where}: {first['msg']}", line_number=number) from error


ADAPTER: TypeAdapter[Record] = TypeAdapter(AnyRecord)


def seal(
    path: Path, header: ProfileHeader, records: Iterable[Record], report: FitReport, *, force: bool = False
) -> None:
    """Write a finished profile: header, layers by key, networks by genes, anchors, failures, fit.

    Raises OutputUnusable; with `force`, not for a profile that is there.
    """
    fit = FitReport.model_validate(rounded(report.model_dump()))
    order = (LayerRecord, PriorRecord, NetworkRecord, AnchorRecord, FailureRecord)
    body = sorted(records, key=lambda record: (order.index(type(record)), sort_key(record)))
    lines = [json_line(content_of(record)) for record in (header, *body, fit)]
    with appearing(path, PROFILE, force=force) as fresh:
        fresh.write_text("\n".join(lines) + "\n", encoding="utf-8")


def content_of(record: Record) -> dict[str, Any]:
    """Return a record as the file holds it: what only a probe or a refresh tells is left out where there was none."""
    content: dict[str, Any] = record.model_dump(mode="json", by_alias=True)
    return {name: value for name, value in content.items() if name not in OPTIONAL or value not in (None, [])}


def sort_key(record: Record) -> tuple[object, ...]:
    """Order records of one type so that equal evidence gives equal files."""
    if isinstance(record, NetworkRecord):
        return record.indices
    if isinstance(record, AnchorRecord):
        return (record.session, record.t_s)
    return (getattr(record, "key", ""),)


def rounded(value: object) -> object:
    """Round numbers for the fit record, inside mappings too."""
    if isinstance(value, dict):
        return {name: rounded(item) for name, item in value.items()}
    return round(value, 4) if isinstance(value, float) else value
