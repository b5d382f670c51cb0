"""A genetic algorithm for one objective: the better of two mate, the best of parents and children survive."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

import numpy as np

from ..algorithm import Evolution, Setting, Takes


@dataclass(frozen=True)
class Genetic:
    """Violation first, then the objective."""

    takes: ClassVar[Takes] = Takes(1, 1)

    def start(self, setting: Setting) -> Evolution:
        """Begin with nothing known."""
        from pymoo.algorithms.soo.nonconvex.ga import GA, FitnessSurvival

        from ..pymoo_support.breeding import Breeding
        from ..pymoo_support.operators import operators, tournament

        selection = tournament(lambda pop: np.stack([pop.get("CV")[:, 0], pop.get("F")[:, 0]], axis=1))
        return Breeding(
            setting, GA(pop_size=setting.population, survival=FitnessSurvival(), **operators(setting, selection))
        )


def build() -> Genetic:
    """Build the algorithm."""
    return Genetic()
