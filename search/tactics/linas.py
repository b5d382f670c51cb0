"""LINAS, Algorithm 1 of arXiv 2205.10358: validate, fit predictors, search on them, validate the best unseen.

As in the paper the first population is random, one predictor a costly objective is fitted anew each round on all
that was measured, and an evolution (the paper's is NSGA-II) runs on the predictions for `inner_evaluations`.
Objectives that are cheap are exact instead of predicted. The paper leaves open where the inner search starts and how
its result is cut to a population: here it starts from the best measured, and non-dominated rank, then crowding, orders
all that it evaluated.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np

from ...supernets.space.space import Indices
from ..archive import Archive
from ..config import SearchConfig
from ..evolution.algorithm import Algorithm, Setting, algorithm_of
from ..evolution.evolve import evolve, ranked
from ..prediction.surrogate import SURROGATES, Surrogate
from ..problem.objective import Values
from ..tactic import Batch, population_of

SETTINGS: tuple[str, ...] = ("surrogate",)  # of SearchConfig, that other tactics need not have

FEWEST_TO_FIT = 2


@dataclass(frozen=True)
class Linas:
    """The paper's tactic with a surrogate and an inner algorithm of choice."""

    surrogate: Surrogate
    algorithm: Algorithm
    population: int
    inner_evaluations: int

    def ask(self, archive: Archive, n: int, rng: np.random.Generator, round: int) -> Batch:
        """Return the `n` unseen architectures that the predictors rank first, (n, d)."""
        if len(archive.indices) < FEWEST_TO_FIT:
            return Batch.of(archive.topped_up(archive.indices, n, rng), len(archive.objectives))
        order = ranked(archive, archive.indices, archive.values)
        m = len(archive.objectives)
        predicted = predictors(archive, self.surrogate, rng)
        rows, values = evolve(
            Setting(archive.space, m, self.population, seed=int(rng.integers(2**31))),
            self.algorithm,
            lambda rows: predicted(rows)[0],
            archive.judged,
            evaluations=self.inner_evaluations,
            seed_indices=archive.indices[order[: self.population]],
            rng=rng,
        )
        chosen = archive.topped_up(rows[ranked(archive, rows, values)], n, rng)
        mean, deviation = predicted(chosen)
        return Batch.of(chosen, m, mean=mean, deviation=deviation)


def predictors(
    archive: Archive, surrogate: Surrogate, rng: np.random.Generator
) -> Callable[[Indices], tuple[Values, Values]]:
    """Fit the costly objectives on the archive; return a function from (n, d) architectures to mean and deviation.

    Both are (n, m); deviations are 0 where the mean is exact and NaN where the surrogate has no idea.
    """
    features = archive.space.one_hot(archive.indices)
    fitted = {
        column: surrogate.fit(features, archive.values[:, column], rng)
        for column, objective in enumerate(archive.objectives)
        if objective.costly
    }

    def predict(rows: Indices) -> tuple[Values, Values]:
        encoded = archive.space.one_hot(rows)
        mean = np.empty((len(rows), len(archive.objectives)))
        deviation = np.zeros_like(mean)
        for column, objective in enumerate(archive.objectives):
            if column in fitted:
                mean[:, column], spread = fitted[column].predict(encoded)
                deviation[:, column] = np.nan if spread is None else spread
            else:
                mean[:, column] = objective.values(rows)
        return mean, deviation

    return predict


def build(config: SearchConfig) -> Linas:
    """Build the tactic with the configuration's surrogate and algorithm; raises UnknownName, InvalidConfig."""
    with SURROGATES.blaming(config.surrogate):
        surrogate = SURROGATES.load(config.surrogate)()
    return Linas(surrogate, algorithm_of(config), population_of(config), config.inner_evaluations)
