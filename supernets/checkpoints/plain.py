"""Weights of a super-network in torch, trained as a plain network: its largest modules under the blocks' names.

    plain = nn.Sequential(OrderedDict(stem=Stem(32), first=Mixer(32, 7, 64), head=Head(32, 10)))
    torch.save(plain.state_dict(), "plain.pth")

Batch norm's running statistics are the largest sub-network's then. Settings of one class share tensors, so a block of
one class is whole; one whose smaller settings are other classes needs a file of the super-network.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import TYPE_CHECKING

from ..layers.kinds.module import ModuleOperation
from ..layers.registry import operations

if TYPE_CHECKING:
    from torch import Tensor

    from ..elastic import ElasticNetwork

LEFT_OUT = (".running_mean", ".running_var", ".num_batches_tracked")


class PlainNames:
    """Which module of torch each block of the largest sub-network is; other layer kinds have no plain name."""

    def __init__(self, network: ElasticNetwork) -> None:
        space = network.space
        self.operation_of = {
            slot.name.replace(".", "_"): (slot.name, operation.name)
            for slot, spec in zip(space.slots, space.slot_specs(network.largest))
            if spec is not None
            for operation in operations(spec)
            if isinstance(operation, ModuleOperation)
        }

    def translated(self, tensors: Mapping[str, Tensor]) -> dict[str, Tensor]:
        """Return tensors under our names, running statistics left out; what is unknown keeps its name."""
        return {self.our_name(name): tensor for name, tensor in tensors.items() if not name.endswith(LEFT_OUT)}

    def our_name(self, plain: str) -> str:
        """Return our name of a tensor, itself where it is unknown."""
        block, _, rest = plain.partition(".")
        if block not in self.operation_of:
            return plain
        return f"slots.{block}.steps.{self.operation_of[block][1]}.weights.{rest.replace('.', '_')}"

    def statistics(self, pairs: Iterable[tuple[str, Tensor, Tensor]]) -> dict[str, tuple[Tensor, Tensor]]:
        """Return the (mean, variance) of batch norms, given with their plain names, by place."""
        found = {}
        for norm, mean, variance in pairs:
            block, _, rest = norm.partition(".")
            if block in self.operation_of:
                found[".".join([*self.operation_of[block], rest])] = (mean, variance)
        return found
