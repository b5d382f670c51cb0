"""The first layer of an image network: one strided convolution."""

from __future__ import annotations

from .operations import Conv, Operation
from .spec import LayerSpec


def operations(spec: LayerSpec) -> tuple[Operation, ...]:
    """Read kernel, stride, out_channels and activation."""
    return (
        Conv(
            "conv",
            spec.input_shape[0],
            spec.integer("out_channels"),
            spec.integer("kernel"),
            stride=spec.integer("stride"),
            activation=spec.text("activation"),
        ),
    )
