"""ViT-B/16 as torchvision and Hugging Face publish it: trained at its largest setting, not as a super-network.

So smaller sub-networks need training (`gnomon train ... --from`); the largest is the published network. Hugging
Face's network takes pixels scaled to -1..1; its first layer is recast for the scaling of all our ImageNet networks,
which changes no output. It trained with a normalisation epsilon of 1e-12, here it is 1e-6 as in the paper's own code.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import TYPE_CHECKING

from ...data.folders import IMAGENET
from ..published import Published, PublishedFile

if TYPE_CHECKING:
    from torch import Tensor

ATTEND, FEED = r"slots.layer{}.steps.attend.body.steps", r"slots.layer{}.steps.feed.body.steps"
HUGGING_FACE = "vit."
HUGGING_FACE_SCALE = 0.5  # both mean and deviation of its pixels
IGNORED = re.compile(r"vit\.pooler\..*")  # of the network without a classifier

OUTSIDE = {
    "class_token": "slots.embedding.steps.embedding.token",
    "encoder.pos_embedding": "slots.embedding.steps.embedding.positions",
    "vit.embeddings.cls_token": "slots.embedding.steps.embedding.token",
    "vit.embeddings.position_embeddings": "slots.embedding.steps.embedding.positions",
}
MODULES = {
    "conv_proj": "slots.embedding.steps.embedding.patch",
    "encoder.ln": "slots.classifier.steps.norm",
    "heads.head": "slots.classifier.steps.classifier.linear",
    "vit.embeddings.patch_embeddings.projection": "slots.embedding.steps.embedding.patch",
    "vit.layernorm": "slots.classifier.steps.norm",
    "classifier": "slots.classifier.steps.classifier.linear",
}
LAYER = re.compile(r"(?:encoder\.layers\.encoder_layer_|vit\.encoder\.layer\.)(\d+)\.(.+)")
IN_LAYER = {
    "ln_1": f"{ATTEND}.attention_norm",
    "self_attention.query": f"{ATTEND}.attention.query",
    "self_attention.key": f"{ATTEND}.attention.key",
    "self_attention.value": f"{ATTEND}.attention.value",
    "self_attention.out_proj": f"{ATTEND}.attention.output",
    "ln_2": f"{FEED}.output_norm",
    "mlp.0": f"{FEED}.feed_forward.first",
    "mlp.linear_1": f"{FEED}.feed_forward.first",
    "mlp.3": f"{FEED}.feed_forward.second",
    "mlp.linear_2": f"{FEED}.feed_forward.second",
    "layernorm_before": f"{ATTEND}.attention_norm",
    "attention.attention.query": f"{ATTEND}.attention.query",
    "attention.attention.key": f"{ATTEND}.attention.key",
    "attention.attention.value": f"{ATTEND}.attention.value",
    "attention.output.dense": f"{ATTEND}.attention.output",
    "layernorm_after": f"{FEED}.output_norm",
    "intermediate.dense": f"{FEED}.feed_forward.first",
    "output.dense": f"{FEED}.feed_forward.second",
}


def our_name(published: str) -> str | None:
    """Return where a tensor is in our network; None for what is ignored, the name itself for what is unknown."""
    if IGNORED.fullmatch(published):
        return None
    if published in OUTSIDE:
        return OUTSIDE[published]
    module, _, leaf = published.rpartition(".")
    layer = LAYER.fullmatch(module)
    place = IN_LAYER.get(layer[2], "").format(int(layer[1]) + 1) if layer else MODULES.get(module)
    return f"{place}.{leaf}" if place and leaf in ("weight", "bias") else published


def prepared(tensors: Mapping[str, Tensor]) -> dict[str, Tensor]:
    """Split the joint projection of queries, keys and values; drop leading ones; recast Hugging Face's first layer."""
    found: dict[str, Tensor] = {}
    for name, tensor in tensors.items():
        before, joint, leaf = name.rpartition(".in_proj_")
        if joint:
            for part, piece in zip(("query", "key", "value"), tensor.chunk(3)):
                found[f"{before}.{part}.{leaf}"] = piece
        elif name.endswith(("pos_embedding", "position_embeddings")):
            found[name] = tensor.flatten(0, -2)
        else:
            found[name] = tensor
    return rescaled(found) if any(name.startswith(HUGGING_FACE) for name in found) else found


def rescaled(tensors: dict[str, Tensor]) -> dict[str, Tensor]:
    """Return tensors whose first layer takes pixels scaled as `IMAGENET` says, and gives what it gave before."""
    import torch

    kernel, bias = (f"vit.embeddings.patch_embeddings.projection.{leaf}" for leaf in ("weight", "bias"))
    if kernel not in tensors or bias not in tensors or tensors[kernel].ndim != 4:
        return tensors
    mean, deviation = (torch.tensor(value) for value in (IMAGENET.mean, IMAGENET.deviation))
    slope, offset = deviation / HUGGING_FACE_SCALE, (mean - HUGGING_FACE_SCALE) / HUGGING_FACE_SCALE
    moved = (tensors[kernel] * offset[:, None, None]).sum((1, 2, 3))
    return tensors | {kernel: tensors[kernel] * slope[:, None, None], bias: tensors[bias] + moved}


PUBLISHED = Published(
    files=(
        PublishedFile("vit_b16", "vit_b_16-c867db91.pth", "https://download.pytorch.org/models/vit_b_16-c867db91.pth"),
        PublishedFile("vit_b16", "model.safetensors", "https://huggingface.co/google/vit-base-patch16-224"),
    ),
    our_name=our_name,
    prepared=prepared,
)
