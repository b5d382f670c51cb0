"""The protocol between the trainer, which knows schedules, and a task, which knows its data and its losses.

Inputs, targets and outputs are the task's own (tensors, tuples or mappings of them); the trainer hands them on unseen.
Everything random comes from the generator that is passed in, whose seed is the epoch's: an epoch that is started again
draws the same batches.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import TYPE_CHECKING, Any, Protocol

from ...space.space import Architecture
from ..recipe import Phase, Recipe

if TYPE_CHECKING:
    from torch import Generator, Tensor

    from ...elastic import ElasticNetwork


class TrainingData(Protocol):
    """A task's side of training."""

    @property
    def metric_name(self) -> str:
        """What `metric` returns, e.g. accuracy or bleu."""
        ...

    def described(self) -> Mapping[str, int | float | str]:
        """Return what decides the trained weights besides the recipe: sizes of the data, smoothing; plain values."""
        ...

    def steps(self, recipe: Recipe) -> int:
        """Return the number of batches an epoch has."""
        ...

    def batches(self, recipe: Recipe, phase: Phase, epoch: int, generator: Generator) -> Iterator[tuple[Any, Any]]:
        """Yield the `steps(recipe)` batches of an epoch as (inputs, targets), augmented as the phase says."""
        ...

    def forward(self, network: ElasticNetwork, inputs: Any, architecture: Architecture) -> Any:
        """Return a sub-network's outputs."""
        ...

    def loss(self, outputs: Any, targets: Any) -> Tensor:
        """Return the loss on the labels, a scalar."""
        ...

    def distillation(self, outputs: Any, teacher_outputs: Any, targets: Any) -> Tensor:
        """Return the loss against the largest sub-network's outputs, which carry no gradient, a scalar."""
        ...

    def metric(self, network: ElasticNetwork, architecture: Architecture) -> float:
        """Return a sub-network's metric on held-out data."""
        ...
