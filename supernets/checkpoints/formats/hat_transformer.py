"""HAT's super-transformers as its fairseq saves them (github.com/mit-han-lab/hardware-aware-transformers).

Queries, keys and values are one projection there; those of a decoder layer's attention to the source belong to two of
our parts. fairseq numbers <s> 0 and padding 1, we the other way round. Its sines are those of the largest width,
sliced, and begin behind the padding's number. A translation begins behind the sentence's end.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import TYPE_CHECKING

from ...data.pairs import END_ID
from ...errors import CheckpointMismatch
from ...layers.kinds.source_embedding import TABLE
from ..published import Published, PublishedFile

if TYPE_CHECKING:
    from torch import Tensor

README = "https://github.com/mit-han-lab/hardware-aware-transformers"
FILES = (
    ("hat_transformer", "HAT_wmt14ende_super_space0.pt"),
    ("hat_transformer:task=iwslt14", "HAT_iwslt14deen_super_space1.pt"),
)
FIRST_POSITION = 2  # the padding's number and one
DIGEST_BYTES = 32
SOURCE, TARGET, OUTPUT = "encoder.embed_tokens.weight", "decoder.embed_tokens.weight", "decoder.embed_out"
IGNORED = re.compile(r"(encoder|decoder)\.(version|embed_positions\..*)")
LAYER = re.compile(r"(encoder|decoder)\.layers\.(\d+)\.(.+)\.(weight|bias)")
IN_LAYER = {
    "encoder": {
        **{f"self_attn.{part}": f"attend.body.steps.attention.{part}" for part in ("query", "key", "value")},
        "self_attn.out_proj": "attend.body.steps.attention.output",
        "self_attn_layer_norm": "attention_norm",
        "fc1": "feed.body.steps.feed_forward.first",
        "fc2": "feed.body.steps.feed_forward.second",
        "final_layer_norm": "output_norm",
    },
    "decoder": {
        **{f"self_attn.{part}": f"attend.body.steps.attention.{part}" for part in ("query", "key", "value")},
        "self_attn.out_proj": "attend.body.steps.attention.output",
        "self_attn_layer_norm": "attend_norm",
        "encoder_attn.query": "cross.body.steps.cross_attention.query",
        "encoder_attn.out_proj": "cross.body.steps.cross_attention.output",
        "encoder_attn_layer_norm": "cross_norm",
        "fc1": "feed.body.steps.feed_forward.first",
        "fc2": "feed.body.steps.feed_forward.second",
        "final_layer_norm": "feed_norm",
    },
}
MEMORY = {"encoder_attn.key": "key", "encoder_attn.value": "value"}


def our_name(published: str) -> str | None:
    """Return where a tensor is in our network; None for what is ignored, the name itself for what is unknown."""
    if IGNORED.fullmatch(published):
        return None
    layer = LAYER.fullmatch(published)
    if layer is None:
        return published
    side, number, module, leaf = layer[1], int(layer[2]) + 1, layer[3], layer[4]
    if side == "decoder" and module in MEMORY:
        return f"slots.memory_{number}.steps.memory.{MEMORY[module]}.{leaf}"
    place = IN_LAYER[side].get(module)
    return f"slots.{side}_{number}.steps.{place}.{leaf}" if place else published


def prepared(tensors: Mapping[str, Tensor]) -> dict[str, Tensor]:
    """Split joint projections, and make our shared tables: one where both sides have the same, or three."""
    found: dict[str, Tensor] = {}
    for name, tensor in tensors.items():
        before, joint, leaf = name.rpartition(".in_proj_")
        if joint:
            for part, piece in zip(("query", "key", "value"), tensor.chunk(3)):
                found[f"{before}.{part}.{leaf}"] = piece
        elif name not in (SOURCE, TARGET, OUTPUT):
            found[name] = tensor
    return found | tables_of(tensors)


def tables_of(tensors: Mapping[str, Tensor]) -> dict[str, Tensor]:
    """Return the tables of vectors under our names; raises CheckpointMismatch for two of one vocabulary that differ."""
    import torch

    named = {SOURCE: "source", TARGET: "target", OUTPUT: "output"}
    if OUTPUT not in tensors and SOURCE in tensors:
        if TARGET in tensors and not torch.equal(tensors[SOURCE], tensors[TARGET]):
            raise CheckpointMismatch(
                f"{TARGET!r} differs from {SOURCE!r}, and there is no {OUTPUT!r}: HAT's networks share one table or "
                "have three",
                tensor=TARGET,
            )
        named = {SOURCE: TABLE}
    found: dict[str, Tensor] = {}
    for published, table in named.items():
        if published in tensors:
            weight = tensors[published]
            found[f"shared.{table}.weight"] = weight[[1, 0, *range(2, len(weight))]]
            found[f"shared.{table}.digest"] = torch.zeros(DIGEST_BYTES)
            if table != "output":
                found[f"shared.{table}.reading"] = torch.tensor([weight.shape[1], FIRST_POSITION, END_ID])
    return found


PUBLISHED = Published(
    files=tuple(PublishedFile(space, name, README) for space, name in FILES), our_name=our_name, prepared=prepared
)
