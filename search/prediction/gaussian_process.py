"""A Gaussian process over architectures that knows how exact each measurement is (Rasmussen & Williams 2006, ch. 2).

Measurements on a share of the data are noisier, and share an unknown shift, because the images are the same for all.
It is in proportion to their noise, of which architectures measured both ways tell: were it free, all that was predicted
too high could be put down to it, and nothing would be learnt from a share on which nothing was measured both ways.
Settings maximise the posterior density, marginal likelihood times prior, one after the other over small grids; the
overall scale has a closed form.
Written here because libraries optimise such kernels by gradient with restarts that draw random numbers, slower and
not the same twice.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, replace
from functools import cache, cached_property

import numpy as np

from .beliefs import Beliefs
from .expectation import Expectation
from .kernel import Basis, Encoding, Settings, common_errors, default_settings, doubt
from .surrogate import Floats
from .warp import POWERS, Warp

WEIGHTS = (0.0, 0.01, 0.1, 0.3, 1.0, 3.0)
LOCALS = (0.01, 0.03, 0.1, 0.3, 1.0, 3.0)
LENGTHS = (0.1, 0.2, 0.4, 0.8, 1.6)  # in active genes of the largest architecture
NOISES = (1e-5, 1e-4, 1e-3, 3e-3, 1e-2, 3e-2, 1e-1, 3e-1)
PARTIAL_NOISES = (1e-4, 3e-4, 1e-3, 3e-3, 1e-2, 3e-2, 1e-1)
SWEEPS = 3
AT_RANDOM, DECIDING = 3.0, 0.3  # how much measurements err together on random examples, and on those that decide
JITTER = 1e-8
DOUBT = 8.0  # in log likelihood, against a power of 0 or 2 instead of 1


@dataclass(frozen=True)
class Evidence:
    """Measurements: one-hot `features` (n, k), `targets` (n,), each on a share of the data, (n,).

    `common` is how much those on a share err together: its variance, by that of what each errs by itself.
    """

    features: Floats
    targets: Floats
    shares: Floats
    common: float = AT_RANDOM

    @property
    def together(self) -> Floats:
        """The covariances (n, n) of what measurements err by together, where `partial_noise` is 1."""
        return self.common * common_errors(self.shares)

    def warp(self, power: float) -> Warp:
        """Return how the targets are made normal; exact measurements count for more in the centre."""
        return Warp.of(self.targets, power, self.shares)


@dataclass(frozen=True)
class GaussianProcess:
    """The posterior after `evidence`: Cholesky factor `lower` of its covariance, and weights of its targets."""

    basis: Basis
    settings: Settings
    evidence: Evidence
    warp: Warp
    variance: float
    lower: Floats
    weights: Floats

    @staticmethod
    def after(evidence: Evidence, encoding: Encoding, settings: Settings) -> GaussianProcess:
        """Condition on evidence, settings given."""
        basis, warp = Basis.of(encoding, evidence.features), evidence.warp(settings.power)
        covariance = basis.covariance(evidence.features, evidence.features, settings)
        lower = factor(covariance, settings, evidence.shares, evidence.together)
        if lower is None:
            raise ValueError(f"the covariance of {len(evidence.targets)} measurements is not positive: {settings}")
        whitened = solved(lower, warp.standardised(evidence.targets))
        variance = max(float(whitened @ whitened) / len(whitened), 1e-12)
        return GaussianProcess(
            basis, settings, evidence, warp, variance, lower, solved(lower, whitened, transposed=True)
        )

    def mean(self, features: Floats) -> Floats:
        """Return the expected value of full measurements, (n,)."""
        return self.warp.restored(self._expectation(features))

    def predict(self, features: Floats) -> tuple[Floats, Floats]:
        """Return mean and standard deviation of the noise-free value, (n,) each."""
        across = self._across(features)
        explained = (solved(self.lower, across.T) ** 2).sum(axis=0)
        remaining = np.maximum(self.basis.variances(features, self.settings) - explained, 0.0)
        mean = across @ self.weights
        return self.warp.restored(mean), np.sqrt(self.variance * remaining) * self.warp.slope(mean)

    def beliefs(self, features: Floats) -> tuple[Floats, Beliefs]:
        """Return the means of noise-free values, (n,), and what is believed of them beside."""
        across = self._across(features)
        mean = across @ self.weights
        scale = np.sqrt(self.variance) * self.warp.slope(mean)
        whitened = solved(self.lower, across.T)
        return self.warp.restored(mean), Beliefs.of(self.basis, self.settings, features, whitened, scale)

    def noise(self, share: float, near: Floats) -> Floats:
        """Return the variance of measurements on a share near values (n,), beside what all on that share share."""
        slope = self.warp.slope(self.warp.standardised(near))
        return np.asarray(self.settings.variances(np.array([share]))[0] * self.variance * slope**2)

    @cached_property
    def _expectation(self) -> Expectation:
        return Expectation.of(self.basis, self.settings, self.evidence.features, self.weights)

    def _across(self, features: Floats) -> Floats:
        return self.basis.covariance(features, self.evidence.features, self.settings)


def best_settings(evidence: Evidence, encoding: Encoding) -> Settings:
    """Climb to the settings of most posterior density."""
    basis = Basis.of(encoding, evidence.features)
    components = basis.components(evidence.features, evidence.features)
    together = evidence.together
    partial = bool((evidence.shares < 1.0).any())
    warps = {power: evidence.warp(power) for power in POWERS}
    targets = {power: warp.standardised(evidence.targets) for power, warp in warps.items()}
    stretch = {power: warp.stretch(evidence.targets) for power, warp in warps.items()}

    @cache
    def misfit(settings: Settings) -> float:  # of the same ones again in a later sweep
        lower = factor(components.covariance(settings), settings, evidence.shares, together)
        if lower is None:
            return np.inf
        whitened = solved(lower, targets[settings.power])
        half = 0.5 * len(whitened)
        fit = half * np.log(max(float(whitened @ whitened), 1e-12)) + np.log(np.diag(lower)).sum()
        return float(fit - stretch[settings.power] + DOUBT * abs(settings.power - 1.0) + doubt(settings))

    settings = default_settings(len(encoding.views))
    least = misfit(settings)
    for _ in range(SWEEPS):
        before = settings
        for axis in range(len(settings.weights) + 5):
            for candidate in changes(settings, axis, partial):
                value = misfit(candidate)
                if value < least:
                    least, settings = value, candidate
        if settings == before:
            break
    return settings


def changes(settings: Settings, axis: int, partial: bool) -> Iterator[Settings]:
    """Yield the settings with one of them changed: a weight of a view, or what comes after the weights."""
    views = len(settings.weights)
    if axis < views:
        for weight in WEIGHTS:
            yield replace(settings, weights=(*settings.weights[:axis], weight, *settings.weights[axis + 1 :]))
        return
    if axis == views:
        yield from (replace(settings, local=value) for value in LOCALS)
    elif axis == views + 1:
        yield from (replace(settings, length=value) for value in LENGTHS)
    elif axis == views + 2:
        yield from (replace(settings, noise=value) for value in NOISES)
    elif axis == views + 3:
        yield from (replace(settings, power=value) for value in POWERS)
    elif partial:
        yield from (replace(settings, partial_noise=value) for value in PARTIAL_NOISES)


def factor(covariance: Floats, settings: Settings, shares: Floats, together: Floats) -> Floats | None:
    """Return the Cholesky factor of a covariance with its errors, (n, n), or None where it is not positive."""
    covariance += settings.partial_noise * together
    covariance[np.diag_indices(len(covariance))] += settings.variances(shares) + JITTER
    try:
        return np.asarray(np.linalg.cholesky(covariance))
    except np.linalg.LinAlgError:
        return None


def solved(lower: Floats, right: Floats, *, transposed: bool = False) -> Floats:
    """Solve a triangular system."""
    from scipy.linalg import solve_triangular

    return np.asarray(solve_triangular(lower, right, lower=True, trans=int(transposed), check_finite=False))
