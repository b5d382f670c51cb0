"""What a translator's encoder leaves for one decoder layer: keys and values of its last one to three layers."""

from __future__ import annotations

from ..decoding import CrossMemory
from ..operations import Operation
from ..spec import LayerSpec


def operations(spec: LayerSpec) -> tuple[Operation, ...]:
    """Read heads, head_dim and attended."""
    tokens, width = spec.input_shape
    heads, head_dim = spec.integer("heads"), spec.integer("head_dim")
    return (CrossMemory("memory", tokens, width, heads, head_dim, spec.integer("attended")),)
