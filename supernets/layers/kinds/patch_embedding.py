"""The first layer of a vision transformer: patches to vectors (arXiv 2010.11929)."""

from __future__ import annotations

from ..operations import Operation
from ..sequences import PatchEmbedding
from ..spec import LayerSpec


def operations(spec: LayerSpec) -> tuple[Operation, ...]:
    """Read patch and width; the image is square."""
    channels, size, _ = spec.input_shape
    return (PatchEmbedding("embedding", channels, size, spec.integer("patch"), spec.integer("width")),)
