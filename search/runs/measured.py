"""What counts in a front: full measurements, partial ones that are exact enough, and what another run measured."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass

import numpy as np

from ...supernets.space.space import Architecture
from ..fronts.growing import hypervolumes
from ..fronts.pareto import hypervolume
from ..problem.objective import Objective, ObjectiveInfo, Quantity, Values
from ..problem.problem import Problem, parsed
from ..problem.region import Region
from .counting import counted_from, least_counting_share, taken_over
from .files.records import Evaluation, RunHeader
from .files.start import Start, StartRecord

AnyProblem = Problem[Objective] | Problem[Quantity]


@dataclass(frozen=True, slots=True)
class Measured:
    """An architecture with its value of each objective, in the run's order, and of what else is constrained.

    `source` is the sha256 of another run, `deployment` the number of that in which it runs, None without a choice,
    `share` that of the examples that it was evaluated on.
    """

    architecture: Architecture
    values: tuple[float, ...]
    source: str | None = None
    watched: tuple[float, ...] = ()
    deployment: int | None = None
    share: float = 1.0

    @property
    def quantities(self) -> tuple[float, ...]:
        """The values of all that is measured."""
        return (*self.values, *self.watched)


def measured_of(header: RunHeader, start: Start | None, evaluations: Iterable[Evaluation]) -> tuple[Measured, ...]:
    """Return what counts in a run's front: evidence of another run first, then what counts of the run's, in order."""
    known = tuple(evaluations)
    least = least_counting_share(header, start, known)
    return as_measured(header, start, counted_from(least, start, known), least)


def as_measured(
    header: RunHeader, start: Start | None, counting: Sequence[Evaluation], least: float = 1.0
) -> tuple[Measured, ...]:
    """Return evidence of another run that counts from the share `least` on, then evaluations that do in this run's."""
    space, names, m = header.config.space, header.quantity_names, len(header.objectives)
    records: list[tuple[StartRecord | Evaluation, str | None]] = []
    if start is not None:
        records += [(record, start.header.source) for record in taken_over(least, start, counting)]
    records += [(evaluation, None) for evaluation in counting]
    measured = []
    for record, source in records:
        values = tuple(record.values[name] for name in names)
        architecture = Architecture(space, record.indices)
        measured.append(Measured(architecture, values[:m], source, values[m:], record.deployment, record.share))
    return tuple(measured)


def problem_of(header: RunHeader) -> Problem[Quantity]:
    """Return what a run is after, as its description says; raises InvalidConstraint, InvalidConfig."""
    objectives = tuple(ObjectiveInfo(o.name, o.unit, o.direction) for o in header.objectives)
    return Problem(
        objectives,
        header.watched,
        parsed(header.config.constraints, (*objectives, *header.watched)),
        Region.of(header.config.region, objectives),
        tuple(objective.reference for objective in header.objectives),
    )


def values_of(problem: AnyProblem, measured: Sequence[Measured]) -> Values:
    """Return values in the run's order of objectives, (n, m)."""
    return np.array([measurement.values for measurement in measured], dtype=np.float64).reshape(
        -1, len(problem.objectives)
    )


def violations_of(problem: AnyProblem, measured: Sequence[Measured]) -> Values:
    """Return by how much architectures break the run's constraints, (n,)."""
    values = np.array([measurement.quantities for measurement in measured], dtype=np.float64).reshape(
        -1, len(problem.units)
    )
    return problem.violation(values)


def volume_of(problem: AnyProblem, values: Values) -> float:
    """Return the hypervolume of (n, m) values up to the run's reference point, clipped to its region."""
    return hypervolume(problem.region.clipped(values), problem.directions, problem.reference)


def volumes_of(problem: AnyProblem, values: Values) -> Values:
    """Return the hypervolume of the first 1, 2, ... n of (n, m) values, as `volume_of`, (n,)."""
    return hypervolumes(problem.region.clipped(values), problem.directions, problem.reference)


def feasible_volume(problem: AnyProblem, measured: Sequence[Measured]) -> float:
    """Return the hypervolume of what keeps the constraints."""
    return volume_of(problem, values_of(problem, measured)[violations_of(problem, measured) == 0])
