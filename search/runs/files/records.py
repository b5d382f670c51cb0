"""The files of a run folder: `run.json` says what is searched, `evaluations.jsonl` keeps what was measured.

What the lines of a run may say is checked in `replay.py`.
"""

from __future__ import annotations

import math
from collections import Counter
from dataclasses import dataclass
from pathlib import Path
from typing import Annotated, Any, Literal

from pydantic import BaseModel, ConfigDict, Field, ValidationError

from ....profilers.errors import JournalDamaged
from ....profilers.files import read_text_file
from ....profilers.journal import Record, read_journal, value_from_json, warn_torn
from ...config import SearchConfig
from ...deployments.provenance import Provenance
from ...errors import InvalidConfig, RunDamaged
from ...problem.objective import ObjectiveInfo, Quantity
from .outcomes import KeptOutcomes

SCHEMA = "gnomon.run"
# History of the run format, newest first:
#   10 partial evaluations are estimated from margins, count from another share on, and are paired with one another
#   9  batch-norm statistics of partial evaluations are corrected by those of networks that are calibrated on all
#   8  what partial evaluations err by together is fitted; the digest of the validation examples is in the provenance
#   7  evaluations on the examples that decide count in the front where they are exact enough
#   6  lines of evaluations end with a checksum; partial evaluations calibrate batch norm on examples that stand
#      for all, not on the first of a fixed order
#   5  what the pilots were right about is kept in their evaluations, and partial_examples in the description
#   4  the number of the deployment is a field of an evaluation; it was the value of a watched quantity of that name
#   3  the setting glimpse_share is called partial_share
#   2  evaluations by round and position, on a share of the data, with what was expected, or why they failed;
#      elapsed_s; stop.json, start.jsonl; settings population (may be null), glimpse_share, stop_*, patience,
#      algorithm, region; what is constrained and not optimised is watched; opening_budget, which may be missing
#   1  config, space digest, objectives, reference, provenance, versions; evaluations by round and order
SCHEMA_VERSION = 10
READABLE = (1, 2, 3, 4, 5, 6, 7, 8, 9, 10)
FIRST_CONTINUED = 10  # version of the oldest runs that go on
FIRST_WITH_DEPLOYMENT = 4
RENAMED = {"glimpse_share": "partial_share"}  # settings of earlier versions, and what they are called now
OLD_DEPLOYMENT = {"name": "deployment", "unit": "number"}  # what was watched before version 4

RUN_FILE, EVALUATIONS_FILE, STOP_FILE, START_FILE = "run.json", "evaluations.jsonl", "stop.json", "start.jsonl"
ASKS_FILE = "rounds.jsonl"  # of rounds that were asked for early
JOURNAL_FILE, FINAL_FILE, TIMING_FOLDER = "final.jsonl", "final.json", "final.timing"  # of a final front
CALL_FILE, TRACKERS_FILE = "call.json", "trackers.json"  # how it was called last, and the ids that trackers know it by
REPORT_FILE = "report.html"  # that verbs of the command line write beside
REPORT_MARK = '<meta name="generator" content="Gnomon report">'  # by which it is known

LONGEST_S = 1e10  # no run has taken three hundred years
MOST = 10**9  # evaluations of a run
Count = Annotated[int, Field(ge=0, le=MOST)]
Seconds = Annotated[float, Field(ge=0, le=LONGEST_S)]
Genes = Annotated[tuple[Annotated[int, Field(ge=0, lt=2**31)], ...], Field(min_length=1)]
Finite = Annotated[float, Field(allow_inf_nan=False)]
PartialExamples = Literal["random", "deciding"]
Expected = dict[str, tuple[Finite, Finite | None]]


@dataclass(frozen=True, slots=True)
class ObjectiveRecord(ObjectiveInfo):
    """An objective as the run saw it, with where its hypervolume ends."""

    reference: float


class RunHeader(BaseModel):
    """Everything that decides a run's trajectory; runs whose headers differ in when they stop only are the same run.

    `opening_budget` is what the run was told it may cost when it began, to which its first rounds were fitted, however
    much it was given later; None in runs of before, whose first rounds did not depend on it. `budgets` are those that
    it was given later, each with the first round that was asked for since. `partial_examples` are those that partial
    evaluations are made on.
    """

    model_config = ConfigDict(frozen=True, extra="forbid", populate_by_name=True)

    schema_id: str = Field(default=SCHEMA, alias="schema")
    version: int = SCHEMA_VERSION
    config: SearchConfig
    space_digest: str
    objectives: tuple[ObjectiveRecord, ...]
    watched: tuple[Quantity, ...] = ()
    provenance: Provenance
    versions: dict[str, str]
    opening_budget: Annotated[int, Field(ge=1, le=MOST)] | None = None
    partial_examples: PartialExamples = "random"
    budgets: tuple[tuple[Count, Annotated[int, Field(ge=1, le=MOST)]], ...] = ()

    def budget_in(self, number: int) -> int | None:
        """Return what the run was told that it may cost when round `number` was asked for; None where it was not."""
        since = [budget for first, budget in self.budgets if first <= number]
        return since[-1] if since else self.opening_budget

    def given(self, budget: int, number: int) -> RunHeader:
        """Return the description of a run that is given another budget before round `number` is asked for."""
        before = tuple((first, told) for first, told in self.budgets if first < number)
        return self.model_copy(update={"budgets": (*before, (number, budget))})

    @property
    def names(self) -> tuple[str, ...]:
        """Names of the objectives, in the run's order."""
        return tuple(objective.name for objective in self.objectives)

    @property
    def quantities(self) -> tuple[Quantity, ...]:
        """Everything that an evaluation holds a value of: the objectives, then what else is constrained."""
        return (*self.objectives, *self.watched)

    @property
    def quantity_names(self) -> tuple[str, ...]:
        """Names of all that an evaluation holds a value of."""
        return tuple(quantity.name for quantity in self.quantities)

    def started_from(self, start_sha256: str) -> RunHeader:
        """Return the description of a run that started from another one."""
        return self.model_copy(update={"provenance": self.provenance.having(start_sha256=start_sha256)})


class Evaluation(BaseModel):
    """One validation, the `position`-th of `size` in its round and the `order`-th that was written, all from 0.

    `share` is that of the validation data, 1 for a full validation, and what the evaluation cost; `values` are by
    objective in its unit, none where it `failed`, which says why; `expected` are mean and deviation that the tactic
    expected of a full validation before; `deployment` is the number of that in which the network runs, as the run's
    provenance lists them, None where there is no choice; `seconds` is what it took, `elapsed_s` what the run had taken
    after it; `outcomes` are those of a pilot, by which later partial evaluations choose their examples.
    """

    model_config = ConfigDict(frozen=True, extra="forbid")

    round: Count
    position: Count
    size: Annotated[Count, Field(ge=1)]
    order: Count
    id: str
    indices: Genes
    share: float = Field(gt=0, le=1)
    values: dict[str, float]
    deployment: Count | None = None
    expected: Expected | None
    seconds: Seconds
    elapsed_s: Seconds
    failed: str | None
    outcomes: KeptOutcomes | None = None

    @property
    def is_full(self) -> bool:
        """Whether it has values of all the data."""
        return self.share == 1.0 and self.failed is None

    @property
    def is_partial(self) -> bool:
        """Whether it has values of a part of the data."""
        return self.share < 1.0 and self.failed is None


def renamed(content: dict[str, Any]) -> dict[str, Any]:
    """Return the content of a run file of any version with its settings called as they are now."""
    config, watched = content.get("config"), content.get("watched")
    if isinstance(config, dict):
        content = {**content, "config": {RENAMED.get(name, name): value for name, value in config.items()}}
    if content["version"] < FIRST_WITH_DEPLOYMENT and isinstance(watched, list):
        content = {**content, "watched": [quantity for quantity in watched if quantity != OLD_DEPLOYMENT]}
    return content


def with_deployment(line: Record) -> Record:
    """Return a record of before version 4 with the number of its deployment as a field, no value."""
    values = line.get("values")
    if not isinstance(values, dict) or OLD_DEPLOYMENT["name"] not in values:
        return line
    values = dict(values)
    return line | {"deployment": values.pop(OLD_DEPLOYMENT["name"]), "values": values}


def read_header(folder: Path) -> RunHeader:
    """Read `run.json` of any version; raises RunDamaged."""
    path = folder / RUN_FILE
    try:
        content = value_from_json(read_text_file(path))
        if content.get("schema") != SCHEMA or content.get("version") not in READABLE:
            raise RunDamaged(
                f"{path} has schema {content.get('schema')!r} version {content.get('version')!r}; "
                f"this Gnomon reads {SCHEMA} versions {READABLE[0]} to {READABLE[-1]}",
                path=path,
            )
        header = RunHeader.model_validate(renamed(content))
        if fault := fault_of_header(header):
            raise ValueError(fault)
        return header
    except OSError as error:
        raise RunDamaged(f"no run in {folder}: {error}; start one: gnomon search --out FOLDER", path=path) from error
    except (ValueError, AttributeError, InvalidConfig) as error:
        raise RunDamaged(f"{path} is not a run's description: {first_line(error)}", path=path) from error


def fault_of_header(header: RunHeader) -> str:
    """Say which field no run was described by, beginning with its name; "" where each may be."""
    for name, count in Counter(header.quantity_names).items():
        if count > 1:
            return f"objectives, watched: {name!r} is named {count} times"
    if header.names != header.config.objectives:
        return f"objectives: {', '.join(header.names)}; config.objectives names {', '.join(header.config.objectives)}"
    for number, objective in enumerate(header.objectives):
        if not math.isfinite(objective.reference):
            return f"objectives.{number}.reference: {objective.reference} is no finite number"
    return ""


def first_line(error: Exception) -> str:
    """Say what pydantic or json found first."""
    if isinstance(error, ValidationError):
        first = error.errors()[0]
        return f"{'.'.join(str(part) for part in first['loc'])}: {first['msg']}"
    return str(error)


def journal_lines(path: Path) -> list[Record]:
    """Read a run folder's journal, none when it is not there; warns of a torn last line, which is dropped.

    Raises RunDamaged, also for what is no regular file.
    """
    try:
        records, torn = read_journal(path)
    except FileNotFoundError:
        return []
    except JournalDamaged as error:
        raise RunDamaged(str(error), path=path, line_number=error.line_number) from error
    except OSError as error:
        raise RunDamaged(f"cannot read {path}: {error}", path=path) from error
    warn_torn(torn)
    return records
