"""What a run folder holds: one header, and one record a measured architecture."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import asdict, dataclass
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path
from platform import python_version
from typing import Any

from pydantic import BaseModel, ConfigDict, JsonValue, TypeAdapter, ValidationError

from ..profilers.errors import JournalDamaged
from ..profilers.journal import read_journal
from ..supernets.space import Architecture
from .config import SearchConfig
from .errors import InvalidConfig, RunDamaged
from .objective import Direction, Objective

HEADER_FILE = "run.json"
EVALUATIONS_FILE = "evaluations.jsonl"

# Versions of the run folder, newest first:
# 1  run.json (schema, version, created, config, space_digest, objectives, reference, provenance, versions) and
#    evaluations.jsonl (order, round, indices, id, values, seconds)
SCHEMA = "gnomon.run"
VERSION = 1

PACKAGES = ("gnomon", "numpy", "pymoo", "moocore", "scikit-learn")


@dataclass(frozen=True, slots=True)
class Evaluation:
    """A true validation: the `order`-th of the run (from 0), asked for in `round`.

    `indices` are canonical, `id` is the architecture's, `values` are by objective in its unit; measuring took
    `seconds`.
    """

    order: int
    round: int
    indices: tuple[int, ...]
    id: str
    values: Mapping[str, float]
    seconds: float


@dataclass(frozen=True, slots=True)
class ObjectiveInfo:
    """What a stored run knows of an objective."""

    name: str
    unit: str
    direction: Direction
    costly: bool

    @staticmethod
    def of(objective: Objective) -> ObjectiveInfo:
        """Take it from an objective."""
        return ObjectiveInfo(objective.name, objective.unit, objective.direction, objective.costly)


class RunHeader(BaseModel):
    """The content of run.json: all that decided the run, written before the first evaluation."""

    model_config = ConfigDict(frozen=True, extra="forbid", strict=True)

    config: SearchConfig
    space_digest: str
    objectives: tuple[ObjectiveInfo, ...]
    reference: tuple[float, ...]
    provenance: Mapping[str, JsonValue]
    versions: Mapping[str, str]
    created: str

    def to_json(self) -> str:
        """Return the file's text."""
        content = {"schema": SCHEMA, "version": VERSION, **self.model_dump(mode="json")}
        return json.dumps(content, indent=2, ensure_ascii=False, allow_nan=False) + "\n"


def installed_versions() -> dict[str, str]:
    """Return the versions of Python and of the packages that decide a trajectory; imports none of them."""
    found = {"python": python_version()}
    for package in PACKAGES:
        try:
            found[package] = version(package)
        except PackageNotFoundError:
            found[package] = "absent"
    return found


def read_header(folder: Path) -> RunHeader:
    """Read run.json; raises RunDamaged, also for a version that this Gnomon does not know."""
    path = folder / HEADER_FILE
    try:
        content = json.loads(path.read_text(encoding="utf-8"))
    except FileNotFoundError as error:
        raise RunDamaged(f"{folder} is not a run folder: it has no {HEADER_FILE}", path=path) from error
    except ValueError as error:
        raise RunDamaged(f"{path} is damaged: {error}; restore it, or start the search anew", path=path) from error
    if not isinstance(content, dict) or content.pop("schema", None) != SCHEMA:
        raise RunDamaged(f"{path} is not the header of a run: its schema is not {SCHEMA!r}", path=path)
    found = content.pop("version", None)
    if found != VERSION:
        raise RunDamaged(f"{path} has version {found!r}; this Gnomon reads {VERSION}, so upgrade it", path=path)
    try:
        return RunHeader.model_validate_json(json.dumps(content), strict=True)
    except (ValidationError, InvalidConfig) as error:
        raise RunDamaged(f"{path} is damaged: {error}", path=path) from error


def read_evaluations(folder: Path, header: RunHeader) -> tuple[tuple[Evaluation, ...], tuple[str, ...]]:
    """Read evaluations.jsonl and warnings about a torn last line; raises RunDamaged naming the line.

    A missing file is a run that has measured nothing yet.
    """
    path = folder / EVALUATIONS_FILE
    if not path.exists():
        return (), ()
    try:
        records, warnings = read_journal(path)
    except JournalDamaged as error:
        raise RunDamaged(str(error), path=path, line_number=error.line_number) from error
    return tuple(evaluation_from(record, header, line, path) for line, record in enumerate(records, start=1)), warnings


def evaluation_from(record: Mapping[str, Any], header: RunHeader, line: int, path: Path) -> Evaluation:
    """Check one record; raises RunDamaged naming its line."""
    try:
        evaluation = EVALUATION.validate_json(json.dumps(record), strict=True)
    except ValidationError as error:
        first = error.errors()[0]
        reason = f"{'.'.join(str(part) for part in first['loc'])}: {first['msg']}"
        raise RunDamaged(f"{path}, line {line}: not an evaluation ({reason})", path=path, line_number=line) from error
    order = line - 1
    expected = {
        "order": order,
        "round": order // header.config.population,
        "id": Architecture(header.config.space, evaluation.indices).id,
        "values": sorted(objective.name for objective in header.objectives),
    }
    found = {
        "order": evaluation.order,
        "round": evaluation.round,
        "id": evaluation.id,
        "values": sorted(evaluation.values),
    }
    wrong = [
        f"{name} is {found[name]!r}, expected {expected[name]!r}" for name in expected if found[name] != expected[name]
    ]
    if wrong:
        raise RunDamaged(
            f"{path}, line {line}: {'; '.join(wrong)}; the file was edited, or lines were removed or moved",
            path=path,
            line_number=line,
        )
    return evaluation


def record_of(evaluation: Evaluation) -> dict[str, Any]:
    """Return the JSON object of an evaluation."""
    return asdict(evaluation)


EVALUATION: TypeAdapter[Evaluation] = TypeAdapter(Evaluation)
