"""What counts in a front: full measurements, and those that a run took over from another one."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass

import numpy as np

from ..supernets.space import Architecture
from .config import SearchConfig
from .constraint import Constraint, violation
from .objective import Objective, Values
from .pareto import hypervolume
from .records import Evaluation, ObjectiveRecord, RunHeader
from .start import Start


@dataclass(frozen=True, slots=True)
class Measured:
    """An architecture with its value of each objective, in the run's order; `source` is the sha256 of another run."""

    architecture: Architecture
    values: tuple[float, ...]
    source: str | None = None


def measured_of(header: RunHeader, start: Start | None, evaluations: Iterable[Evaluation]) -> tuple[Measured, ...]:
    """Return what counts in a run's front: evidence of another run first, then full measurements in order."""
    space = header.config.space
    taken = []
    if start is not None:
        source = start.header.source
        taken = [Measured(Architecture(space, row), values, source) for row, values in start.evidence(header.names)]
    own = [
        Measured(Architecture(space, e.indices), tuple(e.values[name] for name in header.names))
        for e in evaluations
        if e.is_full
    ]
    return (*taken, *own)


def values_of(header: RunHeader, measured: Sequence[Measured]) -> Values:
    """Return values in the run's order of objectives, (n, m)."""
    return np.array([one.values for one in measured], dtype=np.float64).reshape(-1, len(header.objectives))


def violations_of(header: RunHeader, values: Values) -> Values:
    """Return by how much (n, m) values break the run's constraints, (n,)."""
    return violation(values, list(header.names), parse_constraints(header.config, header.objectives))


def feasible_volume(header: RunHeader, values: Values) -> float:
    """Return the hypervolume of those of (n, m) values that keep the constraints, up to the run's reference point."""
    kept = values[violations_of(header, values) == 0]
    directions = [objective.direction for objective in header.objectives]
    return hypervolume(kept, directions, [objective.reference for objective in header.objectives])


def parse_constraints(
    config: SearchConfig, objectives: Sequence[Objective | ObjectiveRecord]
) -> tuple[Constraint, ...]:
    """Read the settings' constraints; raises InvalidConstraint."""
    units = {objective.name: objective.unit for objective in objectives}
    return tuple(Constraint.parse(text, units) for text in config.constraints)
