"""Labelled images in memory."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

PerChannel = float | tuple[float, ...]


@dataclass(frozen=True, slots=True)
class LabelledImages:
    """Images (n, channels, height, width) of bytes, labels (n,), and the scaling that a network expects.

    `mean` and `deviation` are of all channels, or one of each channel.
    """

    images: NDArray[np.uint8]
    labels: NDArray[np.int64]
    mean: PerChannel
    deviation: PerChannel

    def __len__(self) -> int:
        return len(self.labels)

    def take(self, selection: slice | NDArray[np.integer]) -> LabelledImages:
        """Return the selected images."""
        return LabelledImages(self.images[selection], self.labels[selection], self.mean, self.deviation)

    def inputs(self) -> NDArray[np.float32]:
        """Return the images scaled to zero mean and unit deviation, (n, channels, height, width)."""
        return scaled(self.images, self.mean, self.deviation)

    def described(self) -> dict[str, Any]:
        """Say how bytes are scaled."""
        return {"scaling": scaling_said(self.mean, self.deviation)}


def scaled(images: NDArray[np.uint8], mean: PerChannel, deviation: PerChannel) -> NDArray[np.float32]:
    """Return (pixel / 255 - mean) / deviation of images (n, channels, height, width)."""
    shift, scale = (np.asarray(value, dtype=np.float32).reshape(-1, 1, 1) for value in (mean, deviation))
    return ((images / np.float32(255) - shift) / scale).astype(np.float32)


def scaling_said(mean: PerChannel, deviation: PerChannel) -> str:
    """Say how bytes are scaled, for the record beside an exported file."""
    return f"(pixel / 255 - {mean}) / {deviation}"
