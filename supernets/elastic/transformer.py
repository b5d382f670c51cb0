"""What elastic transformers do to each vector by itself: hidden units and width are sliced from the front.

A smaller width of a normalised vector is normalised by itself, not by the whole (arXiv 2005.14187).
"""

from __future__ import annotations

from collections.abc import Callable, Sequence

import torch
from torch import Tensor, nn
from torch.nn import functional

from ..layers.operations import Operation
from ..layers.transformer import FeedForward, LayerNorm
from .attention import ElasticProjection
from .forward import Pass
from .normalisation import Statistics
from .operations import ElasticOperation

FEED_FORWARD: dict[str, Callable[[Tensor], Tensor]] = {"gelu": functional.gelu, "relu": functional.relu}


class ElasticLayerNorm(ElasticOperation):
    """Layer normalisation."""

    def __init__(self, variants: Sequence[LayerNorm]) -> None:
        super().__init__()
        width = max(variant.width for variant in variants)
        self.weight, self.bias = nn.Parameter(torch.ones(width)), nn.Parameter(torch.zeros(width))

    def apply_to(self, x: Tensor, operation: Operation, place: str, run: Pass) -> Tensor:
        """Normalise each token over its width."""
        assert isinstance(operation, LayerNorm)
        weight, bias = self.folded(operation, place, {}).values()
        return functional.layer_norm(x, (operation.width,), weight, bias, 10.0**-operation.epsilon_exponent)

    def folded(self, operation: Operation, place: str, statistics: Statistics) -> dict[str, Tensor]:
        """Slice scale and shift."""
        assert isinstance(operation, LayerNorm)
        name, width = operation.name, operation.width
        return {f"{name}.weight": self.weight[:width], f"{name}.bias": self.bias[:width]}


class ElasticFeedForward(ElasticOperation):
    """Two linear maps with an activation between."""

    def __init__(self, variants: Sequence[FeedForward]) -> None:
        super().__init__()
        width, hidden = max(v.width for v in variants), max(v.hidden for v in variants)
        self.first, self.second = ElasticProjection(hidden, width), ElasticProjection(width, hidden)

    def apply_to(self, x: Tensor, operation: Operation, place: str, run: Pass) -> Tensor:
        """Map, activate, map."""
        assert isinstance(operation, FeedForward)
        hidden = FEED_FORWARD[operation.activation](self.first(x, operation.hidden))
        output: Tensor = self.second(hidden, operation.width)
        return output

    def folded(self, operation: Operation, place: str, statistics: Statistics) -> dict[str, Tensor]:
        """Slice both maps."""
        assert isinstance(operation, FeedForward)
        first = self.first.folded(f"{operation.name}.first", operation.hidden, operation.width)
        return first | self.second.folded(f"{operation.name}.second", operation.width, operation.hidden)
