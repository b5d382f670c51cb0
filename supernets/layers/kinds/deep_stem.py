"""The first layers of ResNet-D: 3x3 convolutions in place of one 7x7, then a max pool (arXiv 1812.01187)."""

from __future__ import annotations

from ..operations import Conv, Operation, Residual
from ..pooling import MaxPool
from ..spec import LayerSpec


def operations(spec: LayerSpec) -> tuple[Operation, ...]:
    """Read mid_channels, out_channels, activation and residual (0 or 1: a residual convolution in between).

    Height and width are halved twice: by the first convolution and by the pool.
    """
    mid, out, activation = spec.integer("mid_channels"), spec.integer("out_channels"), spec.text("activation")
    first = Conv("first", spec.input_shape[0], mid, 3, stride=2, activation=activation)
    middle: list[Operation] = []
    if spec.integer("residual"):
        middle.append(Residual((Conv("middle", mid, mid, 3, activation=activation),)))
    return (first, *middle, Conv("last", mid, out, 3, activation=activation), MaxPool(kernel=3, stride=2))
