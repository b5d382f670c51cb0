"""Training data of image classification: cross-entropy on smoothed labels, images mirrored, shifted and partly erased.

A phase's augmentation settings are `mirror`, the share of images that are mirrored (half of them suits photographs;
digits, letters and whatever has a left and a right must not be), `shift_pixels` and `erase_pixels`; none by default.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Generator, Tensor
from torch.nn import functional

from ...data.labelled import Labelled, batches_of, tensors_of, top1_percent
from ...elastic import ElasticNetwork
from ...space.space import Architecture
from ..recipe import Phase, Recipe
from .augmentation import erase, flip_and_shift
from .classification import Classification

AUGMENTATIONS = {"mirror": 0.5, "shift_pixels": 2.0, "erase_pixels": 6.0}  # what a setting without a value means
CALIBRATION = 2000  # training images that batch norm is calibrated on before the metric is taken
BATCH_VALUES = 2**22  # of images that are judged at a time: 5,349 of 28x28, 27 of 3x224x224


@dataclass(frozen=True)
class ImageTrainingData(Classification):
    """Images to train on and images held out, read a batch at a time.

    `score` gives the metric of that name of logits (n, classes) for labels (n,): top-1 accuracy in percent.
    """

    training: Labelled
    validation: Labelled
    label_smoothing: float = 0.1
    metric_name: str = "accuracy"
    score: Callable[[NDArray[np.float32], NDArray[np.int64]], float] = top1_percent

    @property
    def augmentations(self) -> Mapping[str, float]:
        """Return the settings of a phase that are read here, and what each means without a value."""
        return AUGMENTATIONS

    def described(self) -> Mapping[str, int | float | str]:
        """Return the numbers of images and the smoothing."""
        return {
            "label_smoothing": self.label_smoothing,
            "training_images": len(self.training),
            "validation_images": len(self.validation),
        }

    def batches(
        self, recipe: Recipe, phase: Phase, epoch: int, generator: Generator
    ) -> Iterator[tuple[Tensor, Tensor]]:
        """Yield shuffled and augmented images (batch, channels, height, width) with labels (batch,)."""
        shift, erased = int(phase.setting("shift_pixels")), int(phase.setting("erase_pixels"))
        mirrored = phase.setting("mirror")
        order = torch.randperm(len(self.training), generator=generator)
        for step in range(self.steps(recipe)):
            chosen = order[step * recipe.batch : (step + 1) * recipe.batch]
            images, labels = tensors_of(self.training.take(chosen.numpy()))
            batch = flip_and_shift(images, generator, pixels=shift, mirrored_share=mirrored)
            if erased:
                batch = erase(batch, generator, size=erased)
            yield batch.contiguous(memory_format=torch.channels_last), labels

    def distillation(self, outputs: Tensor, teacher_outputs: Tensor, targets: Tensor) -> Tensor:
        """Return the cross-entropy with the teacher's probabilities."""
        return functional.cross_entropy(outputs, teacher_outputs.softmax(1))

    def metric(self, network: ElasticNetwork, architecture: Architecture) -> float:
        """Return the metric on the held-out images, batch norm calibrated on training images."""
        size = max(1, min(512, BATCH_VALUES // math.prod(network.space.input_shape)))
        calibration = self.training.take(slice(CALIBRATION))
        statistics = network.calibrate_on(architecture, batches_of(calibration, size))
        logits = network.logits_of(batches_of(self.validation, size), architecture, statistics)
        return self.score(logits.numpy(), self.validation.labels)
