"""Labelled images."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray


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

    def inputs(self) -> NDArray[np.float32]:
        """Return the images scaled to zero mean and unit deviation, (n, channels, height, width)."""
        return ((self.images / np.float32(255) - np.float32(self.mean)) / np.float32(self.deviation)).astype(np.float32)

    def described(self) -> dict[str, Any]:
        """Say how bytes are scaled."""
        return {"scaling": f"(pixel / 255 - {self.mean}) / {self.deviation}"}
