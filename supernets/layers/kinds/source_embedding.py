"""The first layer of a translator's encoder: ids to vectors, scaled, with sines for positions, by a shared table."""

from __future__ import annotations

from ..operations import Operation
from ..sequences import TokenEmbedding
from ..spec import LayerSpec

TABLE = "table"  # the one that encoder, decoder and projection share


def operations(spec: LayerSpec) -> tuple[Operation, ...]:
    """Read vocabulary, width, padding, and table where it is not the one that all share."""
    return (
        TokenEmbedding(
            "embedding",
            vocabulary=spec.integer("vocabulary"),
            tokens=spec.input_shape[0],
            width=spec.integer("width"),
            limit=0,
            types=False,
            scaled=True,
            padding_id=spec.integer("padding"),
            table=spec.text("table", TABLE),
        ),
    )
