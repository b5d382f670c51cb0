"""A transformer's encoder layer: attention, then a feed-forward network, both residual (arXiv 1706.03762).

Normalised after each addition (`norm=post`, as BERT), or before each of the two (`norm=pre`, as vision transformers).
"""

from __future__ import annotations

from ..attention import SelfAttention
from ..operations import Operation, Residual
from ..spec import LayerSpec
from ..transformer import FeedForward, LayerNorm


def operations(spec: LayerSpec) -> tuple[Operation, ...]:
    """Read heads, head_dim, ffn, activation, norm (pre or post), epsilon_exponent and masked (0 or 1)."""
    tokens, width = spec.input_shape
    attention = SelfAttention(
        "attention",
        width,
        spec.integer("heads"),
        spec.integer("head_dim"),
        masked_tokens=tokens if spec.integer("masked") else 0,
    )
    feed_forward = FeedForward("feed_forward", width, spec.integer("ffn"), spec.text("activation"))
    norms = [LayerNorm(f"{name}_norm", width, spec.integer("epsilon_exponent")) for name in ("attention", "output")]
    if spec.text("norm") == "pre":
        return (Residual((norms[0], attention), name="attend"), Residual((norms[1], feed_forward), name="feed"))
    return (Residual((attention,), name="attend"), norms[0], Residual((feed_forward,), name="feed"), norms[1])
