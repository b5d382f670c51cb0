"""The first layer of a language model: ids to vectors, normalised or not (arXiv 1706.03762, 1810.04805)."""

from __future__ import annotations

from ..operations import Operation
from ..sequences import TokenEmbedding
from ..spec import LayerSpec
from ..transformer import LayerNorm


def operations(spec: LayerSpec) -> tuple[Operation, ...]:
    """Read vocabulary, width, limit (learned positions; 0: sinusoidal), types, scaled, padding and norm (0 or 1).

    Where there is a norm, its epsilon is ten to minus epsilon_exponent.
    """
    embedding = TokenEmbedding(
        "embedding",
        vocabulary=spec.integer("vocabulary"),
        tokens=spec.input_shape[0],
        width=spec.integer("width"),
        limit=spec.integer("limit"),
        types=bool(spec.integer("types")),
        scaled=bool(spec.integer("scaled")),
        padding_id=spec.integer("padding"),
    )
    if not spec.integer("norm"):
        return (embedding,)
    return (embedding, LayerNorm("norm", embedding.width, spec.integer("epsilon_exponent")))
