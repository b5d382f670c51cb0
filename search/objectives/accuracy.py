"""Top-1 accuracy of a sub-network with the super-network's weights: it has to be run, so it is costly."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

import numpy as np

from ...supernets.space import Indices, SearchSpace
from ..errors import MissingContext
from ..objective import EvaluatesArchitectures, SearchContext, Values


@dataclass(frozen=True)
class Accuracy:
    """Accuracy on a split, in percent, to maximise."""

    space: SearchSpace
    supernet: EvaluatesArchitectures
    split: str
    name: str = "accuracy"
    unit: str = "percent"
    direction: Literal["max"] = "max"
    costly: bool = True
    device_independent: bool = True

    def values(self, indices: Indices) -> Values:
        """Evaluate (n, d) architectures one after another, (n,)."""
        return self.values_on(indices, 1.0)

    def values_on(self, indices: Indices, share: float) -> Values:
        """Evaluate (n, d) architectures on a share of the images, (n,)."""
        accuracies = [self.supernet.evaluate(self.space.architecture(row), self.split, share) for row in indices]
        return np.array(accuracies, dtype=np.float64)


def build(context: SearchContext) -> Accuracy:
    """Build the objective for the context's super-network; raises MissingContext without one."""
    if context.supernet is None:
        raise MissingContext(
            f"objective 'accuracy' needs a super-network with weights for {context.space.name!r}, and there is none; "
            "pass --checkpoint FILE, or search without it: --objectives macs,params"
        )
    return Accuracy(context.space, context.supernet, context.split)
