"""A process's expected values, quickly: thousands of candidates are predicted a round, most of them never measured.

An expected value is a weighted sum of covariances with what was measured. Its linear parts collapse into one
coefficient a feature, whatever was measured; only exp(-Hamming distance) needs each measured architecture. Numbers of
equal genes are whole, and so exact in single precision, and few: exponentials are looked up by them.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from .kernel import CONSTANT, Basis, Settings
from .surrogate import Floats


@dataclass(frozen=True)
class Expectation:
    """Sums of covariances: `coefficients` (k,) of one-hot features and an `offset`, and `weights` (n,) of what is near.

    `measured` (k, n) are the measured architectures' features; `scale` is how many genes two of them differ in where
    their covariance has fallen to 1 / e; `by_equal` (g + 1,) is exp of 0, 1, ... g equal genes over it.
    """

    coefficients: Floats
    offset: float
    measured: NDArray[np.float32]
    weights: Floats
    scale: float
    by_equal: Floats

    @staticmethod
    def of(basis: Basis, settings: Settings, features: Floats, weights: Floats) -> Expectation:
        """Prepare sums of the covariances with (n, k) features, each times its weight, (n,)."""
        coefficients, offset = np.zeros(features.shape[1]), CONSTANT * float(weights.sum())
        parts = zip(settings.weights, basis.encoding.views, basis.centres, basis.powers, basis.seen(features))
        for weight, view, centre, power, seen in parts:
            summed = (weight / np.sqrt(power)) * (seen.T @ weights)
            coefficients += view @ summed
            offset -= float(centre @ summed)
        scale = basis.genes * settings.length
        near = settings.local * weights * np.exp(features.sum(axis=1) / (-2.0 * scale))
        measured = np.ascontiguousarray(features.T, dtype=np.float32)
        by_equal = np.exp(np.arange(int(basis.genes) + 1) * (1.0 / scale))
        return Expectation(coefficients, offset, measured, near, scale, by_equal)

    def __call__(self, features: Floats) -> Floats:
        """Return the sums of (n', k) features, (n',)."""
        equal = (features.astype(np.float32) @ self.measured).astype(np.intp)
        near = self.by_equal.take(equal, mode="clip") @ self.weights
        near *= np.exp(features.sum(axis=1) / (-2.0 * self.scale))
        return np.asarray(features @ self.coefficients + self.offset + near, dtype=np.float64)
