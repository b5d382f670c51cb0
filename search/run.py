"""A search as its folder tells it: what was asked, every true validation, the front of them.

Reading needs neither the space nor the super-network.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path

import numpy as np

from ..supernets.space import Architecture
from .config import SearchConfig
from .constraint import Constraint, violation
from .objective import Direction, Values
from .pareto import ParetoFront, hypervolume, pareto_front
from .records import Evaluation, ObjectiveInfo, RunHeader, read_evaluations, read_header


@dataclass(frozen=True)
class Run:
    """A search's folder as read: `header` and the `evaluations` so far, in order; `warnings` of the reader."""

    folder: Path
    header: RunHeader
    evaluations: tuple[Evaluation, ...]
    warnings: tuple[str, ...] = ()

    @property
    def config(self) -> SearchConfig:
        """The settings of the search."""
        return self.header.config

    @property
    def is_complete(self) -> bool:
        """Whether the whole budget was measured."""
        return len(self.evaluations) == self.config.budget

    @property
    def names(self) -> tuple[str, ...]:
        """Names of the objectives, m of them."""
        return tuple(objective.name for objective in self.header.objectives)

    @property
    def directions(self) -> tuple[Direction, ...]:
        """Direction of each objective, m of them."""
        return tuple(objective.direction for objective in self.header.objectives)

    @cached_property
    def constraints(self) -> tuple[Constraint, ...]:
        """The configuration's constraints, in the objectives' units."""
        return constraints_of(self.config, self.header.objectives)

    def architectures(self) -> tuple[Architecture, ...]:
        """Return the measured architectures in order."""
        return tuple(Architecture(self.config.space, evaluation.indices) for evaluation in self.evaluations)

    def values(self) -> Values:
        """Return the measured values in order, (n, m)."""
        rows = [[evaluation.values[name] for name in self.names] for evaluation in self.evaluations]
        return np.array(rows, dtype=np.float64).reshape(-1, len(self.names))

    def front(self) -> ParetoFront:
        """Return the Pareto front of the measured architectures, of the feasible ones where there are any."""
        return pareto_front(
            self.architectures(),
            self.values(),
            names=self.names,
            units=[objective.unit for objective in self.header.objectives],
            directions=self.directions,
            constraints=self.constraints,
        )

    def hypervolume(self, first: int | None = None) -> float:
        """Return the hypervolume of the feasible among the `first` evaluations (all), against the reference point."""
        values = self.values()[:first]
        feasible = values[violation(values, self.names, self.constraints) == 0]
        return hypervolume(feasible, self.header.reference, self.directions)

    def hypervolume_trace(self) -> tuple[float, ...]:
        """Return the hypervolume after each evaluation."""
        return tuple(self.hypervolume(first) for first in range(1, len(self.evaluations) + 1))


def load_run(folder: Path | str) -> Run:
    """Read a run folder; raises RunDamaged, naming the line, for a file that is not what was written."""
    folder = Path(folder)
    header = read_header(folder)
    evaluations, warnings = read_evaluations(folder, header)
    return Run(folder, header, evaluations, warnings)


def constraints_of(config: SearchConfig, objectives: Sequence[ObjectiveInfo]) -> tuple[Constraint, ...]:
    """Read the configuration's constraints; raises InvalidConstraint."""
    units = {objective.name: objective.unit for objective in objectives}
    return tuple(Constraint.parse(text, units) for text in config.constraints)
