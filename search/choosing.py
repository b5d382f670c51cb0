"""Which few of many candidates to measure: together they are expected to gain most hypervolume."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from ..supernets.space import Indices
from .acquisition import expected_gain
from .archive import Archive
from .objective import Values
from .posterior import Posterior
from .surrogate import Floats


@dataclass
class Choosing:
    """Chooses among candidate rows one by one; believes of each what is predicted, and is surer of the others then."""

    posterior: Posterior
    archive: Archive
    mean: Values
    predicted: Values
    covariances: dict[int, Floats]
    front: Values
    corner: tuple[float, ...]
    exploration: float
    barred: NDArray[np.bool_]
    taken: NDArray[np.bool_]

    @staticmethod
    def among(
        rows: Indices, archive: Archive, posterior: Posterior, corner: tuple[float, ...], exploration: float
    ) -> Choosing:
        """Start with nothing chosen; what is predicted to break constraints is barred, and chosen last.

        What is better than the region's better side counts, measured or predicted, as that side.
        """
        mean, covariances = posterior.joint(rows)
        feasible = archive.region.clipped(archive.values[archive.violation(archive.values, archive.indices) == 0])
        barred = archive.violation(mean, rows) > 0
        clipped = archive.region.clipped(mean)
        taken = np.zeros(len(rows), dtype=np.bool_)
        return Choosing(posterior, archive, clipped, mean, covariances, feasible, corner, exploration, barred, taken)

    def best(self, n: int, *, share: float) -> list[int]:
        """Return up to `n` positions, not taken before, to measure on a share of the images, the most promising first.

        A glimpse enters no front; it is chosen where a full measurement would gain most, and tells of its neighbours.
        """
        chosen: list[int] = []
        for _ in range(min(n, int((~self.taken).sum()))):
            deviation = np.zeros_like(self.mean)
            for column, covariance in self.covariances.items():
                deviation[:, column] = self.exploration * np.sqrt(np.maximum(np.diag(covariance), 0.0))
            gain = expected_gain(self.mean, deviation, self.front, self.archive.directions, self.corner)
            gain[self.barred] = -1.0
            gain[self.taken] = -np.inf
            position = int(np.argmax(gain))
            chosen.append(position)
            self.taken[position] = True
            if share == 1.0:
                self.front = np.concatenate([self.front, self.mean[position][None]])
            for column, covariance in self.covariances.items():
                noise = self.posterior.processes[column].noise(share, self.predicted[position, [column]])
                shared = covariance[:, position]
                self.covariances[column] = covariance - np.outer(shared, shared) / (shared[position] + noise)
        return chosen
