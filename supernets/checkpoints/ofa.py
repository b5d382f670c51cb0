"""Names of tensors in the files of Once-for-All (github.com/mit-han-lab/once-for-all).

The files were written by several versions of the authors' package, which wrap a convolution, a batch norm or a linear
layer once more or less: `conv.weight` and `conv.conv.weight` are one place. So repeated words count as one.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Sequence

ADDRESS = "https://raw.githubusercontent.com/han-cai/files/master/ofa/ofa_nets/"
STATISTICS_PIXELS = 224  # the last input size that training validates the largest network at
STATISTICS = ("running_mean", "running_var", "num_batches_tracked")
LEAVES = {"conv.weight": "weight", "bn.weight": "scale", "bn.bias": "shift"}
LEAVES |= {f"conv.{leaf}": ours for leaf, ours in LEAVES.items() if leaf.startswith("bn.")}  # in a residual block
MATRIX = re.compile(r"conv\.(\d+to\d+)_matrix")
MBCONV = {"inverted_bottleneck": "expand", "depth_conv": "depthwise", "point_linear": "project"}
BLOCK = re.compile(r"blocks\.(\d+)\.(.+)")
BLOCKS_A_STAGE = 4


def spelled(name: str) -> str:
    """Return one spelling for all that published files call a tensor."""
    words = name.replace(".mobile_inverted_conv.", ".conv.").split(".")
    return ".".join(word for word, before in zip(words, ["", *words]) if word != before)


def leaf_name(leaf: str) -> str | None:
    """Return what we call a tensor of a convolution with batch norm; None for what is none."""
    matrix = MATRIX.fullmatch(leaf)
    return f"transforms.{matrix[1]}" if matrix else LEAVES.get(leaf)


def naming(parts: dict[str, str], block_name: Callable[[int, str], str | None]) -> Callable[[str], str | None]:
    """Return the function from published names to ours.

    `parts` says where a convolution or linear layer outside the blocks is, `block_name` names what is in a block.
    """

    def our_name(published: str) -> str | None:
        if published.rpartition(".")[2] in STATISTICS:
            return None
        name = spelled(published)
        block = BLOCK.fullmatch(name)
        if block:
            return block_name(int(block[1]), block[2]) or published
        for part, place in parts.items():
            if name.startswith(f"{part}."):
                rest = name.removeprefix(f"{part}.")
                leaf = rest if rest.startswith("linear.") else leaf_name(rest)
                return f"slots.{place}.{leaf}" if leaf else published
        return published

    return our_name


def mbconv_block(*, first_is_residual: bool) -> Callable[[int, str], str | None]:
    """Return what names the tensors of inverted residual blocks: the first by itself, then four a stage."""

    def block_name(number: int, rest: str) -> str | None:
        unit, _, leaf = rest.removeprefix("conv.").partition(".")
        ours = leaf_name(leaf)
        if unit == "depth_conv" and leaf.startswith("se.fc."):
            unit, ours = "se", leaf.removeprefix("se.fc.")
        elif unit not in MBCONV or ours is None:
            return None
        stage, position = divmod(number - 1, BLOCKS_A_STAGE)
        slot = f"block{stage + 1}_{position + 1}" if number else "block0"
        is_residual = position > 0 if number else first_is_residual
        steps = "steps.residual.body.steps" if is_residual else "steps"
        return f"slots.{slot}.{steps}.{MBCONV.get(unit, unit)}.{ours}"

    return block_name


def bottleneck_block(blocks: Sequence[int]) -> Callable[[int, str], str | None]:
    """Return what names the tensors of ResNet-D's blocks, given how many of them each stage has."""
    slots = [f"block{stage}_{n + 1}" for stage, count in enumerate(blocks, 1) for n in range(count)]
    paths = {
        "conv1": "body.steps.reduce",
        "conv2": "body.steps.spatial",
        "conv3": "body.steps.expand",
        "downsample": "shortcut.steps.project",
    }

    def block_name(number: int, rest: str) -> str | None:
        unit, _, leaf = rest.partition(".")
        ours = leaf_name(leaf)
        if unit not in paths or ours is None or number >= len(slots):
            return None
        return f"slots.{slots[number]}.steps.residual.{paths[unit]}.{ours}"

    return block_name
