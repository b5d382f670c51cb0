"""Lessons in image classification: cross-entropy on smoothed labels, images mirrored, shifted and partly erased.

A phase's augmentation settings are `shift_pixels` and `erase_pixels`; both default to none.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field

import torch
from torch import Generator, Tensor
from torch.nn import functional

from ...elastic import ElasticNetwork
from ...space import Architecture
from ...tasks.images import LabelledImages
from ...tasks.labelled import tensors_of
from ..recipe import Phase, Recipe
from .augmentation import erase, flip_and_shift

CALIBRATION = 2000  # training images that batch norm is calibrated on before the metric is taken


@dataclass(frozen=True)
class ImageLessons:
    """Images to train on and images held out; the metric is top-1 accuracy in percent."""

    training: LabelledImages
    validation: LabelledImages
    label_smoothing: float = 0.1
    metric_name: str = "accuracy"
    kept: dict[str, tuple[Tensor, Tensor]] = field(default_factory=dict, repr=False, compare=False)

    def described(self) -> Mapping[str, int | float | str]:
        """Return the numbers of images and the smoothing."""
        return {
            "label_smoothing": self.label_smoothing,
            "training_images": len(self.training),
            "validation_images": len(self.validation),
        }

    def steps(self, recipe: Recipe) -> int:
        """Return the number of whole batches; what is left over is not seen in that epoch."""
        return len(self.training) // recipe.batch

    def batches(
        self, recipe: Recipe, phase: Phase, epoch: int, generator: Generator
    ) -> Iterator[tuple[Tensor, Tensor]]:
        """Yield shuffled and augmented images (batch, channels, height, width) with labels (batch,)."""
        images, labels = self.tensors("training", self.training)
        shift, erased = int(phase.setting("shift_pixels")), int(phase.setting("erase_pixels"))
        order = torch.randperm(len(images), generator=generator)
        for step in range(self.steps(recipe)):
            chosen = order[step * recipe.batch : (step + 1) * recipe.batch]
            batch = flip_and_shift(images[chosen], generator, pixels=shift)
            if erased:
                batch = erase(batch, generator, size=erased)
            yield batch.contiguous(memory_format=torch.channels_last), labels[chosen]

    def forward(self, network: ElasticNetwork, inputs: Tensor, architecture: Architecture) -> Tensor:
        """Return logits, (batch, classes)."""
        outputs: Tensor = network(inputs, architecture)
        return outputs

    def loss(self, outputs: Tensor, targets: Tensor) -> Tensor:
        """Return the cross-entropy with smoothed labels."""
        return functional.cross_entropy(outputs, targets, label_smoothing=self.label_smoothing)

    def distillation(self, outputs: Tensor, teacher_outputs: Tensor, targets: Tensor) -> Tensor:
        """Return the cross-entropy with the teacher's probabilities."""
        return functional.cross_entropy(outputs, teacher_outputs.softmax(1))

    def metric(self, network: ElasticNetwork, architecture: Architecture) -> float:
        """Return top-1 on the held-out images in percent, batch norm calibrated on training images."""
        calibration, _ = self.tensors("calibration", self.training.take(slice(CALIBRATION)))
        statistics = network.calibrate(architecture, calibration)
        images, labels = self.tensors("validation", self.validation)
        return float(100 * (network.logits(images, architecture, statistics).argmax(1) == labels).double().mean())

    def tensors(self, name: str, data: LabelledImages) -> tuple[Tensor, Tensor]:
        """Return scaled images and labels of the part called `name`, converted once."""
        if name not in self.kept:
            self.kept[name] = tensors_of(data)
        return self.kept[name]
