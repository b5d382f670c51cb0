"""Running statistics of batch norm that weights come with: those of the network that was trained, our largest.

A published network reaches its published accuracy with these alone. They are the largest sub-network's, whatever the
file: that of a fixed network holds its own; Once-for-All's training validates the largest last, calibrated, and saves
what is then in the network. Every other sub-network is calibrated on its own (arXiv 1812.08928).
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING

from ..errors import CheckpointMismatch
from ..space.space import SearchSpace
from .plain import PlainNames
from .published import OUR_EPSILON, Published, published_for

if TYPE_CHECKING:
    from torch import Tensor

    from ..elastic import ElasticNetwork

    Pairs = dict[str, tuple[Tensor, Tensor]]

MEAN, VARIANCE, COUNTER, SCALE = ".running_mean", ".running_var", ".num_batches_tracked", ".scale"
OURS = "parent_statistics."  # what they are called by first in a file of ours


def running_statistics(space: SearchSpace, tensors: Mapping[str, Tensor]) -> Pairs:
    """Return (mean, variance) at every place of `space` that published `tensors` have running statistics for.

    Raises CheckpointMismatch where the space's published files are not known or hold none.
    """
    published = published_for(space.name)
    found = published_statistics(space, published, tensors) if published else {}
    if not found:
        raise CheckpointMismatch(f"no running statistics of {space.name} in these tensors", tensor="(statistics)")
    return found


def published_statistics(space: SearchSpace, published: Published, tensors: Mapping[str, Tensor]) -> Pairs:
    """Return (mean, variance) by place; nothing where `tensors` have none."""
    factor = (OUR_EPSILON / published.epsilon) ** 0.5  # what loading multiplies the kernels by
    slots = {slot.name.replace(".", "_"): slot.name for slot in space.slots}
    found: Pairs = {}
    for norm, mean, variance in pairs_of(tensors):
        scale = published.our_name(f"{norm}.weight") or ""
        words = scale.removesuffix(SCALE).split(".")
        if scale.endswith(SCALE) and words[1] in slots:
            found[f"{slots[words[1]]}.{words[-1]}"] = (mean * factor, variance * factor**2)
    return found


def statistics_to_keep(network: ElasticNetwork, tensors: Mapping[str, Tensor]) -> Pairs | None:
    """Return the statistics that a file's `tensors` bring for the largest sub-network of `network`; None where none.

    Raises CheckpointMismatch where they are not those of the largest's batch norms, all of them.
    """
    published = published_for(network.space.name)
    found: Pairs = {}
    if any(name.startswith(OURS) for name in tensors):
        found = own_statistics(tensors)
    elif published is None:
        found = PlainNames(network).statistics(pairs_of(tensors))
    elif published.statistics_pixels in (None, network.space.input_shape[-1]):
        found = published_statistics(network.space, published, tensors)
    if not found:
        return None
    check_statistics(network, found)
    return found


def own_statistics(tensors: Mapping[str, Tensor]) -> Pairs:
    """Return those of a file of ours."""
    return {
        norm.removeprefix(OURS): (mean, variance) for norm, mean, variance in pairs_of(tensors) if norm.startswith(OURS)
    }


def named_statistics(network: ElasticNetwork) -> dict[str, Tensor]:
    """Return a network's own statistics by the names that a file of ours gives them."""
    named: dict[str, Tensor] = {}
    for place, (mean, variance) in (network.parent_statistics or {}).items():
        named |= {f"{OURS}{place}{MEAN}": mean, f"{OURS}{place}{VARIANCE}": variance}
    return named


def pairs_of(tensors: Mapping[str, Tensor]) -> list[tuple[str, Tensor, Tensor]]:
    """Return (name, mean, variance) of each batch norm in 32 bits; raises CheckpointMismatch for a mean alone."""
    pairs = []
    for name in tensors:
        norm = name.removesuffix(MEAN)
        if norm != name:
            if norm + VARIANCE not in tensors:
                raise CheckpointMismatch(f"the checkpoint holds {name!r} without {norm + VARIANCE!r}", tensor=name)
            pairs.append((norm, tensors[name].float(), tensors[norm + VARIANCE].float()))
    return pairs


def check_statistics(network: ElasticNetwork, found: Pairs) -> None:
    """Raise CheckpointMismatch unless `found` are statistics of every batch norm of the largest, and fit."""
    import torch

    from ..own_networks.check_runs import random_inputs

    with torch.random.fork_rng(devices=[]):  # which are needed, whatever the numbers are
        needed = network.calibrate(network.largest, random_inputs(network.space, network.largest))
    for place in {**needed, **found}:
        shapes = [tuple(tensor.shape) for tensor in found.get(place, ())]
        if place not in needed or place not in found or shapes != [tuple(needed[place][0].shape)] * 2:
            raise CheckpointMismatch(
                f"the checkpoint's running statistics of batch norm at {place} are {shapes or 'absent'}, expected "
                f"two of {tuple(needed[place][0].shape) if place in needed else 'none'}: the largest network's, whole",
                tensor=place,
            )
    for place, (mean, variance) in found.items():
        if not (torch.isfinite(mean).all() and torch.isfinite(variance).all() and (variance >= 0).all()):
            raise CheckpointMismatch(
                f"the checkpoint's running statistics of batch norm at {place} are not finite, or a variance is "
                "negative; the file is damaged, or its training diverged",
                tensor=place,
            )
