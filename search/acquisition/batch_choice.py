"""Which few of many candidates to measure: together they are expected to gain most hypervolume."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from ...supernets.space.space import Indices
from ..archive import Archive
from ..fronts.pareto import non_dominated
from ..prediction.beliefs import Beliefs
from ..prediction.posterior import Posterior
from ..problem.objective import Values
from .expected_hypervolume import log_expected_hypervolume_improvement
from .feasibility import log_probability

MOST_IN_FRONT = 500  # measurements: of more, those that are dominated are left out first, which changes no gain
EXPLORATION = 0.5  # of a predicted standard deviation: below 1 because candidates are many and the best looks too good


@dataclass
class Choosing:
    """Chooses among candidate rows one by one; believes of each what is predicted, and is surer of the others then."""

    posterior: Posterior
    archive: Archive
    mean: Values
    predicted: Values
    noise: Values
    beliefs: dict[int, Beliefs]
    front: Values
    taken: NDArray[np.bool_]
    rows: Indices
    counts: float

    @staticmethod
    def among(rows: Indices, archive: Archive, posterior: Posterior, *, counts: float = 1.0) -> Choosing:
        """Start with nothing chosen; of what is pending, believe what is predicted.

        What is better than the region's better side counts, measured or predicted, as that side. Measurements on the
        share `counts` of the data and more are in the front: those on less than all as what is predicted, since the
        best of many noisy ones look too good.
        """
        pending = archive.pending.reshape(-1, rows.shape[1])
        mean, beliefs = posterior.beliefs(np.concatenate([pending, rows]))
        believed, mean = mean[: len(pending)], mean[len(pending) :]
        noise = np.zeros_like(mean)
        for column, belief in beliefs.items():
            process = posterior.processes[column]
            for position, share in enumerate(archive.pending_shares):
                belief.measure(position, process.noise(share, believed[[position], column])[0])
            beliefs[column] = belief.without_first(len(pending))
            noise[:, column] = process.noise(1.0, mean[:, column])
        counted = archive.partial.indices[archive.partial.shares >= counts]
        awaited = archive.pending_shares >= counts
        values = np.concatenate([archive.values, posterior.mean(counted), believed[awaited]])
        feasible = archive.violation(values, np.concatenate([archive.indices, counted, pending[awaited]])) == 0
        region = archive.problem.region
        front, clipped = region.clipped(values[feasible]), region.clipped(mean)
        if len(front) > MOST_IN_FRONT:
            front = front[non_dominated(front, archive.directions)]
        taken = np.zeros(len(rows), dtype=np.bool_)
        return Choosing(posterior, archive, clipped, mean, noise, beliefs, front, taken, rows, counts)

    def best(self, n: int, *, share: float) -> list[int]:
        """Return up to `n` positions, not taken before, to measure on a share of the images, the most promising first.

        Most promising is the most gain expected, times the probability that the constraints are kept; where nothing
        gains, what is likeliest to keep them. What certainly breaks them comes last. A partial evaluation that enters
        no front is chosen where a full measurement would gain most, and tells of its neighbours.
        """
        chosen: list[int] = []
        for _ in range(min(n, int((~self.taken).sum()))):
            position = int(np.lexsort(self._promise())[-1])
            chosen.append(position)
            self.taken[position] = True
            broken = self.archive.violation(self.predicted[[position]], self.rows[[position]])[0] > 0
            if share >= self.counts and not broken:
                self.front = np.concatenate([self.front, self.mean[position][None]])
            for column, belief in self.beliefs.items():
                noise = self.posterior.processes[column].noise(share, self.predicted[position, [column]])
                belief.measure(position, noise[0])
        return chosen

    def _promise(self) -> tuple[Values, ...]:
        """Return what positions are ordered by, ascending, the last first, (n,) each."""
        spread = np.zeros_like(self.mean)
        for column, belief in self.beliefs.items():
            spread[:, column] = np.sqrt(np.maximum(belief.variances, 0.0))
        kept = log_probability(self.archive, self.rows, self.predicted, np.sqrt(spread**2 + self.noise))
        gain = log_expected_hypervolume_improvement(
            self.mean, EXPLORATION * spread, self.front, self.archive.directions, self.archive.problem.reference
        )
        promise = gain + kept
        return -np.arange(len(gain), dtype=np.float64), kept, promise, np.where(self.taken, 0.0, 1.0)
