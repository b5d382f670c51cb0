"""How many sub-networks a space has: settings of genes that give the same network count once.

Every network has exactly one canonical setting. Genes that share no slot never decide over each other, so the canonical
settings of each group of genes that do are counted, and multiplied. A group that is too large to list is estimated by
the share of canonical settings among fixed draws.
"""

from __future__ import annotations

from dataclasses import dataclass
from itertools import product
from math import prod

import numpy as np

from .space import SearchSpace

LISTED = 100_000
DRAWS = 100_000
SEED = 20260101


@dataclass(frozen=True)
class Count:
    """A number of networks: exact, or an estimate with its relative standard error."""

    value: int
    relative_error: float = 0.0

    @property
    def is_exact(self) -> bool:
        """Whether it was counted and not estimated."""
        return self.relative_error == 0.0

    def __str__(self) -> str:
        said = f"{self.value:,}" if self.value < 100_000 else f"{float(self.value):.1e}"
        return said if self.is_exact else f"about {said}"


def distinct_networks(space: SearchSpace) -> Count:
    """Count the different sub-networks of a space."""
    value, variance = 1.0, 0.0
    exact = 1
    for genes in groups_of(space):
        settings = prod(int(space.radices[gene]) for gene in genes)
        if settings <= LISTED:
            rows = np.zeros((settings, len(space.choices)), dtype=np.int64)
            rows[:, genes] = list(product(*(range(int(space.radices[gene])) for gene in genes)))
            exact *= canonical_among(space, rows)
            continue
        rows = np.zeros((DRAWS, len(space.choices)), dtype=np.int64)
        rows[:, genes] = np.random.default_rng(SEED).integers(0, space.radices[genes], size=(DRAWS, len(genes)))
        share = max(canonical_among(space, rows), 1) / DRAWS
        value *= settings * share
        variance += (1 - share) / (share * DRAWS)
    return Count(exact, 0.0) if variance == 0.0 and value == 1.0 else Count(int(exact * value), float(variance**0.5))


def canonical_among(space: SearchSpace, rows: np.ndarray) -> int:
    """Return how many of (n, d) settings are canonical."""
    return int((space.canonical(rows) == rows).all(axis=1).sum())


def groups_of(space: SearchSpace) -> list[list[int]]:
    """Return the genes in groups that share slots, each in order; a gene of no slot is a group of its own."""
    group = list(range(len(space.choices)))
    for slot in space.slots:
        joined = {group[gene] for gene in slot.genes}
        group = [min(joined) if one in joined else one for one in group]
    return [[gene for gene, one in enumerate(group) if one == name] for name in sorted(set(group))]
