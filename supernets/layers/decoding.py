"""Operations of a transformer that translates: what its encoder leaves, and one step of its decoder.

The encoder runs once and leaves, for each decoder layer, keys and values of the source (the sides `memory0.key`,
`memory0.value`, `memory0.mask`, ...). A decoder step takes in one token and its position, and keeps what earlier steps
computed in caches of fixed length (`past0.key`, ... with `.next` where they go). So every shape is fixed.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, ClassVar

from .attention import Attention, emit_projection, projection_shapes, split_heads
from .operations import Shape, Untrained
from .sequences import MASKED

if TYPE_CHECKING:
    from .graph_builder import GraphBuilder

EARLIER = ("encoded.1", "encoded.2")  # sides: outputs of the encoder layers one and two before the last


@dataclass(frozen=True, slots=True)
class Remember(Untrained):
    """Nothing of its own: leaves what comes in for layers that attend to earlier encoder layers."""

    def output_shape(self, shape: Shape) -> Shape:
        """The input's shape."""
        return shape

    def emit(self, graph: GraphBuilder, x: str) -> str:
        """No node; the two latest inputs are kept."""
        if EARLIER[0] in graph.sides:
            graph.provide(EARLIER[1], graph.sides[EARLIER[0]])
        graph.provide(EARLIER[0], x)
        return x


@dataclass(frozen=True, slots=True)
class CrossMemory:
    """Keys and values of a decoder layer's attention to the last `attended` encoder layers (arXiv 2005.14187).

    Their outputs are laid one after the other, so that a query chooses among layers as among tokens. The main value,
    the encoder's output of (tokens, width), is handed on as it is.
    """

    name: str
    tokens: int
    width: int
    heads: int
    head_dim: int
    attended: int

    @property
    def inner(self) -> int:
        """Width of all heads together."""
        return self.heads * self.head_dim

    def output_shape(self, shape: Shape) -> Shape:
        """The input's shape."""
        return shape

    def macs(self, shape: Shape) -> int:
        """Two projections of every token of every layer attended to."""
        return 2 * self.attended * self.tokens * self.width * self.inner

    @property
    def params(self) -> int:
        """Weights and biases of two projections."""
        return 2 * (self.width + 1) * self.inner

    def weight_shapes(self) -> dict[str, Shape]:
        """Key and value, (inner, width), and biases."""
        key = projection_shapes(f"{self.name}.key", self.inner, self.width)
        return key | projection_shapes(f"{self.name}.value", self.inner, self.width)

    def emit(self, graph: GraphBuilder, x: str) -> str:
        """Lay out, project; three outputs."""
        memory, tokens = f"memory{graph.numbered('memory')}", self.attended * self.tokens
        mask = graph.side("mask", (1, 1, self.tokens))
        earlier = [graph.side(name, (self.tokens, self.width)) for name in EARLIER[: self.attended - 1]]
        encoded = graph.node("Concat", [x, *earlier], axis=1) if earlier else x
        masks = graph.node("Concat", [mask] * self.attended, axis=3) if earlier else mask
        key, value = (
            emit_projection(graph, encoded, f"{self.name}.{part}", self.inner, self.width) for part in ("key", "value")
        )
        key = split_heads(graph, key, self.heads, self.head_dim, (0, 2, 3, 1))
        value = split_heads(graph, value, self.heads, self.head_dim)
        graph.output(f"{memory}.key", key, (self.heads, self.head_dim, tokens))
        graph.output(f"{memory}.value", value, (self.heads, tokens, self.head_dim))
        graph.output(f"{memory}.mask", masks, (1, 1, tokens))
        return graph.node("Identity", [x])


@dataclass(frozen=True, slots=True)
class StepEmbedding:
    """The vector of one token at `position`, of at most `target`; provides which cache entries are written and seen.

    Its table is the one that the vocabulary's projection has, and counted there, unless it is its `own`.
    """

    name: str
    vocabulary: int
    target: int
    width: int
    table: str
    own: bool = False

    input_dtype: ClassVar[str] = "int64"

    def output_shape(self, shape: Shape) -> Shape:
        """(1, width)."""
        return (1, self.width)

    def macs(self, shape: Shape) -> int:
        """None: rows are looked up."""
        return 0

    @property
    def params(self) -> int:
        """A table of its own, if it has one."""
        return self.vocabulary * self.width if self.own else 0

    def weight_shapes(self) -> dict[str, Shape]:
        """The shared table, and positions."""
        return {
            f"{self.table}.tokens": (self.vocabulary, self.width),
            f"{self.name}.positions": (self.target, self.width),
        }

    def emit(self, graph: GraphBuilder, x: str) -> str:
        """Look up, scale, add the position; and the sides `written` and `later`, and `position.next`."""
        position = graph.side("position", (1,), "int64")
        tokens = graph.shared_weight(f"{self.table}.tokens", (self.vocabulary, self.width))
        positions = graph.weight(f"{self.name}.positions", (self.target, self.width))
        numbers = graph.constant(tuple(range(self.target)))
        graph.provide("written", expanded(graph, graph.node("Equal", [numbers, position]), (1, 3)))
        later = graph.node("Cast", [graph.node("Greater", [numbers, position])], to=1)
        graph.provide("later", expanded(graph, graph.node("Mul", [later, graph.constant(MASKED)]), (1, 2)))
        graph.output("position.next", graph.node("Add", [position, graph.constant(1)]), (1,), "int64")
        scaled = graph.node("Mul", [graph.node("Gather", [tokens, x], axis=0), graph.constant(self.width**0.5)])
        return graph.node("Add", [scaled, graph.node("Gather", [positions, position], axis=0)])


def expanded(graph: GraphBuilder, x: str, axes: tuple[int, ...]) -> str:
    """Append axes of length one."""
    return graph.node("Unsqueeze", [x, graph.constant(axes)])


@dataclass(frozen=True, slots=True)
class CachedSelfAttention(Attention):
    """Attention of one token to itself and those before it, whose keys and values are kept in a cache of `target`."""

    target: int

    def macs(self, shape: Shape) -> int:
        """Four projections of one token, and two products with the whole cache."""
        return 4 * self.width * self.inner + 2 * self.target * self.inner

    def emit(self, graph: GraphBuilder, x: str) -> str:
        """Project, write into the cache, attend, project."""
        past, cache = f"past{graph.numbered('past')}", (self.heads, self.target, self.head_dim)
        written = graph.side("written", (1, self.target, 1), "bool")
        later = graph.side("later", (1, 1, self.target))
        query, *fresh = (self.read(graph, x, part) for part in self.reads)
        key, value = (
            graph.node("Where", [written, new, graph.side(f"{past}.{part}", cache)])
            for part, new in zip(("key", "value"), fresh)
        )
        graph.output(f"{past}.key.next", key, cache)
        graph.output(f"{past}.value.next", value, cache)
        return self.attended(graph, query, graph.node("Transpose", [key], perm=(0, 1, 3, 2)), value, later)


@dataclass(frozen=True, slots=True)
class CrossAttention(Attention):
    """Attention of one token to the memory that the encoder left: `tokens` keys and values."""

    tokens: int

    reads: ClassVar[tuple[str, ...]] = ("query",)

    def macs(self, shape: Shape) -> int:
        """Two projections of one token, and two products with the memory."""
        return 2 * self.width * self.inner + 2 * self.tokens * self.inner

    def emit(self, graph: GraphBuilder, x: str) -> str:
        """Project, attend to the memory, project."""
        memory = f"memory{graph.numbered('memory')}"
        key = graph.side(f"{memory}.key", (self.heads, self.head_dim, self.tokens))
        value = graph.side(f"{memory}.value", (self.heads, self.tokens, self.head_dim))
        mask = graph.side(f"{memory}.mask", (1, 1, self.tokens))
        return self.attended(graph, self.read(graph, x, "query"), key, value, mask)


@dataclass(frozen=True, slots=True)
class VocabularyProjection:
    """How likely each token of the vocabulary comes next, by the table of the embeddings; and the likeliest."""

    name: str
    vocabulary: int
    width: int
    table: str

    def output_shape(self, shape: Shape) -> Shape:
        """(vocabulary,)."""
        return (self.vocabulary,)

    def macs(self, shape: Shape) -> int:
        """One product a token of the vocabulary and unit of width."""
        return self.vocabulary * self.width

    @property
    def params(self) -> int:
        """The table, which the step's embedding reads too."""
        return self.vocabulary * self.width

    def weight_shapes(self) -> dict[str, Shape]:
        """The shared table."""
        return {f"{self.table}.tokens": (self.vocabulary, self.width)}

    def emit(self, graph: GraphBuilder, x: str) -> str:
        """Gemm, and ArgMax to the output `input.next`."""
        table = graph.shared_weight(f"{self.table}.tokens", (self.vocabulary, self.width))
        logits = graph.node("Gemm", [graph.node("Flatten", [x], axis=1), table], transB=1)
        graph.output("input.next", graph.node("ArgMax", [logits], axis=1, keepdims=1), (1,), "int64")
        return logits
