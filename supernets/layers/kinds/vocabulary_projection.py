"""The last layer of a translator's decoder step: how likely each token of the vocabulary comes next."""

from __future__ import annotations

from ..decoding import VocabularyProjection
from ..operations import Operation
from ..spec import LayerSpec
from .source_embedding import TABLE


def operations(spec: LayerSpec) -> tuple[Operation, ...]:
    """Read vocabulary, and table where it has one of its own."""
    table = spec.text("table", TABLE)
    return (VocabularyProjection("projection", spec.integer("vocabulary"), spec.input_shape[1], table),)
