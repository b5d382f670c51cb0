"""What is believed of all objectives after measuring: Gaussian processes of the costly ones, the cheap ones exact."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np

from ..supernets.space import Indices
from .archive import Archive
from .evolution import minimised
from .objective import Values
from .surrogates.gp import FittedGP, GaussianProcess


@dataclass(frozen=True)
class Posterior:
    """One fitted process a costly objective, by column."""

    archive: Archive
    fitted: Mapping[int, FittedGP]

    @staticmethod
    def of(archive: Archive) -> Posterior:
        """Fit the costly objectives on the archive."""
        features = archive.space.one_hot(archive.indices)
        rng = np.random.default_rng(0)  # not used by the process
        return Posterior(
            archive,
            {
                column: GaussianProcess().fit(features, archive.values[:, column], rng)
                for column, objective in enumerate(archive.objectives)
                if objective.costly
            },
        )

    def given(self, rows: Indices, values: Values) -> Posterior:
        """Return the posterior had (n, d) `rows` been measured with (n, m) `values`; settings of the kernels stay."""
        features = self.archive.space.one_hot(rows)
        return Posterior(
            self.archive, {column: gp.refitted(features, values[:, column]) for column, gp in self.fitted.items()}
        )

    def predict(self, rows: Indices) -> tuple[Values, Values]:
        """Return means and standard deviations, (n, m) each; deviations of exact objectives are zero."""
        features = self.archive.space.one_hot(rows)
        mean = np.empty((len(rows), len(self.archive.objectives)))
        deviation = np.zeros_like(mean)
        for column, objective in enumerate(self.archive.objectives):
            if column in self.fitted:
                mean[:, column], deviation[:, column] = self.fitted[column].predict(features)
            else:
                mean[:, column] = objective.values(rows)
        return mean, deviation

    def optimistic(self, rows: Indices, deviations: float) -> Values:
        """Return means moved so many standard deviations to the better side, (n, m)."""
        mean, deviation = self.predict(rows)
        worse = minimised(np.ones((1, mean.shape[1])), self.archive.directions)
        return np.asarray(mean - deviations * worse * deviation)
