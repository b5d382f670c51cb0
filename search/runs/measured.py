"""What counts in a front: full measurements, and those that a run took over from another one."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass

import numpy as np

from ...supernets.space.space import Architecture
from ..config import SearchConfig
from ..fronts.pareto import hypervolume
from ..problem.constraint import Constraint, violation
from ..problem.objective import Objective, Values
from ..problem.region import Region
from .records import Evaluation, ObjectiveRecord, RunHeader, WatchedRecord
from .start import Start


@dataclass(frozen=True, slots=True)
class Measured:
    """An architecture with its value of each objective, in the run's order, and of what else is constrained.

    `source` is the sha256 of another run.
    """

    architecture: Architecture
    values: tuple[float, ...]
    source: str | None = None
    watched: tuple[float, ...] = ()

    @property
    def quantities(self) -> tuple[float, ...]:
        """The values of all that is measured."""
        return (*self.values, *self.watched)


def measured_of(header: RunHeader, start: Start | None, evaluations: Iterable[Evaluation]) -> tuple[Measured, ...]:
    """Return what counts in a run's front: evidence of another run first, then full measurements in order."""
    space, names, m = header.config.space, header.quantity_names, len(header.objectives)
    taken = []
    if start is not None:
        source = start.header.source
        taken = [
            Measured(Architecture(space, row), values[:m], source, values[m:]) for row, values in start.evidence(names)
        ]
    own = []
    for e in evaluations:
        if e.is_full:
            values = tuple(e.values[name] for name in names)
            own.append(Measured(Architecture(space, e.indices), values[:m], watched=values[m:]))
    return (*taken, *own)


def values_of(header: RunHeader, measured: Sequence[Measured]) -> Values:
    """Return values in the run's order of objectives, (n, m)."""
    return np.array([one.values for one in measured], dtype=np.float64).reshape(-1, len(header.objectives))


def violations_of(header: RunHeader, measured: Sequence[Measured]) -> Values:
    """Return by how much architectures break the run's constraints, (n,)."""
    names = list(header.quantity_names)
    values = np.array([one.quantities for one in measured], dtype=np.float64).reshape(-1, len(names))
    return violation(values, names, parse_constraints(header.config, header.quantities))


def volume_of(header: RunHeader, values: Values) -> float:
    """Return the hypervolume of (n, m) values up to the run's reference point, clipped to its region."""
    directions = [objective.direction for objective in header.objectives]
    clipped = Region.of(header.config.region, header.objectives).clipped(values)
    return hypervolume(clipped, directions, [objective.reference for objective in header.objectives])


def feasible_volume(header: RunHeader, measured: Sequence[Measured]) -> float:
    """Return the hypervolume of what keeps the constraints."""
    return volume_of(header, values_of(header, measured)[violations_of(header, measured) == 0])


def parse_constraints(
    config: SearchConfig, quantities: Sequence[Objective | ObjectiveRecord | WatchedRecord]
) -> tuple[Constraint, ...]:
    """Read the settings' constraints; raises InvalidConstraint."""
    units = {quantity.name: quantity.unit for quantity in quantities}
    return tuple(Constraint.parse(text, units) for text in config.constraints)
