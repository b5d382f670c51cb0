"""Operations that transformers consist of, on sequences of shape (tokens, width) (arXiv 1706.03762).

Which tokens are padding is known from the ids: the embedding provides the side value `mask`, (1, 1, tokens), which is
added to attention scores. Weights are stored as torch stores them, (out, in).
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import TYPE_CHECKING

from .operations import Shape, emit_activation

if TYPE_CHECKING:
    from ..graph import GraphBuilder


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


def merge_heads(graph: GraphBuilder, x: str, width: int) -> str:
    """Append the nodes that turn (batch, heads, tokens, head_dim) into (batch, tokens, heads * head_dim)."""
    return graph.node("Reshape", [graph.node("Transpose", [x], perm=(0, 2, 1, 3)), graph.constant((0, 0, width))])


@dataclass(frozen=True, slots=True)
class LayerNorm:
    """Normalisation of each token over its width, scaled and shifted; epsilon is ten to minus the exponent."""

    name: str
    width: int
    epsilon_exponent: int

    def output_shape(self, shape: Shape) -> Shape:
        """The input's shape."""
        return shape

    def macs(self, shape: Shape) -> int:
        """None: normalisation is not counted."""
        return 0

    @property
    def params(self) -> int:
        """Scale and shift."""
        return 2 * self.width

    def weight_shapes(self) -> dict[str, Shape]:
        """Scale and shift."""
        return {f"{self.name}.weight": (self.width,), f"{self.name}.bias": (self.width,)}

    def emit(self, graph: GraphBuilder, x: str) -> str:
        """One node."""
        weights = [graph.weight(name, shape) for name, shape in self.weight_shapes().items()]
        return graph.node("LayerNormalization", [x, *weights], axis=-1, epsilon=10.0**-self.epsilon_exponent)


@dataclass(frozen=True, slots=True)
class SelfAttention:
    """Multi-head attention of a sequence to itself.

    With `masked_tokens`, the sequence's length, padding is left out, as the side value `mask` says.
    """

    name: str
    width: int
    heads: int
    head_dim: int
    masked_tokens: int = 0

    @property
    def inner(self) -> int:
        """Width of all heads together."""
        return self.heads * self.head_dim

    def output_shape(self, shape: Shape) -> Shape:
        """The input's shape."""
        return shape

    def macs(self, shape: Shape) -> int:
        """Four projections, and two products of every pair of tokens."""
        tokens = shape[0]
        return 4 * tokens * self.width * self.inner + 2 * tokens * tokens * self.inner

    @property
    def params(self) -> int:
        """Weights and biases of four projections."""
        return sum(math.prod(shape) for shape in self.weight_shapes().values())

    def weight_shapes(self) -> dict[str, Shape]:
        """Query, key and value, (inner, width); output, (width, inner); and biases."""
        shapes: dict[str, Shape] = {}
        for part in ("query", "key", "value"):
            shapes |= projection_shapes(f"{self.name}.{part}", self.inner, self.width)
        return shapes | projection_shapes(f"{self.name}.output", self.width, self.inner)

    def emit(self, graph: GraphBuilder, x: str) -> str:
        """Project, attend, project."""
        query, key, value = (
            emit_projection(graph, x, f"{self.name}.{part}", self.inner, self.width)
            for part in ("query", "key", "value")
        )
        query = split_heads(graph, query, self.heads, self.head_dim)
        key = split_heads(graph, key, self.heads, self.head_dim, (0, 2, 3, 1))
        value = split_heads(graph, value, self.heads, self.head_dim)
        scores = graph.node("Mul", [graph.node("MatMul", [query, key]), graph.constant(self.head_dim**-0.5)])
        if self.masked_tokens:
            scores = graph.node("Add", [scores, graph.side("mask", (1, 1, self.masked_tokens))])
        attended = graph.node("MatMul", [graph.node("Softmax", [scores], axis=-1), value])
        merged = merge_heads(graph, attended, self.inner)
        return emit_projection(graph, merged, f"{self.name}.output", self.width, self.inner)


@dataclass(frozen=True, slots=True)
class FeedForward:
    """Two linear maps of every token with an activation between: gelu (the exact one) or relu."""

    name: str
    width: int
    hidden: int
    activation: str

    def output_shape(self, shape: Shape) -> Shape:
        """The input's shape."""
        return shape

    def macs(self, shape: Shape) -> int:
        """Both maps, for every token."""
        return 2 * shape[0] * self.width * self.hidden

    @property
    def params(self) -> int:
        """Weights and biases."""
        return 2 * self.width * self.hidden + self.hidden + self.width

    def weight_shapes(self) -> dict[str, Shape]:
        """(hidden, width), (width, hidden) and biases."""
        first = projection_shapes(f"{self.name}.first", self.hidden, self.width)
        return first | projection_shapes(f"{self.name}.second", self.width, self.hidden)

    def emit(self, graph: GraphBuilder, x: str) -> str:
        """Map, activate, map."""
        y = emit_projection(graph, x, f"{self.name}.first", self.hidden, self.width)
        y = emit_gelu(graph, y) if self.activation == "gelu" else emit_activation(graph, y, self.activation)
        return emit_projection(graph, y, f"{self.name}.second", self.width, self.hidden)


def emit_gelu(graph: GraphBuilder, x: str) -> str:
    """Append x (1 + erf(x / sqrt 2)) / 2 (arXiv 1606.08415), in the order of nodes that runtimes fuse into one."""
    y = graph.node("Erf", [graph.node("Div", [x, graph.constant(2.0**0.5)])])
    y = graph.node("Mul", [x, graph.node("Add", [y, graph.constant(1.0)])])
    return graph.node("Mul", [y, graph.constant(0.5)])
