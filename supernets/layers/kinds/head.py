"""The classifier of MobileNetV3-style networks: widen, pool, mix, classify (arXiv 1905.02244, section 5.1)."""

from __future__ import annotations

from ..operations import Conv, Linear, Operation
from ..pooling import GlobalAveragePool
from ..spec import LayerSpec


def operations(spec: LayerSpec) -> tuple[Operation, ...]:
    """Read final_channels, mix_channels (0: no mixing convolution) and classes."""
    final, mix = spec.integer("final_channels"), spec.integer("mix_channels")
    steps: list[Operation] = [
        Conv("final", spec.input_shape[0], final, 1, activation="hswish"),
        GlobalAveragePool(),
    ]
    if mix:
        steps.append(Conv("mix", final, mix, 1, norm=False, activation="hswish"))
    steps.append(Linear("classifier", mix or final, spec.integer("classes")))
    return tuple(steps)
