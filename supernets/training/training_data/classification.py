"""What training data of every classification share: whole batches of labelled inputs, and cross-entropy."""

from __future__ import annotations

from collections.abc import Sized

from torch import Tensor
from torch.nn import functional

from ...elastic import ElasticNetwork
from ...space.space import Architecture
from ..recipe import Recipe


class Classification:
    """The part that images and texts have in common: inputs to train on, and how far their labels are smoothed."""

    training: Sized
    label_smoothing: float

    def steps(self, recipe: Recipe) -> int:
        """Return the number of whole batches; what is left over is not seen in that epoch."""
        return len(self.training) // recipe.batch

    def forward(self, network: ElasticNetwork, inputs: Tensor, architecture: Architecture) -> Tensor:
        """Return logits, (batch, classes)."""
        outputs: Tensor = network(inputs, architecture)
        return outputs

    def loss(self, outputs: Tensor, targets: Tensor) -> Tensor:
        """Return the cross-entropy with smoothed labels."""
        return functional.cross_entropy(outputs, targets, label_smoothing=self.label_smoothing)
