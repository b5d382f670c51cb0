"""The files of a run folder: `run.json` says what is searched, `evaluations.jsonl` keeps what was measured."""

from __future__ import annotations

import json
from collections.abc import Mapping
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path
from typing import Any

from pydantic import BaseModel, ConfigDict, Field, ValidationError

from ..profilers.errors import JournalDamaged
from ..profilers.journal import read_journal
from ..supernets.space import Architecture
from ..version import VERSION
from .config import SearchConfig
from .errors import RunDamaged, RunMismatch
from .objective import Direction

SCHEMA = "gnomon.run"
# History of the run format, newest first:
#   1  config, space digest, objectives, reference, provenance, versions; evaluations by round and order
SCHEMA_VERSION = 1

RUN_FILE, EVALUATIONS_FILE = "run.json", "evaluations.jsonl"


class ObjectiveRecord(BaseModel):
    """An objective as the run saw it."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    name: str
    unit: str
    direction: Direction
    reference: float


class WatchedRecord(BaseModel):
    """A cheap quantity that a constraint is on without being an objective; measured and kept beside them."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    name: str
    unit: str


class RunHeader(BaseModel):
    """Everything that decides a run's trajectory; two runs with equal headers are the same run.

    `provenance` names the profile and the checkpoint by their sha256.
    """

    model_config = ConfigDict(frozen=True, extra="forbid", populate_by_name=True)

    schema_id: str = Field(default=SCHEMA, alias="schema")
    version: int = SCHEMA_VERSION
    config: SearchConfig
    space_digest: str
    objectives: tuple[ObjectiveRecord, ...]
    watched: tuple[WatchedRecord, ...] = ()
    provenance: dict[str, Any]
    versions: dict[str, str]

    @property
    def quantities(self) -> tuple[ObjectiveRecord | WatchedRecord, ...]:
        """Everything that an evaluation holds a value of: the objectives, then what else is constrained."""
        return (*self.objectives, *self.watched)


class Evaluation(BaseModel):
    """One validation: `order` counts from 0, `values` are by objective in its unit, `seconds` is what it took."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    round: int = Field(ge=0)
    order: int = Field(ge=0)
    id: str
    indices: tuple[int, ...]
    values: dict[str, float]
    seconds: float = Field(ge=0)


def installed_versions() -> dict[str, str]:
    """Return the versions that can change a trajectory; absent packages are left out."""
    found = {"gnomon": VERSION}
    for name in ("numpy", "pymoo", "moocore", "scikit-learn", "torch"):
        try:
            found[name] = version(name)
        except PackageNotFoundError:
            continue
    return found


def read_header(folder: Path) -> RunHeader:
    """Read `run.json`; raises RunDamaged."""
    path = folder / RUN_FILE
    try:
        content = json.loads(path.read_text(encoding="utf-8"))
        if (content.get("schema"), content.get("version")) != (SCHEMA, SCHEMA_VERSION):
            raise RunDamaged(
                f"{path} has schema {content.get('schema')!r} version {content.get('version')!r}; "
                f"this Gnomon reads {SCHEMA} version {SCHEMA_VERSION}",
                path=path,
            )
        return RunHeader.model_validate(content)
    except OSError as error:
        raise RunDamaged(f"no run in {folder}: {error}; start one with gnomon search --out", path=path) from error
    except (ValueError, AttributeError) as error:
        raise RunDamaged(f"{path} is not a run's description: {first_line(error)}", path=path) from error


def read_evaluations(folder: Path, header: RunHeader) -> tuple[Evaluation, ...]:
    """Read `evaluations.jsonl`, dropping a torn last line; raises RunDamaged with the line that is wrong."""
    path = folder / EVALUATIONS_FILE
    if not path.exists():
        return ()
    try:
        lines, _ = read_journal(path)
    except JournalDamaged as error:
        raise RunDamaged(str(error), path=path, line_number=error.line_number) from error
    found = []
    for number, line in enumerate(lines, 1):
        try:
            evaluation = Evaluation.model_validate(line)
        except ValidationError as error:
            raise RunDamaged(f"{path}, line {number}: {first_line(error)}", path=path, line_number=number) from error
        if wrong := inconsistency(evaluation, number - 1, header):
            raise RunDamaged(f"{path}, line {number}: {wrong}", path=path, line_number=number)
        found.append(evaluation)
    return tuple(found)


def inconsistency(evaluation: Evaluation, order: int, header: RunHeader) -> str:
    """Say what tells that the run did not write `evaluation` as its `order`-th, or nothing."""
    names = {quantity.name for quantity in header.quantities}
    if evaluation.order != order or set(evaluation.values) != names:
        return (
            f"expected evaluation {order} of {', '.join(sorted(names))}, "
            f"found {evaluation.order} of {', '.join(sorted(evaluation.values))}"
        )
    if order >= header.config.budget:
        return f"evaluation {order} is beyond the budget of {header.config.budget}"
    expected = order // header.config.population
    if evaluation.round != expected:
        return f"evaluation {order} belongs to round {expected}, found {evaluation.round}"
    identity = Architecture(header.config.space, evaluation.indices).id
    if evaluation.id != identity:
        return f"the indices are of architecture {identity}, the id says {evaluation.id}"
    return ""


def require_same(folder: Path, stored: RunHeader, asked: RunHeader) -> None:
    """Raise RunMismatch, naming the fields, unless both describe the same run."""
    ours, theirs = flat(stored.model_dump(mode="json")), flat(asked.model_dump(mode="json"))
    changed = [name for name in {**ours, **theirs} if ours.get(name) != theirs.get(name)]
    if changed:
        said = "; ".join(f"{name}: {ours.get(name)!r} there, {theirs.get(name)!r} asked" for name in changed[:5])
        raise RunMismatch(
            f"{folder} holds another run ({said}); choose another --out, or give that run up with --force",
            fields=changed,
        )


def flat(value: Mapping[str, Any], prefix: str = "") -> dict[str, Any]:
    """Return nested mappings as one, with dotted names."""
    result: dict[str, Any] = {}
    for name, item in value.items():
        result |= flat(item, f"{prefix}{name}.") if isinstance(item, Mapping) else {f"{prefix}{name}": item}
    return result


def first_line(error: Exception) -> str:
    """Say what pydantic or json found first."""
    if isinstance(error, ValidationError):
        first = error.errors()[0]
        return f"{'.'.join(str(part) for part in first['loc'])}: {first['msg']}"
    return str(error)
