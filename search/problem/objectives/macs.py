"""Multiply-accumulates of a sub-network: counted, so exact."""

from __future__ import annotations

from dataclasses import dataclass

from ....supernets.space.space import Indices, SearchSpace
from ..context import SearchContext
from ..objective import Direction, Objective, Values


@dataclass(frozen=True)
class Macs(Objective):
    """Multiply-accumulates in a space, to minimise."""

    space: SearchSpace
    name: str = "macs"
    unit: str = "MACs"
    direction: Direction = "min"

    def values(self, indices: Indices) -> Values:
        """Count for (n, d) architectures, (n,)."""
        return self.space.macs(indices)


def build(context: SearchContext) -> Macs:
    """Build the objective for the context's space."""
    return Macs(context.space)
