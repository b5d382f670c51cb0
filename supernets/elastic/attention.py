"""Elastic attention: heads and width are sliced from the front."""

from __future__ import annotations

from collections.abc import Sequence

import torch
from torch import Tensor, nn
from torch.nn import functional

from ..layers.attention import Attention, SelfAttention
from ..layers.operations import Operation
from .forward import Pass
from .normalisation import Statistics
from .operations import ElasticOperation


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


class ElasticAttention(ElasticOperation):
    """What attentions have in common: a projection for each of what is read, and one back."""

    def __init__(self, variants: Sequence[Attention]) -> None:
        super().__init__()
        width, inner = max(v.width for v in variants), max(v.inner for v in variants)
        for part in variants[0].reads:
            self.add_module(part, ElasticProjection(inner, width))
        self.output = ElasticProjection(width, inner)

    def projection(self, part: str) -> ElasticProjection:
        """Return the projection to `part`, one of what is read."""
        module = self.get_submodule(part)
        assert isinstance(module, ElasticProjection)
        return module

    def read(self, x: Tensor, operation: Attention) -> list[Tensor]:
        """Return each of what is read of x (batch, tokens, width), (batch, heads, tokens, head_dim)."""
        heads = (operation.heads, operation.head_dim)
        return [
            self.projection(part)(x, operation.inner).unflatten(-1, heads).transpose(1, 2) for part in operation.reads
        ]

    def written(self, attended: Tensor, operation: Attention) -> Tensor:
        """Project what was attended to (batch, heads, tokens, head_dim) back, (batch, tokens, width)."""
        output: Tensor = self.output(attended.transpose(1, 2).flatten(2), operation.width)
        return output

    def folded(self, operation: Operation, place: str, statistics: Statistics) -> dict[str, Tensor]:
        """Slice all projections."""
        assert isinstance(operation, Attention)
        arrays: dict[str, Tensor] = {}
        for part in operation.reads:
            arrays |= self.projection(part).folded(f"{operation.name}.{part}", operation.inner, operation.width)
        return arrays | self.output.folded(f"{operation.name}.output", operation.width, operation.inner)


class ElasticSelfAttention(ElasticAttention):
    """Multi-head attention of a sequence to itself."""

    def apply_to(self, x: Tensor, operation: Operation, place: str, run: Pass) -> Tensor:
        """Project, attend, project; padding is left out where the operation says so."""
        assert isinstance(operation, SelfAttention)
        query, key, value = self.read(x, operation)
        mask = run.sides["mask"].to(query.dtype) if operation.masked_tokens else None
        return self.written(attention(query, key, value, mask), operation)
