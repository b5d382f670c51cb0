"""Multi-head attention (arXiv 1706.03762, section 3.2): what its kinds share, and that of a sequence to itself.

Weights are stored as torch stores them, (out, in).
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import TYPE_CHECKING, ClassVar

from .operations import Shape

if TYPE_CHECKING:
    from .graph_builder import GraphBuilder


def projection_shapes(name: str, out: int, width: int) -> dict[str, Shape]:
    """Return the arrays of a linear map with bias."""
    return {f"{name}.weight": (out, width), f"{name}.bias": (out,)}


def emit_projection(graph: GraphBuilder, x: str, name: str, out: int, width: int) -> str:
    """Append a linear map with bias of the last axis, (..., width) to (..., out)."""
    y = graph.node("MatMul", [x, graph.weight(f"{name}.weight", (out, width), transposed=True)])
    return graph.node("Add", [y, graph.weight(f"{name}.bias", (out,))])


def split_heads(graph: GraphBuilder, x: str, heads: int, head_dim: int, order: tuple[int, ...] = (0, 2, 1, 3)) -> str:
    """Append the nodes that turn (batch, tokens, heads * head_dim) into (batch, heads, tokens, head_dim)."""
    return graph.node("Transpose", [graph.node("Reshape", [x, graph.constant((0, 0, heads, head_dim))])], perm=order)


@dataclass(frozen=True, slots=True)
class Attention:
    """What attentions have in common: the input is projected to `reads`, attended with, and projected back."""

    name: str
    width: int
    heads: int
    head_dim: int

    reads: ClassVar[tuple[str, ...]] = ("query", "key", "value")

    @property
    def inner(self) -> int:
        """Width of all heads together."""
        return self.heads * self.head_dim

    def output_shape(self, shape: Shape) -> Shape:
        """The input's shape."""
        return shape

    @property
    def params(self) -> int:
        """Weights and biases of the projections."""
        return sum(math.prod(shape) for shape in self.weight_shapes().values())

    def weight_shapes(self) -> dict[str, Shape]:
        """What is read, (inner, width) each; output, (width, inner); and biases."""
        shapes: dict[str, Shape] = {}
        for part in self.reads:
            shapes |= projection_shapes(f"{self.name}.{part}", self.inner, self.width)
        return shapes | projection_shapes(f"{self.name}.output", self.width, self.inner)

    def read(self, graph: GraphBuilder, x: str, part: str, order: tuple[int, ...] = (0, 2, 1, 3)) -> str:
        """Append the projection of x to a part, (batch, heads, tokens, head_dim) or those axes in another `order`."""
        projected = emit_projection(graph, x, f"{self.name}.{part}", self.inner, self.width)
        return split_heads(graph, projected, self.heads, self.head_dim, order)

    def attended(self, graph: GraphBuilder, query: str, key: str, value: str, mask: str | None) -> str:
        """Append softmax(query key / sqrt(head_dim) + mask) value, projected back.

        Of shape (batch, heads, tokens, head_dim), the key with its last two axes exchanged.
        """
        scores = graph.node("Mul", [graph.node("MatMul", [query, key]), graph.constant(self.head_dim**-0.5)])
        if mask:
            scores = graph.node("Add", [scores, mask])
        y = graph.node("MatMul", [graph.node("Softmax", [scores], axis=-1), value])
        y = graph.node("Reshape", [graph.node("Transpose", [y], perm=(0, 2, 1, 3)), graph.constant((0, 0, self.inner))])
        return emit_projection(graph, y, f"{self.name}.output", self.width, self.inner)


@dataclass(frozen=True, slots=True)
class SelfAttention(Attention):
    """Attention of a sequence to itself.

    With `masked_tokens`, the sequence's length, padding is left out, as the side value `mask` says.
    """

    masked_tokens: int = 0

    def macs(self, shape: Shape) -> int:
        """Four projections, and two products of every pair of tokens."""
        tokens = shape[0]
        return 4 * tokens * self.width * self.inner + 2 * tokens * tokens * self.inner

    def emit(self, graph: GraphBuilder, x: str) -> str:
        """Project, attend, project."""
        query, key = self.read(graph, x, "query"), self.read(graph, x, "key", (0, 2, 3, 1))
        value = self.read(graph, x, "value")
        mask = graph.side("mask", (1, 1, self.masked_tokens)) if self.masked_tokens else None
        return self.attended(graph, query, key, value, mask)
