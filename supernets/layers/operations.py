"""The primitive operations that layers consist of.

A layer kind is a sequence of these. Everything that is said about a layer (MACs, parameters, ONNX nodes, torch
module) is derived from that one sequence, so the graph that is timed and the graph that is shipped cannot differ.
MACs count convolutions and linear layers alone, parameters count batch norm's scale and shift, as the field does.
"""

from __future__ import annotations

import math
from collections.abc import Iterator
from dataclasses import dataclass
from typing import TYPE_CHECKING, Protocol

from ..errors import SupernetError

if TYPE_CHECKING:
    from .graph_builder import GraphBuilder

Shape = tuple[int, ...]


class Operation(Protocol):
    """One step of a layer; shapes leave the batch out."""

    def output_shape(self, shape: Shape) -> Shape:
        """Return the shape that an input of `shape` becomes."""
        ...

    def macs(self, shape: Shape) -> int:
        """Count multiply-accumulates for an input of `shape`."""
        ...

    @property
    def params(self) -> int:
        """Count trainable parameters, batch norm's included."""
        ...

    def weight_shapes(self) -> dict[str, Shape]:
        """Name the arrays that the ONNX graph holds, batch norm folded in."""
        ...

    def emit(self, graph: GraphBuilder, x: str) -> str:
        """Append the operation's nodes to `graph` and return the name of its output."""
        ...


@dataclass(frozen=True, slots=True)
class Untrained:
    """What operations without weights have in common; by the field's custom their work is not counted."""

    def macs(self, shape: Shape) -> int:
        """None: not counted."""
        return 0

    @property
    def params(self) -> int:
        """None."""
        return 0

    def weight_shapes(self) -> dict[str, Shape]:
        """None."""
        return {}


@dataclass(frozen=True, slots=True)
class Conv:
    """A 2-D convolution with "same" padding, then batch norm (unless `norm` is off), then an activation.

    `activation` is one of relu, relu6, hswish, none. A depthwise convolution has as many groups as channels. `pads`
    are (top, left, bottom, right); without them, kernel // 2 on every side.
    """

    name: str
    in_channels: int
    out_channels: int
    kernel: int
    stride: int = 1
    depthwise: bool = False
    norm: bool = True
    activation: str = "none"
    pads: tuple[int, int, int, int] | None = None

    @property
    def padding(self) -> tuple[int, int, int, int]:
        """Rows and columns of zeros at the top, left, bottom and right."""
        around = self.kernel // 2
        return self.pads or (around, around, around, around)

    def output_shape(self, shape: Shape) -> Shape:
        """Return (out_channels, ceil(height / stride), ceil(width / stride))."""
        return (self.out_channels, *(math.ceil(size / self.stride) for size in shape[1:]))

    def macs(self, shape: Shape) -> int:
        """Count one MAC per kernel tap, input channel of the group, and output element."""
        return math.prod(self.output_shape(shape)) * math.prod(self.weight_shape[1:])

    @property
    def weight_shape(self) -> Shape:
        """(out, in / groups, kernel, kernel)."""
        return (self.out_channels, 1 if self.depthwise else self.in_channels, self.kernel, self.kernel)

    @property
    def params(self) -> int:
        """Kernel, and batch norm's scale and shift."""
        return math.prod(self.weight_shape) + (2 * self.out_channels if self.norm else 0)

    def weight_shapes(self) -> dict[str, Shape]:
        """Kernel, and the bias that batch norm folds to."""
        shapes = {f"{self.name}.weight": self.weight_shape}
        return shapes | {f"{self.name}.bias": (self.out_channels,)} if self.norm else shapes

    def emit(self, graph: GraphBuilder, x: str) -> str:
        """Conv and its activation."""
        weights = [graph.weight(name, shape) for name, shape in self.weight_shapes().items()]
        y = graph.node(
            "Conv",
            [x, *weights],
            kernel_shape=[self.kernel] * 2,
            strides=[self.stride] * 2,
            pads=list(self.padding),
            group=self.in_channels if self.depthwise else 1,
        )
        return emit_activation(graph, y, self.activation)


@dataclass(frozen=True, slots=True)
class SqueezeExcite:
    """Channel attention: global pool, reduce, ReLU, expand, hard sigmoid, scale (arXiv 1905.02244)."""

    name: str
    channels: int
    reduced: int

    def output_shape(self, shape: Shape) -> Shape:
        """The input's shape."""
        return shape

    def macs(self, shape: Shape) -> int:
        """Both 1x1 convolutions, on one pixel."""
        return 2 * self.channels * self.reduced

    @property
    def params(self) -> int:
        """Two kernels and two biases."""
        return 2 * self.channels * self.reduced + self.reduced + self.channels

    def weight_shapes(self) -> dict[str, Shape]:
        """Kernels and biases of the two 1x1 convolutions."""
        return {
            f"{self.name}.reduce.weight": (self.reduced, self.channels, 1, 1),
            f"{self.name}.reduce.bias": (self.reduced,),
            f"{self.name}.expand.weight": (self.channels, self.reduced, 1, 1),
            f"{self.name}.expand.bias": (self.channels,),
        }

    def emit(self, graph: GraphBuilder, x: str) -> str:
        """Pool, two convolutions, and the product with the input."""
        weights = [graph.weight(name, shape) for name, shape in self.weight_shapes().items()]
        y = graph.node("GlobalAveragePool", [x])
        y = graph.node("Conv", [y, *weights[:2]], kernel_shape=[1, 1])
        y = graph.node("Relu", [y])
        y = graph.node("Conv", [y, *weights[2:]], kernel_shape=[1, 1])
        y = graph.node("HardSigmoid", [y], alpha=1 / 6, beta=0.5)
        return graph.node("Mul", [x, y])


@dataclass(frozen=True, slots=True)
class Linear:
    """A fully connected layer with bias on the flattened input."""

    name: str
    in_features: int
    out_features: int

    def output_shape(self, shape: Shape) -> Shape:
        """(out_features,)."""
        return (self.out_features,)

    def macs(self, shape: Shape) -> int:
        """One a weight."""
        return self.in_features * self.out_features

    @property
    def params(self) -> int:
        """Weights and bias."""
        return (self.in_features + 1) * self.out_features

    def weight_shapes(self) -> dict[str, Shape]:
        """(out, in) and (out,)."""
        return {
            f"{self.name}.weight": (self.out_features, self.in_features),
            f"{self.name}.bias": (self.out_features,),
        }

    def emit(self, graph: GraphBuilder, x: str) -> str:
        """Flatten and Gemm."""
        weights = [graph.weight(name, shape) for name, shape in self.weight_shapes().items()]
        return graph.node("Gemm", [graph.node("Flatten", [x], axis=1), *weights], transB=1)


@dataclass(frozen=True, slots=True)
class Residual:
    """A sequence of operations, and the input added to its output, then an activation.

    Where `shortcut` holds operations, what they make of the input is added instead; it must have the same shape.
    Several in one layer need different names.
    """

    operations: tuple[Operation, ...]
    shortcut: tuple[Operation, ...] = ()
    activation: str = "none"
    name: str = "residual"

    def output_shape(self, shape: Shape) -> Shape:
        """The sequence's."""
        for operation in self.operations:
            shape = operation.output_shape(shape)
        return shape

    def macs(self, shape: Shape) -> int:
        """Those of the sequence and the shortcut."""
        paths = (self.operations, self.shortcut)
        return sum(operation.macs(at) for path in paths for operation, at in with_shapes(path, shape))

    @property
    def params(self) -> int:
        """Those of the sequence and the shortcut."""
        return sum(operation.params for operation in (*self.operations, *self.shortcut))

    def weight_shapes(self) -> dict[str, Shape]:
        """Those of the sequence and the shortcut."""
        both = (*self.operations, *self.shortcut)
        return {name: shape for operation in both for name, shape in operation.weight_shapes().items()}

    def emit(self, graph: GraphBuilder, x: str) -> str:
        """The nodes of both paths, an Add and the activation."""
        y, added = x, x
        for operation in self.operations:
            y = operation.emit(graph, y)
        for operation in self.shortcut:
            added = operation.emit(graph, added)
        return emit_activation(graph, graph.node("Add", [added, y]), self.activation)


PADDINGS = ("symmetric", "same_upper")


def pads_of(padding: str, shape: Shape, kernel: int, stride: int) -> tuple[int, int, int, int] | None:
    """Return what `padding` means for an image of `shape` (channels, height, width): None for symmetric.

    "same_upper" is TensorFlow's: just enough zeros for ceil(size / stride) outputs, the odd one at the end. Raises
    SupernetError for another word.
    """
    if padding not in PADDINGS:
        raise SupernetError(f"no padding {padding!r}; there are {', '.join(PADDINGS)}")
    if padding == "symmetric":
        return None
    height, width = (max((math.ceil(size / stride) - 1) * stride + kernel - size, 0) for size in shape[1:])
    return height // 2, width // 2, height - height // 2, width - width // 2


def with_shapes(operations: tuple[Operation, ...], shape: Shape) -> Iterator[tuple[Operation, Shape]]:
    """Pair each operation with the shape that reaches it."""
    for operation in operations:
        yield operation, shape
        shape = operation.output_shape(shape)


ONNX_ACTIVATIONS = {"relu": ("Relu", ()), "relu6": ("Clip", (0.0, 6.0)), "hswish": ("HardSwish", ())}


def emit_activation(graph: GraphBuilder, x: str, activation: str) -> str:
    """Append the node of `activation`, if it is not none."""
    if activation == "none":
        return x
    operator, bounds = ONNX_ACTIVATIONS[activation]
    return graph.node(operator, [x, *(graph.constant(bound) for bound in bounds)])
