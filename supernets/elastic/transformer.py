"""Elastic operations of transformers: heads, hidden units and width are sliced from the front.

A smaller width of a normalised vector is normalised by itself, not by the whole (arXiv 2005.14187).
"""

from __future__ import annotations

from collections.abc import Callable, Sequence

import torch
from torch import Tensor, nn
from torch.nn import functional

from ..layers.attention import SelfAttention
from ..layers.operations import Operation
from ..layers.transformer import FeedForward, LayerNorm
from .forward import Pass
from .normalisation import Statistics
from .operations import ElasticOperation

FEED_FORWARD: dict[str, Callable[[Tensor], Tensor]] = {"gelu": functional.gelu, "relu": functional.relu}


def attention(query: Tensor, key: Tensor, value: Tensor, mask: Tensor | None) -> Tensor:
    """Return what each token attends to, (batch, heads, tokens, head_dim).

    In 16 bits, torch's fused kernel for CPUs takes five times longer backward than the products that it fuses.
    """
    if query.dtype is not torch.bfloat16 or not torch.is_grad_enabled():
        return functional.scaled_dot_product_attention(query, key, value, attn_mask=mask)
    scores = query @ key.transpose(2, 3) * query.shape[-1] ** -0.5
    weights = (scores if mask is None else scores + mask).softmax(-1)
    return torch.matmul(weights.to(value.dtype), value)


class ElasticProjection(nn.Module):
    """A linear map with bias, sliced in both directions."""

    def __init__(self, out: int, width: int) -> None:
        super().__init__()
        self.weight = nn.Parameter(torch.empty(out, width))
        self.bias = nn.Parameter(torch.zeros(out))
        nn.init.xavier_uniform_(self.weight)

    def sliced(self, out: int, width: int) -> tuple[Tensor, Tensor]:
        """Return weight (out, width) and bias (out,)."""
        return self.weight[:out, :width], self.bias[:out]

    def forward(self, x: Tensor, out: int) -> Tensor:
        """Map (..., width) to (..., out)."""
        return functional.linear(x, *self.sliced(out, x.shape[-1]))

    def folded(self, name: str, out: int, width: int) -> dict[str, Tensor]:
        """Return the graph's arrays."""
        weight, bias = self.sliced(out, width)
        return {f"{name}.weight": weight, f"{name}.bias": bias}


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


class ElasticSelfAttention(ElasticOperation):
    """Multi-head attention of a sequence to itself."""

    def __init__(self, variants: Sequence[SelfAttention]) -> None:
        super().__init__()
        width, inner = max(v.width for v in variants), max(v.inner for v in variants)
        self.query, self.key, self.value = (ElasticProjection(inner, width) for _ in range(3))
        self.output = ElasticProjection(width, inner)

    def apply_to(self, x: Tensor, operation: Operation, place: str, run: Pass) -> Tensor:
        """Project, attend, project; padding is left out where the operation says so."""
        assert isinstance(operation, SelfAttention)
        heads = (operation.heads, operation.head_dim)
        query, key, value = (
            projection(x, operation.inner).unflatten(-1, heads).transpose(1, 2)
            for projection in (self.query, self.key, self.value)
        )
        mask = run.sides["mask"].to(query.dtype) if operation.masked_tokens else None
        attended = attention(query, key, value, mask)
        output: Tensor = self.output(attended.transpose(1, 2).flatten(2), operation.width)
        return output

    def folded(self, operation: Operation, place: str, statistics: Statistics) -> dict[str, Tensor]:
        """Slice all four projections."""
        assert isinstance(operation, SelfAttention)
        arrays: dict[str, Tensor] = {}
        for part, projection in (("query", self.query), ("key", self.key), ("value", self.value)):
            arrays |= projection.folded(f"{operation.name}.{part}", operation.inner, operation.width)
        return arrays | self.output.folded(f"{operation.name}.output", operation.width, operation.inner)


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
