"""A final front as a value: derived from its records each time it is read."""

from __future__ import annotations

import json
import os
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from functools import cached_property
from html import escape
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from ...supernets.space.space import Architecture
from ..errors import Infeasible, RunDamaged, RunMismatch
from ..fronts.pareto import ParetoFront
from ..problem.constraint import Constraint
from ..problem.objective import ObjectiveInfo
from ..runs.files.records import FINAL_FILE, JOURNAL_FILE
from .records import (
    SCHEMA,
    SCHEMA_VERSION,
    FinalHeader,
    Record,
    SpeedRatio,
    Timing,
    Validation,
    read_final_journal,
    require_architectures,
    run_digest,
)
from .summary import LatencyAgreement, Optimism, PauseEffect, Standing, standings

if TYPE_CHECKING:
    from ..runs.run import Run


@dataclass(frozen=True, repr=False)
class FinalFront:
    """A run's front after validation on the report split and, where it could be, timing.

    `records` begin with the header; `space`, `objectives` and the `constraints` on these are the run's.
    """

    folder: Path
    space: str
    objectives: tuple[ObjectiveInfo, ...]
    constraints: tuple[Constraint, ...]
    records: tuple[Record, ...]

    def __repr__(self) -> str:
        return f"FinalFront({self.folder}: {self.said})"

    def __str__(self) -> str:
        return f"{self.folder}: {self.said}\n{self._stays()}"

    def _repr_html_(self) -> str:
        said = f"<p>{escape(f'{self.folder}: {self.said}')}</p>"
        front = self._stays()
        return said + (f"<p>{escape(str(front))}</p>" if isinstance(front, Infeasible) else front._repr_html_())

    def _stays(self) -> ParetoFront | Infeasible:
        try:
            return self.front()
        except Infeasible as error:
            return error

    @property
    def said(self) -> str:
        """How many members stay, on what, in words."""
        stay = [standing.on_front for standing in self.standings].count(True)
        priced = f", priced by {self.pricing}" if self.pricing else ""
        return f"{stay} of {len(self.members)} members stay on the front, on {self.header.report_split}{priced}"

    @property
    def header(self) -> FinalHeader:
        """What decides this final front."""
        (header,) = (record for record in self.records if isinstance(record, FinalHeader))
        return header

    @property
    def pricing(self) -> str | None:
        """The name of the profile that priced the front anew; None where it is the run's own."""
        return None if self.header.evaluations is None else (self.header.profile or {}).get("name")

    def prices_like(self, run: Run) -> bool:
        """Tell whether the members are the front of `run` as it is priced, with the latencies that it has."""
        front = run.front()
        names = [objective.name for objective in self.objectives]
        ours = {member.id: tuple(member.search[name] for name in names) for member in self.members}
        return ours == dict(zip((architecture.id for architecture in front.architectures), front.values))

    @property
    def members(self) -> tuple[Validation, ...]:
        """The members of the run's front, in its order."""
        return tuple(self._validations("member")[member] for member in self.header.front)

    @property
    def controls(self) -> tuple[Validation, ...]:
        """The networks of the first rounds that show what the splits' difference alone does."""
        return tuple(self._validations("control")[control] for control in self.header.controls)

    @property
    def timings(self) -> dict[str, Timing]:
        """Latencies by id; empty without a profile."""
        return {record.id: record for record in self.records if isinstance(record, Timing)}

    @property
    def costly(self) -> tuple[str, ...]:
        """The objectives that were validated again."""
        return tuple(self.members[0].report)

    def value_of(self, member: Validation) -> dict[str, float]:
        """Return a member's final value of each objective: validated again, measured, or the search's where exact."""
        timing = self.timings.get(member.id)
        measured = {} if timing is None or timing.measured_us is None else {self.header.latency: timing.measured_us}
        return member.search | member.report | measured

    @cached_property
    def standings(self) -> tuple[Standing, ...]:
        """Whether each member stays on the front by its final values."""
        return standings(
            self.header.front,
            [self.value_of(member) for member in self.members],
            {objective.name: objective.direction for objective in self.objectives},
            unknown={t.id: f"could not be timed: {t.failed}" for t in self.timings.values() if t.failed},
            violated=self.violated_by,
        )

    def violated_by(self, values: Mapping[str, float]) -> str:
        """Name the run's constraints on objectives that values violate, or nothing; others are exact, and kept."""
        return ", ".join(str(c) for c in self.constraints if not c.holds(np.array([values[c.objective]]))[0])

    def front(self) -> ParetoFront:
        """Return the members that stay, with their final values; raises Infeasible when none does."""
        kept = [member for member, standing in zip(self.members, self.standings) if standing.on_front]
        if not kept:
            nearest = Architecture(self.space, self.members[0].indices)
            raise Infeasible(f"no member of the final front in {self.folder} keeps the constraints", nearest=nearest)
        values = [[self.value_of(member)[objective.name] for objective in self.objectives] for member in kept]
        architectures = [Architecture(self.space, member.indices) for member in kept]
        return ParetoFront.of(architectures, np.array(values), self.objectives)

    @cached_property
    def optimism(self) -> dict[str, Optimism]:
        """By how much the search's values were too good, by objective that was validated again."""
        directions = {objective.name: objective.direction for objective in self.objectives}
        return {
            name: Optimism.of(
                [(member.search[name], member.report[name]) for member in self.members],
                [(control.search[name], control.report[name]) for control in self.controls],
                directions[name],
            )
            for name in self.costly
        }

    @cached_property
    def agreement(self) -> LatencyAgreement | None:
        """How right the predicted latencies were; None where none was measured."""
        timed = [(t, t.measured_us) for t in self.timings.values() if t.measured_us is not None]
        speed_ratio = [record.anchor_ratio for record in self.records if isinstance(record, SpeedRatio)]
        if not timed or not speed_ratio:
            return None
        intervals = [None if t.low_us is None or t.high_us is None else (t.low_us, t.high_us) for t, _ in timed]
        return LatencyAgreement.of(
            [t.predicted_us for t, _ in timed], [us for _, us in timed], intervals, speed_ratio[0]
        )

    @cached_property
    def pauses(self) -> PauseEffect | None:
        """What pauses do to the latencies of the members; None where no period was asked for, or nothing timed."""
        found = [t for t in self.timings.values() if t.measured_us and t.seen and t.seen.factor and t.seen.paced_us]
        if not found or self.header.period_ms is None:
            return None
        return PauseEffect.of(
            self.header.period_ms,
            [t.measured_us for t in found if t.measured_us],
            [t.seen.paced_us for t in found if t.seen and t.seen.paced_us],
            [(t.seen.factor.ratio, t.seen.factor.low, t.seen.factor.high) for t in found if t.seen and t.seen.factor],
        )

    def as_json(self) -> dict[str, Any]:
        """Return everything but raw blocks, as final.json holds it."""
        members = [
            {
                "id": member.id,
                "indices": member.indices,
                "search": member.search,
                "report": member.report,
                "latency": timing and timing.model_dump(include={"predicted_us", "low_us", "high_us", "measured_us"}),
                "seen": timing and timing.seen and timing.seen.model_dump(exclude={"paced_block_us"}),
                "final": self.value_of(member),
                "on_front": standing.on_front,
                "reason": standing.reason,
            }
            for member, standing in zip(self.members, self.standings)
            for timing in [self.timings.get(member.id)]
        ]
        return {
            "schema": SCHEMA,
            "version": SCHEMA_VERSION,
            "header": self.header.model_dump(mode="json", by_alias=True, exclude={"record", "schema_id", "version"}),
            "objectives": [asdict(objective) for objective in self.objectives],
            "members": members,
            "controls": [control.model_dump(mode="json", exclude={"record", "role"}) for control in self.controls],
            "optimism": {name: asdict(optimism) for name, optimism in self.optimism.items()},
            "latency": self.agreement and asdict(self.agreement),
            "pauses": self.pauses and asdict(self.pauses),
        }

    def to_json(self) -> str:
        """Return the text of final.json."""
        return json.dumps(self.as_json(), indent=1, allow_nan=False)

    def _validations(self, role: str) -> dict[str, Validation]:
        return {record.id: record for record in self.records if isinstance(record, Validation) and record.role == role}


def final_from(run: Run, records: Sequence[Record]) -> FinalFront:
    """Return the final front of a run that records tell of."""
    names = [objective.name for objective in run.objectives]
    constraints = tuple(constraint for constraint in run.problem.constraints if constraint.objective in names)
    return FinalFront(run.folder, run.config.space, run.objectives, constraints, tuple(records))


def load_final(run: Run) -> FinalFront | None:
    """Read the sealed final front of a run; None when there is none.

    It may be of the front under another profile than the run's: `header.profile` says which. Raises RunDamaged, and
    RunMismatch for one of another state of the run, made before it went on.
    """
    if not os.path.lexists(run.folder / FINAL_FILE):
        return None
    records = read_final_journal(run.folder)
    require_architectures(records, run.config.space, run.folder / JOURNAL_FILE)
    final = final_from(run, records)
    front = tuple(architecture.id for architecture in run.front().architectures)
    validated = {(record.role, record.id) for record in records if isinstance(record, Validation)}
    if not records or not validated >= {("member", m) for m in final.header.front} | {
        ("control", c) for c in final.header.controls
    }:
        raise RunDamaged(
            f"{run.folder / JOURNAL_FILE} is not all of the sealed final front; make it anew: finish with `force=True`",
            path=run.folder / JOURNAL_FILE,
        )
    header, digest = final.header, run_digest(run.folder)
    is_same = header.front == front if header.evaluations is None else header.evaluations == len(run.evaluations)
    if header.run != digest or not is_same:
        raise RunMismatch(
            f"the final front in {run.folder} is of an earlier state of the run; make it anew: finish "
            "with `force=True`",
            fields=("run" if header.run != digest else "front",),
        )
    return final
