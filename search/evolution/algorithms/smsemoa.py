"""SMS-EMOA: who adds least hypervolume leaves (Beume, Naujoks & Emmerich 2007, doi:10.1016/j.ejor.2006.08.008).

A generation is bred at once and then reduced one by one.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

import numpy as np

from ..algorithm import Evolution, Setting, Takes


@dataclass(frozen=True)
class HypervolumeSelection:
    """Parents mate by violation and rank."""

    takes: ClassVar[Takes] = Takes(2)

    def start(self, setting: Setting) -> Evolution:
        """Begin with nothing known."""
        from pymoo.algorithms.moo.sms import SMSEMOA, LeastHypervolumeContributionSurvival

        from ..pymoo_support.breeding import Breeding
        from ..pymoo_support.operators import attribute, operators, tournament

        selection = tournament(lambda pop: np.stack([pop.get("CV")[:, 0], attribute(pop, "rank", np.inf)], axis=1))
        survival = LeastHypervolumeContributionSurvival()
        return Breeding(
            setting, SMSEMOA(pop_size=setting.population, survival=survival, **operators(setting, selection))
        )


def build() -> HypervolumeSelection:
    """Build the algorithm."""
    return HypervolumeSelection()
