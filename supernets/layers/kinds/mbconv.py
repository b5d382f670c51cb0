"""The inverted residual block of MobileNetV2 and V3 (arXiv 1801.04381, 1905.02244)."""

from __future__ import annotations

from ..operations import Conv, Operation, Residual, SqueezeExcite, pads_of
from ..spec import LayerSpec


def operations(spec: LayerSpec) -> tuple[Operation, ...]:
    """Read kernel, stride, mid_channels, out_channels, activation, se_channels (0: none) and residual (0 or 1).

    Where mid_channels equals the input's channels there is no expansion, as in a network's first block. Padding is
    symmetric, unless the layer has an attribute padding (same_upper).
    """
    channels, mid = spec.input_shape[0], spec.integer("mid_channels")
    activation, reduced = spec.text("activation"), spec.integer("se_channels")
    steps: list[Operation] = []
    if mid != channels:
        steps.append(Conv("expand", channels, mid, 1, activation=activation))
    kernel, stride = spec.integer("kernel"), spec.integer("stride")
    pads = pads_of(spec.text("padding", "symmetric"), spec.input_shape, kernel, stride)
    steps.append(Conv("depthwise", mid, mid, kernel, stride=stride, depthwise=True, activation=activation, pads=pads))
    if reduced:
        steps.append(SqueezeExcite("se", mid, reduced))
    steps.append(Conv("project", mid, spec.integer("out_channels"), 1))
    return (Residual(tuple(steps)),) if spec.integer("residual") else tuple(steps)
