"""Labelled images, and what a task of image classification consists of."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

if TYPE_CHECKING:
    from torch import Tensor


@dataclass(frozen=True, slots=True)
class LabelledImages:
    """Images (n, channels, height, width) of bytes, labels (n,), and the scaling that a network expects."""

    images: NDArray[np.uint8]
    labels: NDArray[np.int64]
    mean: float
    deviation: float

    def __len__(self) -> int:
        return len(self.labels)

    def take(self, selection: slice | NDArray[np.integer]) -> LabelledImages:
        """Return the selected images."""
        return LabelledImages(self.images[selection], self.labels[selection], self.mean, self.deviation)

    def share(self, share: float) -> LabelledImages:
        """Return about that share of the images, at least one: the first of a fixed order that mixes them."""
        order = np.random.default_rng(len(self)).permutation(len(self))
        return self.take(order[: max(1, round(share * len(self)))])

    def inputs(self) -> NDArray[np.float32]:
        """Return the images scaled to zero mean and unit deviation, (n, channels, height, width)."""
        return ((self.images / np.float32(255) - np.float32(self.mean)) / np.float32(self.deviation)).astype(np.float32)

    def tensors(self) -> tuple[Tensor, Tensor]:
        """Return scaled images in channels-last memory order, and labels, as torch tensors."""
        import torch

        images = torch.from_numpy(self.inputs()).contiguous(memory_format=torch.channels_last)
        return images, torch.from_numpy(self.labels)


@dataclass(frozen=True, slots=True)
class ImageTask:
    """An image classification task. `validation` is what a search sees, `test` what is reported."""

    name: str
    calibration: LabelledImages
    validation: LabelledImages
    test: LabelledImages


def top1_percent(logits: NDArray[np.floating], labels: NDArray[np.integer]) -> float:
    """Return the share of rows of `logits` (n, classes) whose largest entry is the label, in percent."""
    return float(100.0 * np.mean(np.argmax(logits, axis=1) == labels))
