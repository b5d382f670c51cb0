"""Read and seal hardware-profile files.

While a profile is measured, the worker's results journal is the record; the profile itself appears whole, sorted, by
an atomic rename. Reading validates every line and names the one that is wrong.
"""

from __future__ import annotations

import hashlib
import os
from collections.abc import Iterable, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from pydantic import ValidationError

from ...inputs import ABSENT, fault_of_file
from ...outputs import appearing, file_kind
from ...profilers.files import has_schema, read_file
from ...profilers.journal import checked_line
from ...supernets.plugins import closest_hint
from ..errors import ProfileDamaged, UnknownProfile
from ..latency_model.fit_report import FitReport
from ..latency_model.table import LatencyTable, predicted_from
from ..record import Record
from .foreign import kind_of_file, kind_of_folder
from .lazy import LayerMeasurements
from .lines import records_of, require_own_genes
from .profile import HardwareProfile
from .schema import (
    SCHEMA,
    SCHEMA_VERSION,
    AnchorRecord,
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


def read_records(source: str | Path) -> list[Record]:
    """Read the records of a profile's file, the header first; raises UnknownProfile, ProfileDamaged."""
    path = path_of_profile(source)
    try:
        return [record for _, _, record in records_of(path, read_file(path))]
    except OSError as error:
        raise ProfileDamaged(f"cannot read {path}: {error}") from error


def path_of_profile(source: str | Path) -> Path:
    """Return the file of a profile, or of a shipped one by name; raises UnknownProfile."""
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


def parse(path: Path) -> HardwareProfile:
    """Read the profile at `path`; raises ProfileDamaged with the line that is wrong."""
    try:
        content = read_file(path)
    except OSError as error:
        raise ProfileDamaged(f"cannot read {path}: {error}") from error
    if not has_schema(path, SCHEMA) and (foreign := kind_of_file(path, content)):
        raise ProfileDamaged(f"{path} {foreign}")
    digest = hashlib.sha256(content).hexdigest()
    records: list[tuple[int, Record]] = []
    layers: dict[str, LayerRecord | bytes] = {}  # of most layers the line only: profiles may hold many
    number = 0
    for number, line, record in records_of(path, content):
        if isinstance(record, LayerRecord):
            layers[record.key] = record if record.probe_us else line
        else:
            records.append((number, record))
    header, fit = closed(path, number, records)
    networks = []
    for at, record in records:
        if isinstance(record, NetworkRecord):
            require_own_genes(path, header.space, at, record)
            networks.append(record)
    anchors = tuple(record for _, record in records if isinstance(record, AnchorRecord))
    scale = header.refreshed.factor if header.refreshed else 1.0
    timeline = Timeline.of(header.session_starts_s, anchors, scale=scale, has_clock=header.has_clock)
    probed = [layer for layer in layers.values() if isinstance(layer, LayerRecord)]
    evidence = timeline.read([*probed, *networks])
    measured = evidence.measurements
    together = {record.key: measurement for record, measurement in zip(probed, measured)}
    found = {key: line if isinstance(line, bytes) else together[key] for key, line in layers.items()}
    failures = {record.key: record.reason for _, record in records if isinstance(record, FailureRecord)}
    priors = {record.key: record.value_us for _, record in records if isinstance(record, PriorRecord)}
    return HardwareProfile(
        name=path.name.removesuffix(SUFFIX),
        digest=digest,
        header=header,
        table=LatencyTable(LayerMeasurements(found, timeline), failures, predicted_from(priors)),
        networks=tuple(networks),
        network_measurements=tuple(measured[len(probed) :]),
        anchors=tuple(anchor.model_copy(update={"value_us": anchor.value_us * scale}) for anchor in anchors),
        fit=fit,
        processes=evidence.processes,
        clean_level_us=evidence.clean_level_us,
    )


def closed(path: Path, lines: int, records: Sequence[tuple[int, Record]]) -> tuple[ProfileHeader, FitReport]:
    """Return the header and the fit of numbered records; raises ProfileDamaged unless they begin and close a file."""
    if not records or records[0][0] != 1 or not isinstance(records[0][1], ProfileHeader):
        raise ProfileDamaged(f"{path}, line 1: expected the header of a hardware profile ({SCHEMA})", line_number=1)
    last, fit = records[-1]
    if last != lines or not isinstance(fit, FitReport):
        raise ProfileDamaged(
            f"{path}, line {lines}: expected the fit record, which closes a profile; the file is truncated",
            line_number=lines,
        )
    return records[0][1], fit


@contextmanager
def storable(source: str) -> Iterator[None]:
    """Turn the refusal of a value that no profile holds into ProfileDamaged, which names `source` and the field."""
    try:
        yield
    except ValidationError as error:
        first = error.errors()[0]
        where = ".".join(str(part) for part in first["loc"])
        raise ProfileDamaged(f"{source}: {where} is {first['input']!r}: {first['msg']}") from error


def seal(
    path: Path, header: ProfileHeader, records: Iterable[Record], report: FitReport, *, force: bool = False
) -> None:
    """Write a finished profile: header, layers by key, networks by genes, anchors, failures, fit; each line checked.

    Raises OutputUnusable; with `force`, not for a profile that is there.
    """
    header = header.model_copy(update={"version": SCHEMA_VERSION})
    fit = FitReport.model_validate(rounded(report.model_dump()))
    order = (LayerRecord, PriorRecord, NetworkRecord, AnchorRecord, FailureRecord)
    body = sorted(records, key=lambda record: (order.index(type(record)), sort_key(record)))
    lines = [checked_line(content_of(record)) for record in (header, *body, fit)]
    with appearing(path, PROFILE, force=force) as fresh:
        fresh.write_bytes(b"\n".join(lines) + b"\n")


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
