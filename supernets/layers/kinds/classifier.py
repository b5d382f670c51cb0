"""The classifier of MobileNetV2-style networks and ResNets: mix (or not), pool, classify (arXiv 1801.04381)."""

from __future__ import annotations

from ..operations import Conv, Linear, Operation
from ..pooling import GlobalAveragePool
from ..spec import LayerSpec


def operations(spec: LayerSpec) -> tuple[Operation, ...]:
    """Read mix_channels (0: no 1x1 convolution before the pool), activation (none without it) and classes."""
    channels, mix = spec.input_shape[0], spec.integer("mix_channels")
    steps: list[Operation] = []
    if mix:
        steps.append(Conv("mix", channels, mix, 1, activation=spec.text("activation")))
    return (*steps, GlobalAveragePool(), Linear("classifier", mix or channels, spec.integer("classes")))
