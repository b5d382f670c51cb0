"""Batch norm as an argument: how to normalise is passed in, so no module carries an active state.

A sub-network needs its own statistics, since its activations differ from the full network's; scale and shift are
shared (arXiv 1812.08928, 1908.09791). Statistics are keyed by slot and operation.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Protocol

import torch
from torch import Tensor
from torch.nn import functional

Statistics = Mapping[str, tuple[Tensor, Tensor]]  # key -> (mean, variance), each (channels,)
Corrections = Mapping[str, tuple[Tensor, Tensor]]  # key -> (what a mean lacks, in deviations; log of a factor), alike

EPSILON = 1e-5


class Normalise(Protocol):
    """Normalise `x` (batch, channels, ...), of any number of further axes, at the place called `key`."""

    def __call__(self, key: str, x: Tensor, scale: Tensor, shift: Tensor) -> Tensor:
        """Return a tensor of the same shape."""
        ...


class BatchStatistics:
    """Use the batch's own statistics: for training."""

    def __call__(self, key: str, x: Tensor, scale: Tensor, shift: Tensor) -> Tensor:
        """Normalise by the batch."""
        return functional.batch_norm(x, None, None, scale, shift, training=True, eps=EPSILON)


class Calibration:
    """Use the batch's own statistics and keep them, averaged over the images seen."""

    def __init__(self) -> None:
        self.seen: dict[str, list[tuple[int, Tensor, Tensor]]] = {}

    def __call__(self, key: str, x: Tensor, scale: Tensor, shift: Tensor) -> Tensor:
        """Normalise by the batch, and record.

        With a momentum of one, torch's batch norm leaves the batch's statistics in what it is given: one pass.
        """
        values = x.numel() // x.shape[1]
        if values == 1:  # torch refuses to
            variance, mean = torch.var_mean(x, dim=(0, *range(2, x.ndim)), correction=0)
            self.record(key, len(x), mean, variance)
            return functional.batch_norm(x, mean, variance, scale, shift, training=False, eps=EPSILON)
        mean, variance = torch.zeros_like(shift), torch.ones_like(shift)
        y = functional.batch_norm(x, mean, variance, scale, shift, training=True, momentum=1.0, eps=EPSILON)
        self.record(key, len(x), mean, variance * ((values - 1) / values))
        return y

    def record(self, key: str, images: int, mean: Tensor, variance: Tensor) -> None:
        """Keep the statistics of a batch of so many images."""
        self.seen.setdefault(key, []).append((images, mean, variance))

    def statistics(self) -> Statistics:
        """Return the averages; a smaller batch counts for less."""
        averages = {}
        for key, batches in self.seen.items():
            total = sum(n for n, _, _ in batches)
            mean = torch.stack([mean * (n / total) for n, mean, _ in batches]).sum(0)
            variance = torch.stack([variance * (n / total) for n, _, variance in batches]).sum(0)
            averages[key] = (mean, variance)
        return averages


def moments_of(x: Tensor) -> tuple[Tensor, Tensor]:
    """Return mean and mean square of each example's channels, (batch, channels) both: faster than torch's variance."""
    flat = x.flatten(2) if x.ndim > 2 else x[:, :, None]
    return flat.mean(2), flat.square().mean(2)


class CorrectedCalibration(Calibration):
    """Use the batch's own statistics, corrected, and keep them, averaged over the images seen.

    Channels count from the front, as weights are sliced; what has no correction is as it was measured.
    """

    def __init__(self, corrections: Corrections) -> None:
        super().__init__()
        self.corrections = corrections

    def __call__(self, key: str, x: Tensor, scale: Tensor, shift: Tensor) -> Tensor:
        """Normalise by the corrected statistics, and record them."""
        means, squares = moments_of(x)
        mean = means.mean(0)
        variance = (squares.mean(0) - mean.square()).clamp(min=0.0)
        if key in self.corrections:
            lacking, factor = (functional.pad(one, (0, len(mean) - len(one))) for one in self.corrections[key])
            widened = variance + EPSILON
            mean = mean + lacking * widened.sqrt()
            variance = (widened * factor.exp() - EPSILON).clamp(min=0.0)
        self.record(key, len(x), mean, variance)
        return functional.batch_norm(x, mean, variance, scale, shift, training=False, eps=EPSILON)


class FixedStatistics:
    """Use given statistics: for inference."""

    def __init__(self, statistics: Statistics) -> None:
        self.statistics = statistics

    def __call__(self, key: str, x: Tensor, scale: Tensor, shift: Tensor) -> Tensor:
        """Normalise by the recorded statistics."""
        mean, variance = self.statistics[key]
        return functional.batch_norm(x, mean, variance, scale, shift, training=False, eps=EPSILON)
