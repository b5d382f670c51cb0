"""Which few examples batch norm is calibrated on in place of all: those whose statistics together are nearest to all's.

A handful of random examples leaves statistics far off, and each sub-network's differently, which moves ranks. Here
examples are taken one by one so that the mean of what those taken show is nearest to the mean of all (herding: Welling
2009; Chen et al. 2010, arXiv 1203.3472). What is looked at are mean and mean square of each example at every batch
norm of some networks, the ends of a space. They decide the order of examples alone: a sub-network's statistics are
measured on itself.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from ..space.space import Architecture
from .network import ElasticNetwork, Values
from .normalisation import Calibration


class Moments:
    """Calibrates, and keeps every example's mean and mean square by place, (batch, channels) a batch."""

    def __init__(self) -> None:
        self.calibration = Calibration()
        self.kept: dict[str, list[tuple[Tensor, Tensor]]] = {}

    def __call__(self, key: str, x: Tensor, scale: Tensor, shift: Tensor) -> Tensor:
        """Normalise by the batch, and record."""
        flat = x.flatten(2) if x.ndim > 2 else x[:, :, None]
        self.kept.setdefault(key, []).append((flat.mean(2), flat.square().mean(2)))
        return self.calibration(key, x, scale, shift)

    def likeness(self) -> NDArray[np.float64]:
        """Return the products of examples' centred moments, in deviations of all, (n, n); each place counts alike."""
        total: NDArray[np.float64] | float = 0.0
        for key, (mean, variance) in self.calibration.statistics().items():
            means, squares = (torch.cat(batches) for batches in zip(*self.kept[key]))
            deviation = variance.clamp(min=1e-12)
            first = (means - mean) / deviation.sqrt()
            second = (squares - 2 * mean * means + mean.square()) / deviation
            features = torch.cat([first, second], 1)
            features = features - features.mean(0)
            total = total + (features @ features.T / len(mean)).double().numpy()
        return np.asarray(total, dtype=np.float64)


def representative_order(
    network: ElasticNetwork, architectures: Iterable[Architecture], batches: Callable[[], Iterable[Values]]
) -> NDArray[np.int64] | None:
    """Return the positions of all examples, each beginning of which stands for all, (n,); None without batch norm.

    `batches` yields them anew each time. Costs a calibration on all examples of each architecture.
    """
    total: NDArray[np.float64] | None = None
    for architecture in architectures:
        moments = Moments()
        with torch.inference_mode():
            for batch in batches():
                network.outputs(batch, architecture, moments)
                if not moments.kept:
                    return None
        likeness = moments.likeness()
        total = likeness if total is None else total + likeness
    return None if total is None or not total.ndim else herded(total)


def herded(likeness: NDArray[np.float64]) -> NDArray[np.int64]:
    """Return the order in which examples keep the mean of centred features nearest to zero, (n,).

    `likeness` (n, n) holds the features' products.
    """
    own, pull = np.diag(likeness), np.zeros(len(likeness))
    left = np.zeros(len(likeness))
    order = np.empty(len(likeness), dtype=np.int64)
    for position in range(len(order)):
        order[position] = np.argmin(2.0 * pull + own + left)
        left[order[position]] = np.inf
        pull += likeness[order[position]]
    return order
