"""Measure what promises most hypervolume, a few at a time (a population of 4 is a good one).

The first architectures are spread over the space, smallest and largest among them. From then on each round fits a
Gaussian process to every costly objective (cheap ones are exact), breeds candidates around the measured front, and
takes, one after the other, those whose measurement is expected to gain most hypervolume, each time as if the ones
before had turned out as predicted (kriging believer: Ginsbourger et al. 2010).
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np

from ...lut.sampling import networks_for
from ...supernets.space import Indices
from ..acquisition import expected_gain
from ..archive import Archive
from ..config import SearchConfig
from ..evolution import best_first, crossed, mutated
from ..objective import reference_point
from ..posterior import Posterior
from ..tactic import Batch

POPULATION = 4
FIRST = 10  # architectures spread over the space before anything is predicted
GENERATIONS, CHILDREN, PARENTS = 8, 300, 60
MUTATIONS = 1.5  # genes that a child changes, on average
OPTIMISM = 0.5  # standard deviations in a candidate's favour while candidates are bred
FINALISTS = 400  # bred candidates whose expected gain is computed


@dataclass(frozen=True)
class ExpectedGain:
    """Keeps nothing between rounds but its settings."""

    seed: int
    reference: Mapping[str, float]

    def ask(self, archive: Archive, n: int, rng: np.random.Generator, round: int) -> Batch:
        """Return the `n` unseen architectures that together promise most, (n, d)."""
        if len(archive.indices) < FIRST:
            return Batch.of(archive.topped_up(spread_out(archive, self.seed), n, rng), len(archive.objectives))
        posterior = Posterior.of(archive)
        rows = archive.unseen(bred(archive, posterior, rng))
        corner = reference_point(archive.objectives, archive.space, self.reference)
        return Batch.of(
            archive.topped_up(best_together(archive, posterior, rows, n, corner), n, rng), len(archive.objectives)
        )


def spread_out(archive: Archive, seed: int) -> Indices:
    """Return architectures spread over the space, the ends first, the others in an order of the seed, (n, d)."""
    rows = networks_for(archive.space, FIRST, np.random.default_rng(seed))
    order = [0, len(rows) - 1, *np.random.default_rng(seed).permutation(np.arange(1, len(rows) - 1))]
    return rows[order]


def bred(archive: Archive, posterior: Posterior, rng: np.random.Generator) -> Indices:
    """Breed candidates from the best measured architectures and their neighbours, (n, d)."""
    space = archive.space
    order = best_first(archive.values, archive.directions, archive.violation(archive.values))
    rows = archive.indices[order[:PARENTS]]
    near = [space.neighbours(space.architecture(row)) for row in rows[: max(4, PARENTS // 6)]]
    rows = np.unique(np.concatenate([rows, *near]), axis=0)
    values = posterior.optimistic(rows, OPTIMISM)
    for _ in range(GENERATIONS):
        best = rows[best_first(values, archive.directions, archive.violation(values))[:PARENTS]]
        pairs = rng.integers(len(best), size=(2, CHILDREN // 2))
        children = crossed(best[pairs], rng).reshape(-1, rows.shape[1])
        children = space.canonical(mutated(space, children, MUTATIONS / rows.shape[1], rng))
        merged = np.unique(np.concatenate([rows, children]), axis=0)
        rows, values = merged, posterior.optimistic(merged, OPTIMISM)
        if len(rows) > FINALISTS:
            kept = best_first(values, archive.directions, archive.violation(values))[:FINALISTS]
            rows, values = rows[kept], values[kept]
    return rows


def best_together(archive: Archive, posterior: Posterior, rows: Indices, n: int, corner: tuple[float, ...]) -> Indices:
    """Return up to `n` of the rows, each the best after the ones before, (n, d)."""
    chosen: list[int] = []
    known, values = archive.indices, archive.values
    for _ in range(min(n, len(rows))):
        mean, deviation = posterior.predict(rows)
        feasible = values[archive.violation(values) == 0]
        gain = expected_gain(mean, deviation, feasible, archive.directions, corner)
        gain[archive.violation(mean) > 0] = -1.0
        gain[chosen] = -np.inf
        best = int(np.argmax(gain))
        chosen.append(best)
        known = np.concatenate([known, rows[best][None]])
        values = np.concatenate([values, mean[best][None]])
        posterior = posterior.given(known, values)
    return rows[chosen]


def build(config: SearchConfig) -> ExpectedGain:
    """Build the tactic with the configuration's seed and reference point."""
    return ExpectedGain(config.seed, config.reference)
