"""How many sub-networks a space has: settings of genes that give the same network count once.

Every network has exactly one canonical setting. Genes that share no slot never decide over each other, so the canonical
settings of each group of genes that do are counted, and multiplied. A group that is too large to list is estimated by
the share of canonical settings among fixed draws.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import product
from math import prod

import numpy as np

from .space import Indices, SearchSpace

LISTED = 100_000
DRAWS = 100_000
SEED = 20260101


@dataclass(frozen=True)
class Count:
    """A number of networks: exact, or an estimate with its relative standard error."""

    value: int
    relative_error: float | None = None

    @property
    def is_exact(self) -> bool:
        """Whether it was counted and not estimated."""
        return self.relative_error is None

    def __str__(self) -> str:
        said = f"{self.value:,}" if self.value < 100_000 else f"{float(self.value):.1e}"
        return said if self.is_exact else f"about {said}"


def distinct_networks(space: SearchSpace) -> Count:
    """Count the different sub-networks of a space."""
    exact, estimates = 1, []
    for genes in groups_of(space):
        radices = space.radices[genes]
        settings = prod(int(radix) for radix in radices)
        if settings <= LISTED:
            listed = list(product(*(range(int(radix)) for radix in radices)))
            exact *= canonical_among(space, genes, np.array(listed, dtype=np.int64))
            continue
        draws = np.random.default_rng(SEED).integers(0, radices, size=(DRAWS, len(genes)))
        share = min(max(canonical_among(space, genes, draws), 1), DRAWS - 1) / DRAWS
        estimates.append((settings * share, (1 - share) / (share * DRAWS)))
    if not estimates:
        return Count(exact)
    return Count(int(exact * prod(value for value, _ in estimates)), sum(variance for _, variance in estimates) ** 0.5)


def canonical_among(space: SearchSpace, genes: Sequence[int], settings: Indices) -> int:
    """Return how many of (n, k) settings of k genes are canonical, where all other genes have their first option."""
    rows = np.zeros((len(settings), len(space.choices)), dtype=np.int64)
    rows[:, genes] = settings
    return int((space.canonical(rows) == rows).all(axis=1).sum())


def groups_of(space: SearchSpace) -> list[list[int]]:
    """Return the genes in groups that share slots, each in order; a gene of no slot is a group of its own."""
    group = list(range(len(space.choices)))
    for slot in space.slots:
        joined = {group[gene] for gene in slot.genes}
        group = [min(joined) if one in joined else one for one in group]
    return [[gene for gene, one in enumerate(group) if one == name] for name in sorted(set(group))]
