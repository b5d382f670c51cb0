"""The first layer of a translator's decoder step: the token of the last step to its vector."""

from __future__ import annotations

from ..decoding import StepEmbedding
from ..operations import Operation
from ..spec import LayerSpec
from .source_embedding import TABLE


def operations(spec: LayerSpec) -> tuple[Operation, ...]:
    """Read vocabulary, target and width, and table where it has one of its own."""
    width, target, table = spec.integer("width"), spec.integer("target"), spec.text("table", TABLE)
    return (StepEmbedding("embedding", spec.integer("vocabulary"), target, width, table, own=table != TABLE),)
