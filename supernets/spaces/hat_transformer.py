"""The transformer super-network of HAT (arXiv 2005.14187) for WMT14 En-De, as its authors' space0.yml gives it.

40 genes, that of the encoder's depth, six, having no choice: embedding widths 512 and 640, feed-forward networks of
1024 to 3072, 4 or 8 heads on queries of width 512 whatever their number, one to six decoder layers, attention to the
last one to three encoder layers. The vocabulary, joint for both languages, has 32,768 tokens. No weights ship.
"""

from __future__ import annotations

from ..encoder_decoder import EncoderDecoder
from ..registry import full_name
from ..space import SearchSpace

QUERY_WIDTH = 512
DEFAULTS: dict[str, object] = {"source": 32, "target": 48, "steps": 30}


def head_dim(heads: int) -> int:
    """Return the width of one of so many heads."""
    return QUERY_WIDTH // heads


FAMILY = EncoderDecoder(
    vocabulary=32768,
    encoder_widths=(512, 640),
    decoder_widths=(512, 640),
    hidden=(1024, 2048, 3072),
    heads=(4, 8),
    encoder_layers=6,
    decoder_layers=(1, 2, 3, 4, 5, 6),
    attended=(1, 2, 3),
    head_dim=head_dim,
    depth_gene=True,
)


def build(source: int = 32, target: int = 48, steps: int = 30) -> SearchSpace:
    """Build the space for sentences of `source` tokens, a cache of `target`, latency of `steps` decoder steps.

    30 is the length that the authors measure latency for.
    """
    name = full_name("hat_transformer", DEFAULTS, {"source": source, "target": target, "steps": steps})
    return FAMILY.space(name, "translation", source=source, target=target, steps=steps)
