"""A genetic algorithm of pymoo behind our interface: told generations, asked for unseen children.

Survivors of equal worth are drawn from the setting's seed, children from the `rng` of the question, so that what is
asked never changes who survives. Costs are scaled by the first generation's extent: pymoo compares some objectives
with fixed epsilons. Its warnings filter, which NSGA-III replaces for the whole process, is put back.
"""

from __future__ import annotations

import warnings
from typing import Any

import numpy as np
from pymoo.config import Config
from pymoo.core.population import Population
from pymoo.core.problem import Problem
from pymoo.core.termination import NoTermination

from ....supernets.space.space import Indices
from ...archive import key_of
from ...problem.objective import Values
from ..algorithm import Setting
from .operators import KnownKeys

MATING_ATTEMPTS = 20  # times that children are bred again when all were duplicates


class Breeding:
    """An evolution by one of pymoo's genetic algorithms."""

    def __init__(self, setting: Setting, algorithm: Any, *, constraints: bool = True) -> None:
        Config.warnings["not_compiled"] = False  # its banner would land in the middle of our output
        self.known: set[bytes] = set()
        self.constraints = constraints
        self.genes = len(setting.space.choices)
        self.origin: Values | None = None
        self.extent: Values | None = None
        algorithm.mating.eliminate_duplicates = KnownKeys(self.known)
        algorithm.mating.n_max_iterations = MATING_ATTEMPTS
        problem = Problem(
            n_var=self.genes,
            n_obj=setting.objectives,
            n_ieq_constr=int(constraints),
            xl=0,
            xu=setting.space.radices - 1,
            vtype=int,
        )
        algorithm.setup(problem, termination=NoTermination())
        self.survival_rng = algorithm.random_state = np.random.default_rng(setting.seed)
        self.algorithm = algorithm

    def tell(self, rows: Indices, costs: Values, violations: Values) -> None:
        """Let (n, d) rows compete by (n, m) costs, and (n,) violations first."""
        self.known.update(key_of(row) for row in rows)
        individuals = Population.new("X", rows)
        individuals.set("F", self.scaled(costs))
        if self.constraints:
            individuals.set("G", violations[:, None])
            individuals.set("CV", violations[:, None])
        with warnings.catch_warnings(), np.errstate(all="ignore"):
            self.algorithm.tell(infills=individuals)

    def ask(self, n: int, rng: np.random.Generator) -> Indices:
        """Return up to `n` unseen children, (k, d)."""
        self.algorithm.random_state = rng
        self.algorithm.n_offsprings = n
        with np.errstate(all="ignore"):
            children = self.algorithm.ask()
        self.algorithm.random_state = self.survival_rng
        self.algorithm.termination.force_termination = False  # set where nothing new could be bred
        if children is None or len(children) == 0:
            return np.empty((0, self.genes), dtype=np.int64)
        return np.asarray(children.get("X"), dtype=np.int64)[:n]

    def scaled(self, costs: Values) -> Values:
        """Return costs in extents of the first generation told."""
        if self.origin is None or self.extent is None:
            self.origin = costs.min(axis=0)
            extent = np.ptp(costs, axis=0)
            self.extent = np.where(extent > 0, extent, 1.0)
        return (costs - self.origin) / self.extent
