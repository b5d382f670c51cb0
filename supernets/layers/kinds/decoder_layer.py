"""A transformer's decoder layer for one token: attention to the tokens before, to the source, a feed-forward network.

Each is added to what comes in, and normalised after that (arXiv 1706.03762).
"""

from __future__ import annotations

from ..decoding import CachedSelfAttention, CrossAttention
from ..operations import Operation, Residual
from ..spec import LayerSpec
from ..transformer import FeedForward, LayerNorm


def operations(spec: LayerSpec) -> tuple[Operation, ...]:
    """Read heads and head_dim, cross_heads and cross_head_dim, memory, target, ffn, activation, epsilon_exponent.

    `memory` is how many tokens the source's memory has, `target` how many the cache holds.
    """
    _, width = spec.input_shape
    heads, cross = ((spec.integer(f"{prefix}heads"), spec.integer(f"{prefix}head_dim")) for prefix in ("", "cross_"))
    steps = (
        ("attend", CachedSelfAttention("attention", width, *heads, spec.integer("target"))),
        ("cross", CrossAttention("cross_attention", width, *cross, spec.integer("memory"))),
        ("feed", FeedForward("feed_forward", width, spec.integer("ffn"), spec.text("activation"))),
    )
    exponent = spec.integer("epsilon_exponent")
    return tuple(
        operation
        for name, step in steps
        for operation in (Residual((step,), name=name), LayerNorm(f"{name}_norm", width, exponent))
    )
