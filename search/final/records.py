"""The files of a final front, in the run folder: `final.jsonl` grows by one record a network, `final.json` is sealed.

A final front belongs to one state of one run: another front, profile, checkpoint, data set or split is refused.
"""

from __future__ import annotations

import hashlib
import json
from pathlib import Path
from typing import Any, Final, Literal

from pydantic import BaseModel, ConfigDict, Field, ValidationError

from ...supernets.space.space import Architecture
from ...version import VERSION
from ..errors import RunDamaged, RunMismatch
from ..runs.files.records import JOURNAL_FILE, RUN_FILE, Genes, Seconds, first_line, journal_lines

SCHEMA: Final = "gnomon.final"
# History of the final front's format, newest first:
#   3  lines end with a checksum; header: period_ms; timing: seen, what an application sees
#   2  evaluations, of a front that was priced anew under another profile than the run's
#   1  header, validations on the report split, the anchor's change, timings with raw blocks
SCHEMA_VERSION: Final = 3

STRICT = ConfigDict(frozen=True, extra="forbid", populate_by_name=True)


class FinalHeader(BaseModel):
    """All that decides a final front, besides the machine's noise.

    run: sha256 of the run's description. front, controls: ids. data: the folder of the full data set, if given.
    not_timed: why latencies stay predicted; None when they are measured, or no objective is a latency. period_ms: one
    inference every so often was timed too.
    """

    model_config = STRICT

    record: Literal["header"] = "header"
    schema_id: Literal["gnomon.final"] = Field(default=SCHEMA, alias="schema")
    version: Literal[1, 2, 3] = SCHEMA_VERSION
    gnomon: str = VERSION
    run: str
    search_split: str
    report_split: str
    front: tuple[str, ...]
    controls: tuple[str, ...]
    profile: dict[str, str] | None
    checkpoint_sha256: str | None
    data: str | None
    not_timed: str | None
    latency: str = "latency"  # the objective that the profile's device can measure
    period_ms: float | None = None
    evaluations: int | None = None  # how many the run had, where the profile is not its own and priced the front anew


class Validation(BaseModel):
    """A network's values of the costly objectives on the report split, beside all those that the search had.

    A control is a network of the run's first rounds: chosen before anything was predicted, so by no luck of the split.
    """

    model_config = STRICT

    record: Literal["validation"] = "validation"
    role: Literal["member", "control"]
    id: str
    indices: Genes
    search: dict[str, float]
    report: dict[str, float]
    seconds: Seconds


class SpeedRatio(BaseModel):
    """How much slower the profile's anchor layer ran beside the networks than when it was profiled."""

    model_config = STRICT

    record: Literal["pace"] = "pace"
    anchor_ratio: float = Field(gt=0)


class PauseRatio(BaseModel):
    """The latency with pauses divided by that in the hot loop, and its 95 % interval."""

    model_config = STRICT

    ratio: float = Field(gt=0)
    low: float = Field(gt=0)
    high: float = Field(gt=0)


class Seen(BaseModel):
    """What an application sees of a network: its start and, with a period, the latency of single inferences.

    load_ms, first_us: medians of `loads` fresh loads, in a process that had loaded the runtime and other models before.
    paced_us: one inference every period; paced_block_us are those single inferences, by visit. late_share: of those
    that followed without a pause. factor: of the latency with pauses to the hot loop's.
    """

    model_config = STRICT

    load_ms: float = Field(ge=0)
    first_us: float = Field(gt=0)
    loads: int = Field(ge=1)
    paced_us: float | None = None
    paced_block_us: tuple[tuple[float, ...], ...] = ()
    late_share: float = Field(default=0.0, ge=0, le=1)
    factor: PauseRatio | None = None


class Timing(BaseModel):
    """A network's latency, predicted with its 90 % interval, and measured: `block_us[v][b]` of block b in visit v.

    measured_us is the latency of all its blocks; failed says why there are none.
    """

    model_config = STRICT

    record: Literal["timing"] = "timing"
    id: str
    predicted_us: float
    low_us: float | None
    high_us: float | None
    measured_us: float | None = None
    loops: int | None = None
    block_us: tuple[tuple[float, ...], ...] = ()
    failed: str | None = None
    seen: Seen | None = None


Record = FinalHeader | Validation | SpeedRatio | Timing
RECORDS: dict[str, type[Record]] = {
    "header": FinalHeader,
    "validation": Validation,
    "pace": SpeedRatio,
    "timing": Timing,
}


def run_digest(folder: Path) -> str:
    """Return the sha256 of a run's description as its file says it, whichever version of Gnomon wrote that."""
    content = json.loads((folder / RUN_FILE).read_text())
    return hashlib.sha256(json.dumps(content, separators=(",", ":"), ensure_ascii=False).encode()).hexdigest()


def read_final_journal(folder: Path) -> tuple[Record, ...]:
    """Read `final.jsonl`, none when it is not there, dropping a torn last line; raises RunDamaged with its line."""
    path = folder / JOURNAL_FILE
    records: list[Record] = []
    for number, line in enumerate(journal_lines(path), 1):
        wrong = ""
        try:
            records.append(record_of(line))
            wrong = inconsistency(records)
        except ValidationError as error:
            wrong = first_line(error)
        except (KeyError, TypeError):
            wrong = f"record {line.get('record')!r} is none of {', '.join(RECORDS)}"
        if wrong:
            raise RunDamaged(
                f"{path}, line {number}: {wrong}; make the final front anew with `force=True`",
                path=path,
                line_number=number,
            )
    return tuple(records)


def record_of(line: dict[str, Any]) -> Record:
    """Return a line as a record; raises KeyError, TypeError, ValidationError."""
    return RECORDS[line["record"]].model_validate(line)


def inconsistency(records: list[Record]) -> str:
    """Say what tells that the last of the records was not written after the others, or nothing."""
    first, last = records[0], records[-1]
    if not isinstance(first, FinalHeader) or (len(records) > 1 and isinstance(last, FinalHeader)):
        return "expected one header, on the first line"
    if isinstance(last, Validation):
        expected = first.front if last.role == "member" else first.controls
        if last.id not in expected:
            return f"{last.id} is not a {last.role} of this final front"
    if isinstance(last, Timing) and last.id not in first.front:
        return f"{last.id} is not a member of this final front"
    repeated = [r for r in records[:-1] if type(r) is type(last) and identity(r) == identity(last)]
    return f"a second {last.record} of {identity(last)}" if repeated else ""


def identity(record: Record) -> str:
    """Return what tells records of a kind apart."""
    return f"{record.role} {record.id}" if isinstance(record, Validation) else getattr(record, "id", "the run")


def require_architectures(records: tuple[Record, ...], space: str, path: Path) -> None:
    """Raise RunDamaged when a record's genes are not those of its id."""
    for number, record in enumerate(records, 1):
        if isinstance(record, Validation) and Architecture(space, record.indices).id != record.id:
            raise RunDamaged(
                f"{path}, line {number}: the genes are not those of {record.id}", path=path, line_number=number
            )


def fields_of(header: FinalHeader) -> dict[str, Any]:
    """Return what tells final fronts apart, the profile's name and sha256 as fields of their own."""
    fields = header.model_dump(mode="json", exclude={"gnomon", "profile", "version"})
    return fields | {f"profile.{name}": value for name, value in (header.profile or {}).items()}


def require_same_final(folder: Path, stored: FinalHeader, asked: FinalHeader) -> None:
    """Raise RunMismatch, naming the fields, unless both describe the same final front."""
    ours, theirs = fields_of(stored), fields_of(asked)
    changed = [name for name in {**ours, **theirs} if ours.get(name) != theirs.get(name)]
    if changed:
        changes = "; ".join(f"{name}: {ours.get(name)!r} there, {theirs.get(name)!r} asked" for name in changed[:4])
        raise RunMismatch(
            f"{folder / JOURNAL_FILE} holds another final front ({changes}); ask for that one, or give it up "
            "with `force=True`",
            fields=changed,
        )
