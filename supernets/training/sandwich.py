"""Which sub-networks a step trains: the largest, the smallest, and some random ones (arXiv 1903.05134)."""

from __future__ import annotations

import numpy as np

from ..space.space import Architecture, SearchSpace
from .recipe import Phase


class Sandwich:
    """Draws sub-networks among those that a phase lets vary."""

    def __init__(self, space: SearchSpace, phase: Phase, randoms: int) -> None:
        self.space, self.randoms = space, randoms
        self.elastic = phase.elastic_genes(space)
        self.largest = space.architecture(space.radices - 1)
        self.smallest = space.architecture(np.where(self.elastic, 0, space.radices - 1))

    def students(self, rng: np.random.Generator) -> tuple[Architecture, ...]:
        """Return the sub-networks that learn from the largest: the smallest first; none where nothing varies."""
        if not self.elastic.any():
            return ()
        space = self.space
        drawn = rng.integers(0, space.radices, size=(self.randoms, len(space.choices)))
        rows = np.where(self.elastic, drawn, space.radices - 1)
        return (self.smallest, *(space.architecture(row) for row in rows))


def extremes(space: SearchSpace) -> tuple[Architecture, Architecture]:
    """Return the smallest and the largest sub-network: first and last option everywhere."""
    return space.architecture(np.zeros_like(space.radices)), space.architecture(space.radices - 1)
