"""Operations that pool: nothing trained, and by the field's custom no MACs.

Like a convolution with "same" padding, a pool with a stride leaves ceil(size / stride) pixels a side; so the two paths
of a residual block always fit.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import TYPE_CHECKING

from .operations import Shape, Untrained

if TYPE_CHECKING:
    from .graph_builder import GraphBuilder


@dataclass(frozen=True, slots=True)
class Pool(Untrained):
    """What pools of a window have in common: one output a stride, no channel mixed, nothing trained."""

    stride: int

    def output_shape(self, shape: Shape) -> Shape:
        """Return (channels, ceil(height / stride), ceil(width / stride))."""
        return (shape[0], *(math.ceil(size / self.stride) for size in shape[1:]))


@dataclass(frozen=True, slots=True)
class MaxPool(Pool):
    """The largest of a square window with "same" padding, kernel // 2 on each side."""

    kernel: int

    def emit(self, graph: GraphBuilder, x: str) -> str:
        """One node."""
        window = {"kernel_shape": [self.kernel] * 2, "strides": [self.stride] * 2, "pads": [self.kernel // 2] * 4}
        return graph.node("MaxPool", [x], **window)


@dataclass(frozen=True, slots=True)
class AveragePool(Pool):
    """The mean of stride x stride pixels; a window over the edge counts the pixels inside alone."""

    def emit(self, graph: GraphBuilder, x: str) -> str:
        """One node."""
        return graph.node("AveragePool", [x], kernel_shape=[self.stride] * 2, strides=[self.stride] * 2, ceil_mode=1)


@dataclass(frozen=True, slots=True)
class GlobalAveragePool(Untrained):
    """Mean over height and width, which are kept as one."""

    def output_shape(self, shape: Shape) -> Shape:
        """(channels, 1, 1)."""
        return (shape[0], 1, 1)

    def emit(self, graph: GraphBuilder, x: str) -> str:
        """One node."""
        return graph.node("GlobalAveragePool", [x])
