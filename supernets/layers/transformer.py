"""What transformers do to each vector of a sequence (tokens, width) by itself (arXiv 1706.03762)."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from .attention import emit_projection, projection_shapes
from .operations import Shape, emit_activation

if TYPE_CHECKING:
    from .graph_builder import GraphBuilder


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
