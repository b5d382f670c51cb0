"""Evolution on measured values: a round is a generation, bred by the algorithm of the settings."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from ..archive import Archive
from ..config import SearchConfig
from ..evolution.algorithm import Algorithm, Setting, algorithm_of
from ..evolution.evolve import offspring
from ..tactic import Batch, population_of

SETTINGS: tuple[str, ...] = ()  # of SearchConfig, that other tactics need not have


@dataclass(frozen=True)
class Evolutionary:
    """Keeps `population` parents; what they were is replayed from the archive's rounds."""

    algorithm: Algorithm
    population: int
    seed: int

    def ask(self, archive: Archive, n: int, rng: np.random.Generator, round: int) -> Batch:
        """Return `n` unseen children of the best so far, (n, d); random ones in the first round."""
        if len(archive.indices) == 0:
            return Batch.of(archive.topped_up(archive.indices, n, rng), len(archive.objectives))
        costs, violations = archive.judged(archive.indices, archive.values)
        rounds = [archive.rounds == number for number in np.unique(archive.rounds)]
        generations = [(archive.indices[chosen], costs[chosen], violations[chosen]) for chosen in rounds]
        setting = Setting(archive.space, len(archive.objectives), self.population, seed=self.seed)
        children = offspring(setting, self.algorithm, generations, n=n, rng=rng)
        return Batch.of(archive.topped_up(children, n, rng), len(archive.objectives))


def build(config: SearchConfig) -> Evolutionary:
    """Build the tactic with the configuration's algorithm, population and seed; raises UnknownName, InvalidConfig."""
    return Evolutionary(algorithm_of(config), population_of(config), config.seed)
