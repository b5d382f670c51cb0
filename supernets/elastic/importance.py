"""Sort what can be sliced so that the most important comes first: channels within a block, hidden units, heads.

Slices are taken from the front, so after sorting a smaller sub-network keeps what matters most (arXiv 1908.09791).
Whatever is permuted is read by one operation alone, which is permuted alike: the function of the largest network stays
exactly what it was, up to the order of additions. Important is what the reader gives weight to: the L1 norm of the
weights that multiply it.
"""

from __future__ import annotations

import itertools
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass

import torch
from torch import Tensor

from ..layers.attention import SelfAttention
from ..layers.operations import Conv, Operation, Residual, SqueezeExcite
from ..layers.pooling import GlobalAveragePool
from ..layers.registry import operations
from ..layers.transformer import FeedForward
from .attention import ElasticSelfAttention
from .network import ElasticNetwork
from .normalisation import Statistics
from .operations import ElasticConv, ElasticLinear, ElasticOperation, ElasticSqueezeExcite
from .slots import ElasticResidual, ElasticSequence
from .transformer import ElasticFeedForward

Axis = tuple[Tensor, int]  # a tensor, and the axis of it that the units lie along


@dataclass(frozen=True)
class Units:
    """Interchangeable units: every axis they lie along, `size` entries a unit, and what reads them.

    `places` are the keys of the batch-norm statistics that lie along them too.
    """

    written: tuple[Axis, ...]
    read: Axis
    places: tuple[str, ...] = ()
    size: int = 1

    def importance(self) -> Tensor:
        """Return the L1 norm of the reader's weights of each unit, (units,)."""
        tensor, axis = self.read
        return tensor.detach().abs().movedim(axis, 0).flatten(1).sum(1).reshape(-1, self.size).sum(1)

    def order(self) -> Tensor:
        """Return the entries in the order of their units' importance, (units * size,); equals keep their order."""
        units = torch.argsort(self.importance(), descending=True, stable=True)
        return (units[:, None] * self.size + torch.arange(self.size)).flatten()


def sort_by_importance(network: ElasticNetwork, statistics: Statistics | None = None) -> Statistics:
    """Permute `network` in place, those statistics that it came with too, and return `statistics` permuted alike."""
    space, sorted_statistics = network.space, dict(statistics or {})
    own = dict(network.parent_statistics or {})
    for slot, spec in zip(space.slots, space.slot_specs(network.largest)):
        if spec is None:
            continue
        for units in units_of_sequence(network.sequence(slot.name), operations(spec), slot.name):
            order = units.order()
            with torch.no_grad():
                for tensor, axis in (*units.written, units.read):
                    tensor.copy_(tensor.index_select(axis, order))
            for found, place in itertools.product((sorted_statistics, own), units.places):
                if place in found:
                    mean, variance = found[place]
                    found[place] = (mean[order], variance[order])
    network.parent_statistics = own or None
    return sorted_statistics


def units_of_sequence(sequence: ElasticSequence, steps: Sequence[Operation], place: str) -> Iterator[Units]:
    """Yield what can be sorted within a sequence of operations; its input and output stay as they are."""
    written: list[Axis] = []
    places: list[str] = []
    for operation in steps:
        module = sequence.step(operation)
        reader = reader_of(module, operation)
        if reader is not None and written and reader[0].shape[reader[1]] == written[0][0].shape[0]:
            yield Units(tuple(written), reader, tuple(places))
        if reader is not None or not keeps_channels(operation):
            written, places = [], []
        if is_dense(operation) or written:
            written += axes_along_channels(module)
            places += [f"{place}.{operation.name}"] if isinstance(operation, Conv) and operation.norm else []
        if isinstance(module, ElasticResidual) and isinstance(operation, Residual):
            yield from units_of_sequence(module.body, operation.operations, place)
            yield from units_of_sequence(module.shortcut, operation.shortcut, place)
        elif type(module) in UNITS:
            yield UNITS[type(module)](module, operation)


def is_dense(operation: Operation) -> bool:
    """Tell whether an operation makes channels of its own."""
    return isinstance(operation, Conv) and not operation.depthwise


def keeps_channels(operation: Operation) -> bool:
    """Tell whether each channel that comes out is made of the same one that went in."""
    return isinstance(operation, (SqueezeExcite, GlobalAveragePool)) or (
        isinstance(operation, Conv) and operation.depthwise
    )


def reader_of(module: ElasticOperation, operation: Operation) -> Axis | None:
    """Return the axis of the weights that an operation reads channels with; None where it mixes none."""
    if isinstance(module, ElasticConv):
        return (module.weight, 1) if is_dense(operation) else None
    return (module.linear.weight, 1) if isinstance(module, ElasticLinear) else None


def axes_along_channels(module: ElasticOperation) -> list[Axis]:
    """Return the axes of an operation's tensors that lie along the channels it gives."""
    if isinstance(module, ElasticConv):
        tensors = (module.weight, getattr(module, "scale", None), getattr(module, "shift", None))
        return [(tensor, 0) for tensor in tensors if tensor is not None]
    if isinstance(module, ElasticSqueezeExcite):
        assert module.expand.bias is not None
        return [(module.reduce.weight, 1), (module.expand.weight, 0), (module.expand.bias, 0)]
    return []


def hidden_units(module: ElasticFeedForward, operation: FeedForward) -> Units:
    """Return the hidden units of a feed-forward block."""
    return Units(((module.first.weight, 0), (module.first.bias, 0)), (module.second.weight, 1))


def heads(module: ElasticSelfAttention, operation: SelfAttention) -> Units:
    """Return the heads of an attention."""
    projections = [module.projection(part) for part in operation.reads]
    written = tuple((tensor, 0) for projection in projections for tensor in (projection.weight, projection.bias))
    return Units(written, (module.output.weight, 1), size=operation.head_dim)


UNITS: dict[type, Callable[..., Units]] = {ElasticFeedForward: hidden_units, ElasticSelfAttention: heads}
