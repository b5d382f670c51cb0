"""U-NSGA-III: rank, then niches of reference directions (Seada & Deb 2016, doi:10.1109/TEVC.2015.2459718).

There are as many directions as parents, evenly spread.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, ClassVar

import numpy as np
from numpy.typing import NDArray

from ..algorithm import Evolution, Setting, Takes


@dataclass(frozen=True)
class ReferenceDirections:
    """Two of one niche compete by rank and distance to its direction; of two niches, either mates."""

    takes: ClassVar[Takes] = Takes(2)

    def start(self, setting: Setting) -> Evolution:
        """Begin with nothing known."""
        from pymoo.algorithms.moo.unsga3 import UNSGA3
        from pymoo.operators.selection.tournament import TournamentSelection

        from ..pymoo_support.breeding import Breeding
        from ..pymoo_support.geometry import directions
        from ..pymoo_support.operators import attribute, lexicographic, operators, winners

        def compared(pop: Any, P: Any, random_state: Any = None, **kwargs: Any) -> NDArray[np.int64]:
            violation = pop.get("CV")[:, :1]
            niche = attribute(pop, "niche", -1.0)
            within = np.stack([attribute(pop, "rank", np.inf), attribute(pop, "dist_to_niche", np.inf)], axis=1)
            better = lexicographic(violation[P[:, 0]], violation[P[:, 1]])
            rivals = (better == 0) & (niche[P[:, 0]] == niche[P[:, 1]])
            better = np.where(rivals, lexicographic(within[P[:, 0]], within[P[:, 1]]), better)
            return winners(P, better, random_state)

        algorithm = UNSGA3(
            directions(setting.population, setting.objectives),
            pop_size=setting.population,
            **operators(setting, TournamentSelection(func_comp=compared)),
        )
        return Breeding(setting, algorithm)


def build() -> ReferenceDirections:
    """Build the algorithm."""
    return ReferenceDirections()
