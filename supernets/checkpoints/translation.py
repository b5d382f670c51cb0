"""Tensors under our names, whoever wrote them."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING

from .plain import PlainNames
from .published import FORMATS, published_for
from .statistics import OURS as STATISTICS

if TYPE_CHECKING:
    from torch import Tensor

    from ..elastic import ElasticNetwork

OURS = "slots."  # what every tensor of an elastic network is called by first


def named_for(network: ElasticNetwork, tensors: Mapping[str, Tensor]) -> dict[str, Tensor]:
    """Return tensors as `named_as_ours` does, also those of a plain network of the user's own blocks."""
    named = named_as_ours(network.space.name, tensors)
    is_ours = any(name.startswith(OURS) for name in tensors)
    return named if is_ours or published_for(network.space.name) else PlainNames(network).translated(named)


def named_as_ours(space: str, tensors: Mapping[str, Tensor]) -> dict[str, Tensor]:
    """Return tensors under the names of our network for `space`, whoever wrote them; running statistics are none."""
    published = published_for(space)
    if published is None or any(name.startswith(OURS) for name in tensors):
        return {name: tensor for name, tensor in tensors.items() if not name.startswith(STATISTICS)}
    with FORMATS.blaming(space.partition(":")[0]):
        return published.translated(tensors)
