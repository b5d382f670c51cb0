"""Parameters of a sub-network: counted, so exact."""

from __future__ import annotations

from dataclasses import dataclass

from ....supernets.space.space import Indices, SearchSpace
from ..context import SearchContext
from ..objective import Direction, Objective, Values


@dataclass(frozen=True)
class Params(Objective):
    """Parameters in a space, to minimise."""

    space: SearchSpace
    name: str = "params"
    unit: str = "params"
    direction: Direction = "min"

    def values(self, indices: Indices) -> Values:
        """Count for (n, d) architectures, (n,)."""
        return self.space.params(indices)


def build(context: SearchContext) -> Params:
    """Build the objective for the context's space."""
    return Params(context.space)
