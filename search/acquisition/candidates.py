"""Candidates bred on predictions, from the best known architectures and their one-gene neighbours."""

from __future__ import annotations

import numpy as np

from ...supernets.space.slots import numbering
from ...supernets.space.space import Indices, SearchSpace
from ..archive import Archive, first_occurrences
from ..evolution.evolve import crossed, mutated, ranked
from ..prediction.posterior import Posterior, kept
from ..problem.objective import Values
from .distinct import news, ordered
from .feasibility import hoped_violation, uncertain

GENERATIONS, CHILDREN, PARENTS = 20, 300, 60
MUTATIONS = 1.5  # genes that a child changes, on average
KEPT = 400  # candidates that survive a generation, and are returned


def bred(archive: Archive, posterior: Posterior, rng: np.random.Generator) -> Indices:
    """Breed candidates that are predicted to be good, (n, d) with n at most 400; some may be measured already."""
    space = archive.space
    full, partial = kept(archive)  # all, up to as many as the process is conditioned on
    measured = np.concatenate([archive.indices[full], archive.partial.indices[partial]])
    rows = measured[first_occurrences(measured)]
    rows = rows[ranked(archive, rows, *predicted(archive, posterior, rows))[:PARENTS]]
    rows = np.concatenate([rows, one_gene_away(space, rows[: PARENTS // 6])])
    numbers_of = numbering(space.radices.tolist())
    numbers = numbers_of(rows)
    distinct = ordered(numbers)
    rows, numbers = rows[distinct], numbers[:, distinct]
    values, violations = predicted(archive, posterior, rows)
    is_ranked = False
    for _ in range(GENERATIONS):
        best = rows[:PARENTS] if is_ranked else rows[ranked(archive, rows, values, violations)[:PARENTS]]
        pairs = rng.integers(len(best), size=(2, CHILDREN // 2))
        children = crossed(best[pairs], rng).reshape(-1, rows.shape[1])
        children = space.canonical(mutated(space, children, MUTATIONS / rows.shape[1], rng))
        added = numbers_of(children)
        new = news(added, numbers)
        children, numbers = children[new], np.concatenate([numbers, added[:, new]], axis=1)
        rows = np.concatenate([rows, children])
        means, misses = predicted(archive, posterior, children)
        values, violations = np.concatenate([values, means]), np.concatenate([violations, misses])
        is_ranked = len(rows) > KEPT
        if is_ranked:
            order = ranked(archive, rows, values, violations)[:KEPT]
            rows, numbers, values, violations = rows[order], numbers[:, order], values[order], violations[order]
    return rows


def one_gene_away(space: SearchSpace, rows: Indices) -> Indices:
    """Return (n, d) canonical rows with each gene set to each of its options in turn, (k, d), with repeats."""
    genes = np.repeat(np.arange(len(space.radices)), space.radices)
    options = np.concatenate([np.arange(radix) for radix in space.radices])
    changed = np.repeat(rows[:, None], len(genes), axis=1)
    changed[:, np.arange(len(genes)), genes] = options
    return space.canonical(changed.reshape(-1, rows.shape[1]))


def predicted(archive: Archive, posterior: Posterior, rows: Indices) -> tuple[Values, Values]:
    """Return expected values, (n, m), and by how much constraints are violated even with some luck, (n,)."""
    if not uncertain(archive):
        mean = posterior.mean(rows)
        return mean, archive.violation(mean, rows)
    mean, deviation = posterior.expected(rows)
    return mean, hoped_violation(archive, rows, mean, deviation)
