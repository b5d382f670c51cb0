"""Predictors of costly objectives, fitted on the archive each round and then thrown away.

New surrogates are modules of `surrogates/` or entry points of group gnomon.surrogates: `build() -> Surrogate`.
Features are the masked one-hot encoding of a space, (n, k) zeros and ones.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Protocol

import numpy as np
from numpy.typing import NDArray

from ...supernets.plugins import Registry
from ..errors import UnknownName

Floats = NDArray[np.float64]


class Fitted(Protocol):
    """A surrogate after fitting."""

    def predict(self, features: Floats) -> tuple[Floats, Floats | None]:
        """Return mean and standard deviation in the targets' unit for (n, k) features, (n,) each; None: no idea."""


class Surrogate(Protocol):
    """A kind of predictor."""

    def fit(self, features: Floats, targets: Floats, rng: np.random.Generator) -> Fitted:
        """Fit on (n, k) features and (n,) targets, n at least 2; deterministic for the state of `rng`."""


SURROGATES: Registry[Callable[[], Surrogate]] = Registry(
    "surrogate", "search/prediction/surrogates", UnknownName.of, "gnomon.surrogates", attribute="build"
)


@dataclass(frozen=True, slots=True)
class Scaling:
    """Centre and spread of targets; constant targets have spread 1."""

    mean: float
    scale: float

    @staticmethod
    def of(targets: Floats) -> Scaling:
        """Take them from (n,) targets."""
        scale = float(targets.std())
        return Scaling(float(targets.mean()), scale if scale > 1e-12 * max(1.0, abs(float(targets.mean()))) else 1.0)

    def standardised(self, targets: Floats) -> Floats:
        """Return (n,) targets with mean 0 and spread 1."""
        return (targets - self.mean) / self.scale

    def restored(self, standardised: Floats) -> Floats:
        """Undo `standardised`."""
        return standardised * self.scale + self.mean
