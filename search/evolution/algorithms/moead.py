"""MOEA/D: one weighted subproblem a parent, neighbours mate (Zhang & Li 2007, doi:10.1109/TEVC.2007.892759).

Any architecture may be told, so a child competes in the neighbourhood of the subproblem that it serves best instead of
the one it was bred for (Wang et al. 2014, doi:10.1109/TCYB.2015.2403849). As in pymoo, there are no constraints.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

from ..algorithm import Evolution, Setting, Takes


@dataclass(frozen=True)
class Decomposition:
    """Tchebycheff with two objectives, penalised distance to the direction with more."""

    takes: ClassVar[Takes] = Takes(2, constraints=False)

    def start(self, setting: Setting) -> Evolution:
        """Begin with nothing known."""
        from ..pymoo_support.breeding import Breeding
        from ..pymoo_support.geometry import directions
        from ..pymoo_support.operators import operators
        from ..pymoo_support.subproblems import NEIGHBOURS, Subproblems

        arguments = operators(setting, None)
        del arguments["selection"]  # neighbours
        weights = directions(max(2, setting.population), setting.objectives)
        algorithm = Subproblems(weights, n_neighbors=min(NEIGHBOURS, len(weights)), **arguments)
        return Breeding(setting, algorithm, constraints=False)


def build() -> Decomposition:
    """Build the algorithm."""
    return Decomposition()
