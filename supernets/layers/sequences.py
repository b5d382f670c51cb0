"""Operations that turn something into a sequence of vectors, and a sequence into one vector."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import TYPE_CHECKING, ClassVar

from .operations import Shape, Untrained

if TYPE_CHECKING:
    from .graph_builder import GraphBuilder

MASKED = -10_000.0  # added to the attention scores of padding: no weight is left, in 16 bits neither


@dataclass(frozen=True, slots=True)
class TokenEmbedding:
    """Vectors of token ids plus those of their positions; provides the side value `mask`.

    `limit` is how many positions were learned; with 0 they are sines and cosines (arXiv 1706.03762, section 3.5).
    `types` adds the vector of the first token type (arXiv 1810.04805); `scaled` multiplies the tokens' by sqrt(width).
    Where a `table` is named, the tokens' vectors are that one's, which several operations of a network share.
    """

    name: str
    vocabulary: int
    tokens: int
    width: int
    limit: int
    types: bool
    scaled: bool
    padding_id: int
    table: str = ""

    input_dtype: ClassVar[str] = "int64"

    def output_shape(self, shape: Shape) -> Shape:
        """(tokens, width)."""
        return (self.tokens, self.width)

    def macs(self, shape: Shape) -> int:
        """None: rows are looked up."""
        return 0

    @property
    def params(self) -> int:
        """The tables: tokens, learned positions, one type."""
        return self.width * (self.vocabulary + self.limit + int(self.types))

    def weight_shapes(self) -> dict[str, Shape]:
        """Tokens, scaled; and positions with the type's vector added."""
        return {
            f"{self.name}.tokens": (self.vocabulary, self.width),
            f"{self.name}.positions": (self.tokens, self.width),
        }

    def emit(self, graph: GraphBuilder, x: str) -> str:
        """Look up, add; and the mask from the ids."""
        tokens, positions = (graph.weight(name, shape) for name, shape in self.weight_shapes().items())
        padded = graph.node("Cast", [graph.node("Equal", [x, graph.constant(self.padding_id)])], to=1)
        mask = graph.node("Mul", [padded, graph.constant(MASKED)])
        graph.provide("mask", graph.node("Unsqueeze", [mask, graph.constant((1, 2))]))
        return graph.node("Add", [graph.node("Gather", [tokens, x], axis=0), positions])


@dataclass(frozen=True, slots=True)
class PatchEmbedding:
    """Square patches of an image as vectors, a class token before them, positions added (arXiv 2010.11929)."""

    name: str
    channels: int
    size: int
    patch: int
    width: int

    @property
    def tokens(self) -> int:
        """Patches and the class token."""
        return (self.size // self.patch) ** 2 + 1

    def output_shape(self, shape: Shape) -> Shape:
        """(tokens, width)."""
        return (self.tokens, self.width)

    def macs(self, shape: Shape) -> int:
        """Those of the convolution."""
        return (self.tokens - 1) * self.width * self.channels * self.patch**2

    @property
    def params(self) -> int:
        """Kernel, bias, class token, positions."""
        return sum(math.prod(shape) for shape in self.weight_shapes().values())

    def weight_shapes(self) -> dict[str, Shape]:
        """Kernel (width, channels, patch, patch), bias, class token and positions."""
        return {
            f"{self.name}.patch.weight": (self.width, self.channels, self.patch, self.patch),
            f"{self.name}.patch.bias": (self.width,),
            f"{self.name}.class": (1, 1, self.width),
            f"{self.name}.positions": (self.tokens, self.width),
        }

    def emit(self, graph: GraphBuilder, x: str) -> str:
        """Convolve, lay out as a sequence, put the class token first, add positions."""
        kernel, bias, token, positions = (graph.weight(name, shape) for name, shape in self.weight_shapes().items())
        window = {"kernel_shape": [self.patch] * 2, "strides": [self.patch] * 2}
        y = graph.node("Conv", [x, kernel, bias], **window)
        y = graph.node("Reshape", [y, graph.constant((0, 0, -1))])
        y = graph.node("Transpose", [y], perm=(0, 2, 1))
        token = graph.node("Expand", [token, graph.constant((graph.batch, 1, self.width))])
        return graph.node("Add", [graph.node("Concat", [token, y], axis=1), positions])


@dataclass(frozen=True, slots=True)
class Pooled(Untrained):
    """What poolings of a sequence have in common: one vector is left, nothing is trained."""

    def output_shape(self, shape: Shape) -> Shape:
        """(width,)."""
        return shape[1:]


@dataclass(frozen=True, slots=True)
class FirstToken(Pooled):
    """The vector of the first token."""

    def emit(self, graph: GraphBuilder, x: str) -> str:
        """One node."""
        return graph.node("Gather", [x, graph.constant(0)], axis=1)


@dataclass(frozen=True, slots=True)
class MaskedMean(Pooled):
    """The mean over the tokens that are not padding, as the side value `mask` says."""

    tokens: int

    def emit(self, graph: GraphBuilder, x: str) -> str:
        """A product of which tokens count with the sequence, over their number."""
        mask = graph.side("mask", (1, 1, self.tokens))
        counted = graph.node("Cast", [graph.node("Greater", [mask, graph.constant(MASKED / 2)])], to=1)
        counted = graph.node("Reshape", [counted, graph.constant((0, 1, self.tokens))])
        summed = graph.node("MatMul", [counted, x])
        mean = graph.node("Div", [summed, graph.node("ReduceSum", [counted, graph.constant((2,))], keepdims=1)])
        return graph.node("Squeeze", [mean, graph.constant((1,))])
