"""What a run was started from, kept in its own `start.jsonl`, so that it needs the other run no longer.

What is taken from another run, and when its values count, is decided in `takeover.py`.
"""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

from pydantic import BaseModel, ConfigDict, Field, ValidationError

from ....profilers.files import has_schema, read_file
from ....profilers.journal import json_line, value_from_json
from ...errors import RunDamaged
from .outcomes import KeptOutcomes
from .records import START_FILE, first_line, with_deployment

SCHEMA = "gnomon.start"
# History of the format, newest first:
#   3  partial evaluations are taken too, with their share, and the outcomes of the pilots by which they were made
#   2  the number of an architecture's deployment is a field, no value
#   1  header with source, what is taken and why; one architecture a line, with values where they count
SCHEMA_VERSION = 3
READABLE = (1, 2, 3)

Known = tuple[float, tuple[int, ...], tuple[float, ...]]  # share, genes and values of what another run measured


class StartHeader(BaseModel):
    """Which run was started from: its folder's `name` and sha256, whether its values count, and `why` or why not.

    `pilots` are the outcomes by which its partial evaluations were made, and those of the new run are; none where these
    do not count, or are on random examples.
    """

    model_config = ConfigDict(frozen=True, extra="forbid", populate_by_name=True)

    schema_id: str = Field(default=SCHEMA, alias="schema")
    version: int = SCHEMA_VERSION
    source: str
    name: str
    takes: Literal["values", "architectures"]
    why: str
    pilots: tuple[KeptOutcomes, ...] = ()


class StartRecord(BaseModel):
    """An architecture that was taken; `values` are by objective, none where only the architecture is taken.

    `deployment` is the number of that in which it runs in the new run, None where there is no choice; `share` is that
    of the validation data that the values are of.
    """

    model_config = ConfigDict(frozen=True, extra="forbid")

    id: str
    indices: tuple[int, ...]
    values: dict[str, float]
    deployment: int | None = Field(default=None, ge=0)
    share: float = Field(default=1.0, gt=0, le=1)


@dataclass(frozen=True, slots=True, repr=False)
class Start:
    """What a run was started from."""

    header: StartHeader
    records: tuple[StartRecord, ...]

    def __repr__(self) -> str:
        return f"Start({self})"

    def __str__(self) -> str:
        count = len(self.records)
        if self.header.takes == "values":
            partial = len(self.counted_in_part)
            beside = f" and {partial} of its partial evaluations" if partial else ""
            return (
                f"from run {self.header.name}: {count - partial} of its validations{beside} count, as {self.header.why}"
            )
        return (
            f"from run {self.header.name}: the {count} architectures of its front are measured first, but its values "
            f"do not count, as {self.header.why}"
        )

    @property
    def text(self) -> str:
        """The content of its file."""
        lines = [
            self.header.model_dump(by_alias=True),
            *(record.model_dump(exclude_none=True) for record in self.records),
        ]
        return "".join(json_line(line) + "\n" for line in lines)

    @property
    def sha256(self) -> str:
        """The digest of its file."""
        return hashlib.sha256(self.text.encode()).hexdigest()

    @property
    def evaluated(self) -> tuple[StartRecord, ...]:
        """What was evaluated with values that hold here, in full and in part."""
        return self.records if self.header.takes == "values" else ()

    @property
    def counted(self) -> tuple[StartRecord, ...]:
        """What counts as measured: what was evaluated in full."""
        return tuple(record for record in self.evaluated if record.share == 1.0)

    @property
    def counted_in_part(self) -> tuple[StartRecord, ...]:
        """What counts as evaluated in part."""
        return tuple(record for record in self.evaluated if record.share < 1.0)

    def evidence(self, names: Sequence[str]) -> tuple[Known, ...]:
        """Return (share, indices, values in the order of `names`) of what was evaluated."""
        return tuple((r.share, r.indices, tuple(r.values[name] for name in names)) for r in self.evaluated)

    def first(self) -> tuple[tuple[int, ...], ...]:
        """Return the indices of what is to be measured first."""
        return () if self.header.takes == "values" else tuple(record.indices for record in self.records)


def is_start(path: Path) -> bool:
    """Tell whether a file is one that a run starts from, whole or not."""
    return path.name == START_FILE and has_schema(path, SCHEMA)


def read_start(folder: Path, sha256: str) -> Start:
    """Read `start.jsonl`, which must have the digest that the run's description says; raises RunDamaged."""
    path = folder / START_FILE
    try:
        content = read_file(path)
        if hashlib.sha256(content).hexdigest() != sha256:
            raise RunDamaged(
                f"{path} is not what the run in {folder} was started from (sha256 {sha256[:12]}); it was edited. "
                "Restore it, or start anew with `force=True`",
                path=path,
            )
        header, *records = (value_from_json(line) for line in content.splitlines())
        if header.get("schema") != SCHEMA or header.get("version") not in READABLE:
            raise ValueError(f"it has schema {header.get('schema')!r} version {header.get('version')!r}")
        records = [with_deployment(line) for line in records] if header["version"] == 1 else records
        return Start(StartHeader.model_validate(header), tuple(StartRecord.model_validate(line) for line in records))
    except OSError as error:
        raise RunDamaged(f"the run in {folder} was started from another, and {error}", path=path) from error
    except (ValueError, AttributeError, ValidationError) as error:
        raise RunDamaged(f"{path} is not what a run starts from: {first_line(error)}", path=path) from error
