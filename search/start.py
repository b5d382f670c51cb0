"""Start a run from another one on the same space, for instance from another device's.

Values are never copied blindly. Where checkpoint, data and split of both runs agree, what the other measured counts as
evidence: its costly values as they are, as no device changes them, cheap ones computed anew. Where they do not, or an
objective depends on the device, only the architectures of its front are taken, to be measured first. What was taken
stands in `start.jsonl` of the new run, which then needs the old one no longer.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal

import numpy as np
from pydantic import BaseModel, ConfigDict, Field, ValidationError

from ..profilers.journal import json_line
from ..supernets.space import SearchSpace
from .config import SearchConfig
from .errors import InvalidConfig, RunDamaged
from .evolution import best_first
from .objective import Objective, Transferable
from .records import EVALUATIONS_FILE, RUN_FILE, START_FILE, first_line

if TYPE_CHECKING:
    from .run import Run

SCHEMA = "gnomon.start"
# History of the format, newest first:
#   1  header with source, what is taken and why; one architecture a line, with values where they count
SCHEMA_VERSION = 1


class StartHeader(BaseModel):
    """Which run was started from: its folder's `name` and sha256, whether its values count, and `why` or why not."""

    model_config = ConfigDict(frozen=True, extra="forbid", populate_by_name=True)

    schema_id: str = Field(default=SCHEMA, alias="schema")
    version: int = SCHEMA_VERSION
    source: str
    name: str
    takes: Literal["values", "architectures"]
    why: str


class StartRecord(BaseModel):
    """An architecture that was taken; `values` are by objective, none where only the architecture is taken."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    id: str
    indices: tuple[int, ...]
    values: dict[str, float]


@dataclass(frozen=True, slots=True)
class Start:
    """What a run was started from."""

    header: StartHeader
    records: tuple[StartRecord, ...]

    def __str__(self) -> str:
        count = len(self.records)
        if self.header.takes == "values":
            return f"from run {self.header.name}: {count} of its validations count, as {self.header.why}"
        return (
            f"from run {self.header.name}: the {count} architectures of its front are measured first, but its values "
            f"do not count, as {self.header.why}"
        )

    @property
    def text(self) -> str:
        """The content of its file."""
        lines = [self.header.model_dump(by_alias=True), *(record.model_dump() for record in self.records)]
        return "".join(json_line(line) + "\n" for line in lines)

    @property
    def sha256(self) -> str:
        """The digest of its file."""
        return hashlib.sha256(self.text.encode()).hexdigest()

    def evidence(self, names: Sequence[str]) -> tuple[tuple[tuple[int, ...], tuple[float, ...]], ...]:
        """Return (indices, values in the order of `names`) of what counts."""
        if self.header.takes != "values":
            return ()
        return tuple((record.indices, tuple(record.values[name] for name in names)) for record in self.records)

    def first(self) -> tuple[tuple[int, ...], ...]:
        """Return the indices of what is to be measured first."""
        return () if self.header.takes == "values" else tuple(record.indices for record in self.records)


def start_from_run(
    run: Run,
    space: SearchSpace,
    config: SearchConfig,
    *,
    objectives: Sequence[Objective],
    provenance: Mapping[str, Any],
) -> Start:
    """Take from `run` what holds for a new run; raises InvalidConfig for a run of another space, Infeasible."""
    if run.header.space_digest != space.digest:
        raise InvalidConfig(
            f"cannot start from the run in {run.folder}: it searched {run.config.space!r} (digest "
            f"{run.header.space_digest}), and this is a search of {space.name!r} (digest {space.digest}); "
            "start from a run of the same space",
            field="start_from",
        )
    why_not = disagreements(run, config, objectives, provenance)
    name = run.folder.resolve().name
    if why_not:
        front = run.front()
        directions = [objective.direction for objective in front.objectives]
        order = best_first(np.array(front.values), directions)  # the ends first, should the budget not reach all
        rows = [front.architectures[i].indices for i in order]
        header = StartHeader(source=digest_of(run.folder), name=name, takes="architectures", why="; ".join(why_not))
        return Start(header, tuple(record_of(space, row, {}) for row in rows))
    header = StartHeader(
        source=digest_of(run.folder), name=name, takes="values", why="checkpoint, data and split agree"
    )
    rows = [measured.architecture.indices for measured in run.measured]
    indices = np.array(rows, dtype=np.int64).reshape(-1, len(space.choices))
    columns = {}
    for objective in objectives:
        if objective.costly:
            column = run.header.names.index(objective.name)
            columns[objective.name] = [measured.values[column] for measured in run.measured]
        else:
            columns[objective.name] = [float(value) for value in objective.values(indices)]
    return Start(
        header,
        tuple(record_of(space, row, {name: columns[name][i] for name in columns}) for i, row in enumerate(rows)),
    )


def disagreements(
    run: Run, config: SearchConfig, objectives: Sequence[Objective], provenance: Mapping[str, Any]
) -> list[str]:
    """Say why the costly values of `run` do not hold for another run; nothing where they do."""
    costly = [objective for objective in objectives if objective.costly]
    if not costly:
        return []
    found = []
    units = {objective.name: objective.unit for objective in run.objectives}
    for objective in costly:
        if units.get(objective.name) != objective.unit:
            found.append(f"it did not measure {objective.name} in {objective.unit}")
        elif not (isinstance(objective, Transferable) and objective.device_independent):
            found.append(f"{objective.name} may depend on the device")
    there, here = (known.get("checkpoint_sha256") for known in (run.header.provenance, provenance))
    if there is None or here is None:
        found.append("it is not known that both have the same checkpoint")
    elif there != here:
        found.append(f"its checkpoint is {there[:12]}, here it is {here[:12]}")
    there, here = (known.get("data") for known in (run.header.provenance, provenance))
    if there != here:
        found.append(f"its data are {there or 'embedded'}, here they are {here or 'embedded'}")
    if run.config.split != config.split:
        found.append(f"its split is {run.config.split}, here it is {config.split}")
    return found


def record_of(space: SearchSpace, row: tuple[int, ...], values: dict[str, float]) -> StartRecord:
    """Describe an architecture under the name of `space`."""
    architecture = space.architecture(row)
    return StartRecord(id=architecture.id, indices=architecture.indices, values=values)


def digest_of(folder: Path) -> str:
    """Return the sha256 of a run: of its description, then its evaluations."""
    digest = hashlib.sha256((folder / RUN_FILE).read_bytes())
    evaluations = folder / EVALUATIONS_FILE
    digest.update(evaluations.read_bytes() if evaluations.exists() else b"")
    return digest.hexdigest()


def is_start(path: Path) -> bool:
    """Tell whether a file is one that a run starts from, whole or not."""
    return path.name == START_FILE and f'"schema":"{SCHEMA}"'.encode() in path.read_bytes()[:4096]


def read_start(folder: Path, sha256: str) -> Start:
    """Read `start.jsonl`, which must have the digest that the run's description says; raises RunDamaged."""
    path = folder / START_FILE
    try:
        content = path.read_bytes()
        if hashlib.sha256(content).hexdigest() != sha256:
            raise RunDamaged(
                f"{path} is not what the run in {folder} was started from (sha256 {sha256[:12]}); it was edited. "
                "Restore it, or start anew with --force",
                path=path,
            )
        header, *records = (json.loads(line) for line in content.splitlines())
        if (header.get("schema"), header.get("version")) != (SCHEMA, SCHEMA_VERSION):
            raise ValueError(f"it has schema {header.get('schema')!r} version {header.get('version')!r}")
        return Start(StartHeader.model_validate(header), tuple(StartRecord.model_validate(line) for line in records))
    except OSError as error:
        raise RunDamaged(f"the run in {folder} was started from another, and {error}", path=path) from error
    except (ValueError, AttributeError, ValidationError) as error:
        raise RunDamaged(f"{path} is not what a run starts from: {first_line(error)}", path=path) from error
