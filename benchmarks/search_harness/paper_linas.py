"""LINAS as its paper has it (Algorithm 1 of arXiv 2205.10358), for comparison with the tactic `linas`.

The first population is random. Then each round one predictor an objective is fitted on one-hot genes of all that was
validated, NSGA-II runs on the predictions from a random start (crossover .9, mutation .02 a gene), and the best
architectures that were not validated before are validated, ordered by front, then crowding. Genes are taken as they
are: genes of blocks that a depth leaves out are features too, and networks that differ in nothing else are
different, so some are validated twice, and paid for twice. Latency is predicted like accuracy unless prices are exact.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from gnomon.search.archive import Archive, first_occurrences, key_of
from gnomon.search.evolution.evolve import Evaluate, nsga2
from gnomon.search.fronts.ranking import best_first
from gnomon.search.prediction.surrogate import SURROGATES, Surrogate
from gnomon.search.problem.objective import Values
from gnomon.search.tactic import Batch
from gnomon.supernets import SearchSpace
from gnomon.supernets.space.space import Indices
from search_harness.landscape import Landscape
from search_harness.macro import plain_space

CROSSOVER, MUTATION = 0.9, 0.02


@dataclass(frozen=True)
class PaperLinas:
    """`unmasked` has the genes of the searched space, each of which counts."""

    unmasked: SearchSpace
    surrogate: Surrogate
    population: int
    inner_evaluations: int

    def ask(self, archive: Archive, n: int, rng: np.random.Generator, round: int) -> Batch:
        """Return `n` rows of genes that were not validated as they stand, (n, d)."""
        ranked = archive.indices[:0]
        if len(archive.indices) >= 2:
            rows, values = nsga2(
                self.unmasked,
                self.predictors(archive, rng),
                archive.directions,
                population=self.population,
                evaluations=self.inner_evaluations,
                seed_indices=ranked,
                rng=rng,
                crossover=CROSSOVER,
                mutation=MUTATION,
            )
            ranked = rows[best_first(values, archive.directions)]
        seen = frozenset(key_of(row) for row in archive.indices)
        while len(found := ranked[first_occurrences(ranked, seen)]) < n:
            ranked = np.concatenate([ranked, self.unmasked.sample(n, rng)])
        return Batch.of(found[:n], len(archive.objectives))

    def predictors(self, archive: Archive, rng: np.random.Generator) -> Evaluate:
        """Fit every costly objective; return a function from (n, d) genes to (n, m) values."""
        features = self.unmasked.one_hot(archive.indices)
        fitted = [
            self.surrogate.fit(features, values, rng) if objective.costly else None
            for objective, values in zip(archive.objectives, archive.values.T)
        ]

        def evaluate(rows: Indices) -> Values:
            encoded = self.unmasked.one_hot(rows)
            columns = [
                objective.values(rows) if model is None else model.predict(encoded)[0]
                for objective, model in zip(archive.objectives, fitted)
            ]
            return np.stack(columns, axis=1)

        return evaluate


def build(landscape: Landscape, surrogate: str) -> PaperLinas:
    """Build it with the surrogate `ridge` or `svr`."""
    unmasked = plain_space(f"{landscape.space.name}, every gene", tuple(map(int, landscape.space.radices)))
    return PaperLinas(unmasked, SURROGATES.load(surrogate)(), landscape.population, landscape.inner_evaluations)
