"""C-TAEA's archives, told generations of any size, with costs on the scale of the present front."""

from __future__ import annotations

from typing import Any

import numpy as np
from moocore import is_nondominated
from pymoo.algorithms.moo.ctaea import CTAEA
from pymoo.core.population import Population

from .geometry import normalised


class TwoArchives(CTAEA):  # type: ignore[misc]
    """pymoo's C-TAEA, which takes for granted that a generation is as large as the archives: it need not be here."""

    def _initialize_advance(self, infills: Any = None, **kwargs: Any) -> None:
        self._update(Population.create(), Population.create(), infills)

    def _advance(self, infills: Any = None, **kwargs: Any) -> None:
        self._update(self.pop, self.da, infills)

    def _update(self, converged: Any, diverse: Any, infills: Any) -> None:
        infills.set("costs", infills.get("F"))
        merged = Population.merge(converged, infills)
        self._rescale(Population.merge(merged, diverse))
        survive = min(self.pop_size, len(merged))
        self.pop = self.survival._updateCA(merged, survive, random_state=self.random_state)
        candidates = Population.merge(diverse, infills)
        enough = len(candidates) > self.pop_size
        self.da = self.survival._updateDA(self.pop, candidates, self.pop_size) if enough else candidates

    def _rescale(self, everyone: Any) -> None:
        costs, feasible = everyone.get("costs"), everyone.get("CV")[:, 0] == 0
        shown = costs[feasible] if feasible.any() else costs
        everyone.set("F", normalised(costs, shown[is_nondominated(shown, keep_weakly=True)]))
        self.survival.ideal_point = np.zeros(costs.shape[1])
