"""The bottleneck block of ResNet-D: the stride in the 3x3 convolution, the shortcut pooled (arXiv 1812.01187)."""

from __future__ import annotations

from ..operations import Conv, Operation, Residual
from ..pooling import AveragePool
from ..spec import LayerSpec


def operations(spec: LayerSpec) -> tuple[Operation, ...]:
    """Read kernel, stride, mid_channels, out_channels and activation.

    Where the output has the input's shape the shortcut is the identity, else an average pool over the stride and a
    1x1 convolution.
    """
    channels, mid, out = spec.input_shape[0], spec.integer("mid_channels"), spec.integer("out_channels")
    stride, activation = spec.integer("stride"), spec.text("activation")
    body = (
        Conv("reduce", channels, mid, 1, activation=activation),
        Conv("spatial", mid, mid, spec.integer("kernel"), stride=stride, activation=activation),
        Conv("expand", mid, out, 1),
    )
    shortcut: list[Operation] = []
    if stride > 1:
        shortcut.append(AveragePool(stride))
    if stride > 1 or channels != out:
        shortcut.append(Conv("project", channels, out, 1))
    return (Residual(body, tuple(shortcut), activation),)
