"""A super-network in torch, derived from the space alone: one elastic sequence a slot."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor, nn

from ..errors import SupernetError
from ..layers.registry import operations
from ..layers.values import input_names
from ..space.space import Architecture, SearchSpace
from ..space.wiring import named_inputs, wiring_of
from .forward import Pass
from .normalisation import BatchStatistics, Calibration, FixedStatistics, Normalise, Statistics
from .slots import ElasticSequence
from .tables import SharedTable, shared_tables

Values = Tensor | Mapping[str, Tensor]  # the one input of a network, or its inputs by name; the batch comes first


class ElasticNetwork(nn.Module):
    """All sub-networks of `space` with shared weights; which one runs is an argument of every call.

    `parent_statistics` are those of the largest sub-network's batch norm, where the weights came with them: a network
    that was trained as it is has its own, and needs no calibration. They hold until a weight changes.
    """

    def __init__(self, space: SearchSpace) -> None:
        super().__init__()
        self.space = space
        self.parent_statistics: Statistics | None = None
        self.slots = nn.ModuleDict(
            {
                slot.name.replace(".", "_"): ElasticSequence([operations(spec) for spec in unique])
                for slot in space.slots
                if (unique := tuple(dict.fromkeys(spec for spec in slot.specs if spec is not None)))
            }
        )
        self.shared = shared_tables(self.slots)

    def forward(
        self,
        x: Values,
        architecture: Architecture,
        normalise: Normalise | None = None,
        *,
        part: int = 0,
        sides: dict[str, Tensor] | None = None,
        dropout: float = 0.0,
    ) -> Tensor:
        """Run a part of a sub-network and return its one output; as `outputs`, which is for networks of several.

        Raises SupernetError where there are several.
        """
        found = self.outputs(x, architecture, normalise, part=part, sides=sides, dropout=dropout)
        if len(found) > 1:
            raise SupernetError(f"{self.space.name} has the outputs {', '.join(found)}; take them from `outputs`")
        (output,) = found.values()
        return output

    def outputs(
        self,
        x: Values,
        architecture: Architecture,
        normalise: Normalise | None = None,
        *,
        part: int = 0,
        sides: dict[str, Tensor] | None = None,
        dropout: float = 0.0,
    ) -> dict[str, Tensor]:
        """Run a part of a sub-network on `x` (batch, *input_shape), or on inputs by name, and return all outputs.

        Without `normalise`, batch statistics are used. `sides` holds the side values that it takes in, and then also
        those that it leaves. Raises SupernetError for inputs of other names.
        """
        run = Pass(normalise or BatchStatistics(), {} if sides is None else sides, dropout=dropout)
        wiring, values = wiring_of(self.space, architecture, part), named_inputs(self.space, x)
        for step in wiring.steps:
            first, *others = (values[name] for name in step.takes)
            run.sides.update(zip(input_names(len(step.takes))[1:], others))
            result = self.sequence(step.slot).apply_all(first, operations(step.spec), step.slot, run)
            for name in step.last:
                del values[name]
            values[step.gives] = result
        return {name: values[value] for name, value in wiring.outputs}

    @property
    def largest(self) -> Architecture:
        """The architecture of the largest sub-network: the parent, where there is one."""
        return self.space.architecture(self.space.radices - 1)

    def own_statistics(self, architecture: Architecture) -> Statistics | None:
        """Return the statistics that the weights came with for this very sub-network; None where it has none."""
        is_parent = self.space.slot_specs(architecture) == self.space.slot_specs(self.largest)
        return self.parent_statistics if is_parent else None

    def calibrate(self, architecture: Architecture, images: Values, *, batch: int = 512) -> Statistics:
        """Return the sub-network's own batch-norm statistics, measured on `images` (n, *input_shape), or by name."""
        return self.calibrate_on(architecture, split(images, batch))

    def calibrate_on(
        self, architecture: Architecture, batches: Iterable[Values], calibration: Calibration | None = None
    ) -> Statistics:
        """Return the statistics that `calibrate` does, from `batches` of images; `calibration` says how they are kept.

        A sub-network in which the first batch met no batch norm has none, and is not run on the others.
        """
        kept = Calibration() if calibration is None else calibration
        with torch.inference_mode():
            for batch in batches:
                self.outputs(batch, architecture, kept)
                if not kept.seen:
                    break
        return kept.statistics()

    def folded(self, architecture: Architecture, statistics: Statistics) -> tuple[dict[str, NDArray[np.float32]], ...]:
        """Return the arrays of each layer that runs, part after part, as the graph builder takes them."""
        held = sorted(zip(self.space.slots, self.space.slot_specs(architecture)), key=lambda pair: pair[0].part)
        layers = []
        with torch.no_grad():
            for slot, spec in held:
                if spec is not None:
                    arrays = self.sequence(slot.name).folded_all(operations(spec), slot.name, statistics)
                    layers.append({name: tensor.numpy().astype(np.float32) for name, tensor in arrays.items()})
        return tuple(layers)

    def logits(self, x: Values, architecture: Architecture, statistics: Statistics, *, batch: int = 512) -> Tensor:
        """Run a calibrated sub-network of one output without gradients, (n, classes)."""
        return self.logits_of(split(x, batch), architecture, statistics)

    def logits_of(self, batches: Iterable[Values], architecture: Architecture, statistics: Statistics) -> Tensor:
        """Return the logits that `logits` does, from `batches`."""
        fixed = FixedStatistics(statistics)
        with torch.inference_mode():
            return torch.cat([self(batch, architecture, fixed) for batch in batches])

    def sequence(self, name: str) -> ElasticSequence:
        """Return the elastic operations of the slot called `name`."""
        module = self.slots[name.replace(".", "_")]
        assert isinstance(module, ElasticSequence)
        return module

    def table(self, name: str) -> SharedTable:
        """Return the shared table `name`."""
        module = self.shared[name]
        assert isinstance(module, SharedTable)
        return module


def split(values: Values, size: int) -> Iterator[Values]:
    """Yield examples, `size` at a time."""
    if isinstance(values, Tensor):
        yield from torch.split(values, size)
        return
    for start in range(0, max(map(len, values.values())), size):
        yield {name: one[start : start + size] for name, one in values.items()}
