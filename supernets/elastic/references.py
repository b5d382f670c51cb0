"""What the calibration examples show in a few fixed networks, and how far off some of the examples are from all.

The networks are the same whatever else was evaluated, so nothing leaks from one sub-network to another. Their
statistics on all examples are known, and what each example adds to them. Sub-networks share weights, so the statistics
of a few examples are off alike in all of them: a sub-network's own are corrected by as much (control variates:
Lavenberg and Welch 1981). A channel can have another scale in another network, so means are corrected in deviations,
and variances by a factor.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor
from torch.nn import functional

from ..space.space import Architecture
from .network import ElasticNetwork, Values
from .normalisation import EPSILON, Calibration, Corrections, Statistics, moments_of


class Moments(Calibration):
    """Calibrates, and keeps every example's mean and mean square by place, (batch, channels) a batch."""

    def __init__(self) -> None:
        super().__init__()
        self.kept: dict[str, list[tuple[Tensor, Tensor]]] = {}

    def __call__(self, key: str, x: Tensor, scale: Tensor, shift: Tensor) -> Tensor:
        """Normalise by the batch, and record."""
        self.kept.setdefault(key, []).append(moments_of(x))
        return super().__call__(key, x, scale, shift)


@dataclass(frozen=True, slots=True)
class Reference:
    """A network's `statistics` on all n examples, and every example's mean and mean square by place, (n, channels)."""

    statistics: Statistics
    moments: Mapping[str, tuple[Tensor, Tensor]]

    @staticmethod
    def of(network: ElasticNetwork, architecture: Architecture, batches: Iterable[Values]) -> Reference:
        """Calibrate a sub-network on all examples; one without batch norm has nothing, and sees one batch only."""
        seen = Moments()
        statistics = network.calibrate_on(architecture, batches, seen)
        moments = {}
        for key, batches_kept in seen.kept.items():
            means, squares = zip(*batches_kept)
            moments[key] = torch.cat(means), torch.cat(squares)
        return Reference(statistics, moments)

    def likeness(self) -> NDArray[np.float64]:
        """Return the products of examples' centred moments, in deviations of all, (n, n); each place counts alike."""
        total: NDArray[np.float64] | float = 0.0
        for key, (mean, variance) in self.statistics.items():
            means, _ = self.moments[key]
            deviation = variance.clamp(min=1e-12)
            features = torch.cat([(means - mean) / deviation.sqrt(), self.squares_about_mean(key) / deviation], 1)
            features = features - features.mean(0)
            total = total + (features @ features.T / len(mean)).double().numpy()
        return np.asarray(total, dtype=np.float64)

    def corrections(self, rows: NDArray[np.int64]) -> Corrections:
        """Return what takes statistics on the examples at `rows` (k,) to those on all."""
        at, found = torch.from_numpy(rows), {}
        for key, (mean, variance) in self.statistics.items():
            means, _ = self.moments[key]
            off = means[at].mean(0) - mean
            few = (self.squares_about_mean(key, at).mean(0) - off.square()).clamp(min=0.0) + EPSILON
            whole = variance + EPSILON
            found[key] = -off / few.sqrt(), torch.log(whole / few)
        return found

    def squares_about_mean(self, key: str, at: Tensor | None = None) -> Tensor:
        """Return each example's mean square distance from the mean of all at a place, (n, channels), or some's."""
        mean, _ = self.statistics[key]
        means, squares = (one if at is None else one[at] for one in self.moments[key])
        return squares - 2 * mean * means + mean.square()


def mean_corrections(references: Sequence[Reference], rows: NDArray[np.int64]) -> Corrections:
    """Average the corrections of several networks for the examples at `rows` (k,), each channel over who has it."""
    each = [reference.corrections(rows) for reference in references]
    return {
        key: (
            averaged([one[key][0] for one in each if key in one]),
            averaged([one[key][1] for one in each if key in one]),
        )
        for key in dict.fromkeys(key for one in each for key in one)
    }


def averaged(values: Sequence[Tensor]) -> Tensor:
    """Return the mean of vectors of different lengths, each place over those that reach it."""
    longest = max(map(len, values))
    padded = [functional.pad(one, (0, longest - len(one)), value=torch.nan) for one in values]
    return torch.stack(padded).nanmean(0)
