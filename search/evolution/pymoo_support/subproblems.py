"""MOEA/D's population: the best architecture known for each weighted subproblem."""

from __future__ import annotations

import math
from typing import Any

import numpy as np
from moocore import is_nondominated
from pymoo.algorithms.moo.moead import ParallelMOEAD
from pymoo.core.population import Population

from ...problem.objective import Values
from .geometry import normalised

NEIGHBOURS = 20


class Subproblems(ParallelMOEAD):  # type: ignore[misc]
    """pymoo's MOEA/D, told generations of any members, with costs on the scale of the present front."""

    def _initialize_advance(self, infills: Any = None, **kwargs: Any) -> None:
        infills.set("costs", infills.get("F"))
        self._rescale(infills)
        self.pop = Population.create(*infills[np.argmin(self._served(infills.get("F")), axis=1)])

    def _infill(self) -> Any:
        children = Population.create()
        for _ in range(self.mating.n_max_iterations):
            missing = self.n_offsprings - len(children)
            if missing <= 0:
                break
            chosen = self.random_state.integers(len(self.pop), size=math.ceil(missing / 2))
            neighbours = self.neighbors[chosen]
            parents = self.selection.do(
                self.problem, self.pop, len(chosen), 2, neighbors=neighbours, random_state=self.random_state
            )
            bred = self.mating._do(
                self.problem, self.pop, missing, parents=parents, algorithm=self, random_state=self.random_state
            )
            bred = self.mating.repair(self.problem, bred, random_state=self.random_state)
            bred = self.mating.eliminate_duplicates.do(bred, children)
            children = Population.merge(children, bred[:missing])
        return children

    def _advance(self, infills: Any = None, **kwargs: Any) -> None:
        infills.set("costs", infills.get("F"))
        self._rescale(Population.merge(self.pop, infills))
        serves = np.argmin(self._served(infills.get("F")), axis=0)
        for subproblem, child in zip(serves, infills):
            self._replace(subproblem, child)

    def _rescale(self, everyone: Any) -> None:
        costs = everyone.get("costs")
        everyone.set("F", normalised(costs, costs[is_nondominated(costs, keep_weakly=True)]))
        self.ideal = np.zeros(costs.shape[1])

    def _served(self, costs: Values) -> Values:
        """Return the subproblems' values of (n, m) costs, (subproblems, n)."""
        weighted = self.decomposition.do(costs, weights=self.ref_dirs, _type="many_to_many", ideal_point=self.ideal)
        return np.asarray(weighted).T
