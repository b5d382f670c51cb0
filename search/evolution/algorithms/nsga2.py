"""NSGA-II: non-dominated rank, then the least crowded (Deb et al. 2002, doi:10.1109/4235.996017)."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

from ..algorithm import Evolution, Setting, Takes


@dataclass(frozen=True)
class NonDominatedSorting:
    """For two objectives and more; with one, the front is a point."""

    takes: ClassVar[Takes] = Takes(2)

    def start(self, setting: Setting) -> Evolution:
        """Begin with nothing known."""
        from pymoo.algorithms.moo.nsga2 import NSGA2
        from pymoo.operators.survival.rank_and_crowding import RankAndCrowding

        from ..pymoo_support.breeding import Breeding
        from ..pymoo_support.operators import operators, rank_and_crowding, tournament

        arguments = operators(setting, tournament(rank_and_crowding))
        return Breeding(setting, NSGA2(pop_size=setting.population, survival=RankAndCrowding(), **arguments))


def build() -> NonDominatedSorting:
    """Build the algorithm."""
    return NonDominatedSorting()
