"""What accompanies one run of a sub-network in torch, so that no module carries an active state."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass, field

from torch import Tensor
from torch.nn import functional

from .normalisation import Normalise


@dataclass(frozen=True, slots=True)
class Pass:
    """How to normalise, and the side values that layers hand on besides the main one, as in the graph builder.

    `sides` may be the caller's: what one part leaves there, the next one finds. `dropout` is the share of what residual
    blocks and embeddings of sequences compute that is set to zero, in training.
    """

    normalise: Normalise
    sides: dict[str, Tensor] = field(default_factory=dict)
    counts: Counter[str] = field(default_factory=Counter)
    dropout: float = 0.0

    def dropped(self, x: Tensor) -> Tensor:
        """Return `x`, some of it zero and the rest larger where there is dropout."""
        return functional.dropout(x, self.dropout) if self.dropout else x

    def numbered(self, word: str) -> int:
        """Count: return how often this run was asked for `word` before."""
        self.counts[word] += 1
        return self.counts[word] - 1
