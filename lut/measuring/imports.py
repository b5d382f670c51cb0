"""Make a hardware profile of a table in another format.

Such a profile has no whole networks, so nothing verifies it, and it says so wherever it is used. Findings of the
lint that are errors refuse the import. If they are accepted, a row without a valid latency becomes a failure record
that quotes the file, and no row is lost.
"""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path

from ...outputs import require_free
from ...profilers.files import read_file
from ...profilers.run_config import RunConfig
from ...supernets import SearchSpace, load_space
from ...version import VERSION
from ..errors import FindingsRefused, ProfileMismatch
from ..interchange import Exchange, Row, read_table
from ..latency_model.candidates import PLAIN
from ..latency_model.fit_report import FitReport
from ..lint import Finding, has_errors, lint_table
from ..lint.finding import examples, spec_of
from ..profile_file.profile import HardwareProfile
from ..profile_file.schema import (
    LONGEST_US,
    SHORTEST_US,
    FailureRecord,
    LayerRecord,
    ProfileConfig,
    ProfileHeader,
    ProfileSource,
)
from ..profile_file.store import PROFILE, load_profile, seal
from ..record import Record


@dataclass(frozen=True, slots=True)
class TableOrigin:
    """Under which conditions a table was measured; None: as the file says, else one thread, batch 1, fp32 on a CPU.

    `device` names the machine, `processor` the kind of unit that ran the layers.
    """

    space: str | None = None
    backend: str | None = None
    device: str | None = None
    processor: str | None = None
    precision: str | None = None
    threads: int | None = None
    batch: int | None = None
    runtime_version: str | None = None


@dataclass(frozen=True)
class Imported:
    """An imported profile, and the findings in its table."""

    profile: HardwareProfile
    findings: tuple[Finding, ...]


def import_table(
    path: str | Path,
    out: str | Path,
    origin: TableOrigin,
    *,
    name: str | None = None,
    accept: bool = False,
    force: bool = False,
) -> Imported:
    """Write the profile at `out` of the table at `path`, in the format `name` or that of its suffix.

    Raises FindingsRefused when the table has findings that are errors, unless `accept`; ProfileMismatch when the file
    says otherwise than `origin`, or neither says what is needed; TableUnreadable; OutputUnusable;
    UnknownSpace.
    """
    out, path = Path(out), Path(path)
    require_free(out, PROFILE, force=force)
    exchange = read_table(path, name=name)
    facts = settled(exchange.facts, origin, path)
    space = load_space(facts["space"])
    if facts.get("space_digest", space.digest) != space.digest:
        raise ProfileMismatch(
            f"{path} is of {space.name} with digest {facts['space_digest']}; the space installed here has "
            f"{space.digest}, so its layers changed. Export it again from a profile of this version",
            fields=("space_digest",),
        )
    config = config_of(facts, path)
    findings = findings_of(exchange, space, config)
    if has_errors(findings) and not accept:
        texts = tuple(finding.text for finding in findings if finding.severity == "error")
        raise FindingsRefused(
            f"{path} was not imported, it has {len(texts)} errors: {'; '.join(texts)}. "
            "Correct the table, or take it as it is with `accept=True`",
            findings=texts,
        )
    header = ProfileHeader(
        gnomon=VERSION,
        space=space.name,
        space_digest=space.digest,
        backend=facts["backend"],
        config=ProfileConfig(**config.to_json()),
        versions={facts["backend"]: facts["runtime_version"]} if "runtime_version" in facts else {},
        options={},
        device=facts["device"],
        hardware={},
        policy={},
        plan="",
        created=facts.get("created", datetime.now(UTC).isoformat(timespec="seconds")),
        sessions=1,
        seconds=0.0,
        source=ProfileSource(kind="imported", name=path.name, sha256=hashlib.sha256(read_file(path)).hexdigest()),
    )
    seal(out, header, [record_of(row) for row in exchange.rows], FitReport.unverified(PLAIN.name), force=force)
    return Imported(load_profile(out), findings)


def settled(facts: Mapping[str, str], origin: TableOrigin, path: Path) -> dict[str, str]:
    """Return the file's facts completed by what was asked; raises ProfileMismatch where they contradict or lack."""
    asked = {field: getattr(origin, field) for field in TableOrigin.__slots__}
    given = {field: str(value) for field, value in asked.items() if value is not None}
    if "space" in given:
        given["space"] = load_space(given["space"]).name
    for field, value in given.items():
        if facts.get(field, value) != value:
            raise ProfileMismatch(
                f"{path} says {field} {facts[field]!r}, and {value!r} was asked; "
                "leave the option out, or correct the file",
                fields=(field,),
            )
    found = {"processor": "cpu", "precision": "fp32", "threads": "1", "batch": "1", **facts, **given}
    lacking = tuple(field for field in ("space", "backend", "device") if not found.get(field))
    if lacking:
        options = " ".join(f"`{field}={field.upper()}`" for field in lacking)
        raise ProfileMismatch(f"{path} does not say its {', '.join(lacking)}; add {options}", fields=lacking)
    return found


def config_of(facts: Mapping[str, str], path: Path) -> RunConfig:
    """Return the run configuration that facts stand for; raises ProfileMismatch when there is no such."""
    try:
        threads, batch = int(facts["threads"]), int(facts["batch"])
        return RunConfig(facts["processor"], facts["precision"], threads, batch)
    except ValueError as error:
        raise ProfileMismatch(f"{path}: {error}", fields=("config",)) from error


def findings_of(exchange: Exchange, space: SearchSpace, config: RunConfig) -> tuple[Finding, ...]:
    """Lint a table that was read, the keys without a layer included."""
    found = lint_table(
        exchange.value_us,
        space=space,
        spread_us=exchange.spread_us,
        device=config.device,
        precision=config.precision,
        threads=config.threads,
    )
    if exchange.unmapped:
        text = f"{len(exchange.unmapped)} keys of the file name no layer here: {examples(exchange.unmapped)}"
        found += (Finding("warning", "unmapped", text, exchange.unmapped),)
    return found


def record_of(row: Row) -> Record:
    """Return a row as a layer with one visit; as a failure that repeats the file, where it is no layer's time."""
    if not SHORTEST_US <= row.value_us <= LONGEST_US:
        return FailureRecord(key=row.key, reason=f"the imported table says {row.value_us:g} us")
    if spec_of(row.key) is None:
        return FailureRecord(key=row.key, reason=f"names no layer; the imported table says {row.value_us:g} us")
    return LayerRecord(key=row.key, loops=1, block_us=((row.value_us,),))
