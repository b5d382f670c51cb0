"""NSGA-II on measured values: a round is a generation (Deb et al. 2002, doi:10.1109/4235.996017)."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from ..archive import Archive
from ..config import SearchConfig
from ..evolution import next_generation
from ..tactic import Batch, population_of


@dataclass(frozen=True)
class Evolutionary:
    """Keeps `population` parents; what they were is replayed from the archive's rounds."""

    population: int

    def ask(self, archive: Archive, n: int, rng: np.random.Generator, round: int) -> Batch:
        """Return `n` unseen children of the best so far, (n, d); random ones in the first round."""
        if len(archive.indices) == 0:
            return Batch.of(archive.topped_up(archive.indices, n, rng), len(archive.objectives))
        rounds = np.unique(archive.rounds)
        generations = [(archive.indices[archive.rounds == r], archive.values[archive.rounds == r]) for r in rounds]
        children = next_generation(
            archive.space,
            generations,
            archive.directions,
            n=n,
            population=self.population,
            rng=rng,
            violation=archive.violation,
        )
        return Batch.of(archive.topped_up(children, n, rng), len(archive.objectives))


def build(config: SearchConfig) -> Evolutionary:
    """Build the tactic with the configuration's population."""
    return Evolutionary(population_of(config))
