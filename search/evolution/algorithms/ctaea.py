"""C-TAEA: one archive converges, the other keeps diversity (Li et al. 2019, doi:10.1109/TEVC.2018.2855411).

Infeasible architectures stay in the second archive when they open a niche, so that a search crosses an infeasible
region. There are as many reference directions as parents.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

from ..algorithm import Evolution, Setting, Takes


@dataclass(frozen=True)
class ConstrainedArchives:
    """Parents come from both archives."""

    takes: ClassVar[Takes] = Takes(2)

    def start(self, setting: Setting) -> Evolution:
        """Begin with nothing known."""
        from pymoo.algorithms.moo.ctaea import RestrictedMating, comp_by_cv_dom_then_random

        from ..pymoo_support.breeding import Breeding
        from ..pymoo_support.geometry import directions
        from ..pymoo_support.operators import operators
        from ..pymoo_support.two_archives import TwoArchives

        weights = directions(max(2, setting.population), setting.objectives)
        arguments = operators(setting, RestrictedMating(func_comp=comp_by_cv_dom_then_random))
        return Breeding(setting, TwoArchives(weights, **arguments))


def build() -> ConstrainedArchives:
    """Build the algorithm."""
    return ConstrainedArchives()
