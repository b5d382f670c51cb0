"""The first layer of an image network: one strided convolution."""

from __future__ import annotations

from ..operations import Conv, Operation, pads_of
from ..spec import LayerSpec


def operations(spec: LayerSpec) -> tuple[Operation, ...]:
    """Read kernel, stride, out_channels and activation; padding is symmetric, unless there is an attribute padding."""
    kernel, stride = spec.integer("kernel"), spec.integer("stride")
    pads = pads_of(spec.text("padding", "symmetric"), spec.input_shape, kernel, stride)
    activation, out = spec.text("activation"), spec.integer("out_channels")
    return (Conv("conv", spec.input_shape[0], out, kernel, stride=stride, activation=activation, pads=pads),)
