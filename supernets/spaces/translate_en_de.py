"""A small elastic transformer that translates texts of user interfaces from English to German; its weights ship.

Three encoder and one to four decoder layers, widths of 64 to 128, and HAT's other genes (arXiv 2005.14187). A first
search needs no download and no GPU.
"""

from __future__ import annotations

from ..families.encoder_decoder import EncoderDecoder
from ..registry import full_name
from ..space.space import SearchSpace

HEAD_DIM = 32
DEFAULTS: dict[str, object] = {"source": 32, "target": 40, "steps": 17}


def head_dim(heads: int) -> int:
    """Return the width of a head: here it does not depend on their number."""
    return HEAD_DIM


FAMILY = EncoderDecoder(
    vocabulary=4000,
    encoder_widths=(64, 96, 128),
    decoder_widths=(64, 96, 128),
    hidden=(128, 256, 512),
    heads=(2, 4),
    encoder_layers=3,
    decoder_layers=(1, 2, 3, 4),
    attended=(1, 2, 3),
    head_dim=head_dim,
)


def build(source: int = 32, target: int = 40, steps: int = 17) -> SearchSpace:
    """Build the space for sentences of `source` tokens, a cache of `target`, latency of `steps` decoder steps.

    17 is the mean length of a translation of the held-out sentences, its end included.
    """
    name = full_name("translate_en_de", DEFAULTS, {"source": source, "target": target, "steps": steps})
    return FAMILY.space(name, "translation", source=source, target=target, steps=steps)
