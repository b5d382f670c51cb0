"""Gaussian process on masked one-hot genes: effects that add up, plus what similar architectures share, plus noise.

The kernel is a mix of a linear one and exp(-Hamming distance / length), a constant, and white noise. The mix, the
length and the noise come from a small grid by marginal likelihood, the overall scale from its closed form; one
eigendecomposition serves all noise levels. At the sizes of a search (up to some hundred architectures) this takes
well under a second. Written here because scikit-learn optimises such kernels by gradient, slower and with restarts
that draw random numbers.
"""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np

from ..surrogate import Floats, Scaling

LENGTHS = (0.15, 0.4, 1.0)  # in active genes of the largest architecture
LINEAR_SHARES = (0.0, 0.3, 0.6, 0.9)
NOISES = (1e-4, 1e-3, 1e-2, 3e-2, 1e-1, 3e-1)  # variance relative to the kernel's
CONSTANT = 1.0


@dataclass(frozen=True, slots=True)
class Kernel:
    """Covariances between rows of 0/1 features, given the training set's centre, power and size in genes."""

    centre: Floats
    power: float
    genes: float
    length: float
    linear_share: float

    def between(self, left: Floats, right: Floats) -> Floats:
        """Return covariances, (n, n') for (n, k) and (n', k)."""
        linear = (left - self.centre) @ (right - self.centre).T / self.power
        differing = (left.sum(axis=1)[:, None] + right.sum(axis=1)[None, :] - 2 * left @ right.T) / 2
        local = np.exp(-differing / (self.length * self.genes))
        return np.asarray(self.linear_share * linear + (1 - self.linear_share) * local + CONSTANT, dtype=np.float64)

    def variances(self, rows: Floats) -> Floats:
        """Return each row's own covariance, (n,)."""
        linear = ((rows - self.centre) ** 2).sum(axis=1) / self.power
        return np.asarray(self.linear_share * linear + (1 - self.linear_share) + CONSTANT, dtype=np.float64)


@dataclass(frozen=True, slots=True)
class FittedGP:
    """The posterior: eigenvectors of the kernel matrix and what they are weighted with."""

    kernel: Kernel
    noise: float
    features: Floats
    vectors: Floats
    inverse_values: Floats
    weights: Floats
    variance: float
    scaling: Scaling

    def predict(self, features: Floats) -> tuple[Floats, Floats]:
        """Return mean and standard deviation of the noise-free value, (n,) each."""
        across = self.kernel.between(features, self.features)
        explained = ((across @ self.vectors) ** 2 * self.inverse_values).sum(axis=1)
        remaining = np.maximum(self.kernel.variances(features) - explained, 0.0)
        deviation = np.sqrt(self.variance * remaining) * self.scaling.scale
        return self.scaling.restored(across @ self.weights), deviation

    def refitted(self, features: Floats, targets: Floats) -> FittedGP:
        """Return the posterior after other (n, k) features and (n,) targets, all settings kept."""
        values, vectors = np.linalg.eigh(self.kernel.between(features, features))
        inverse = 1.0 / (np.maximum(values, 0.0) + self.noise)
        weights = vectors @ ((vectors.T @ self.scaling.standardised(targets)) * inverse)
        return replace(self, features=features, vectors=vectors, inverse_values=inverse, weights=weights)


@dataclass(frozen=True)
class GaussianProcess:
    """The kernel's settings are chosen anew at every fit."""

    def fit(self, features: Floats, targets: Floats, rng: np.random.Generator) -> FittedGP:
        """Fit; `rng` is not used."""
        scaling = Scaling.of(targets)
        standardised = scaling.standardised(targets)
        centre = features.mean(axis=0)
        power = max(float(((features - centre) ** 2).sum(axis=1).mean()), 1e-12)
        genes = max(float(features.sum(axis=1).max()), 1.0)
        kernels = [Kernel(centre, power, genes, length, share) for share in LINEAR_SHARES for length in LENGTHS]
        candidates = [posterior(kernel, features, standardised, scaling) for kernel in kernels]
        return max(candidates, key=lambda candidate: candidate[0])[1]


def posterior(kernel: Kernel, features: Floats, targets: Floats, scaling: Scaling) -> tuple[float, FittedGP]:
    """Return the best log marginal likelihood over the noise levels, and the posterior there."""
    values, vectors = np.linalg.eigh(kernel.between(features, features))
    spectrum = np.maximum(values, 0.0)[None, :] + np.array(NOISES)[:, None]
    projected = vectors.T @ targets
    variances = np.maximum((projected**2 / spectrum).mean(axis=1), 1e-12)
    likelihoods = -0.5 * (len(targets) * np.log(variances) + np.log(spectrum).sum(axis=1))
    best = int(likelihoods.argmax())
    inverse = 1.0 / spectrum[best]
    fitted = FittedGP(
        kernel,
        NOISES[best],
        features,
        vectors,
        inverse,
        vectors @ (projected * inverse),
        float(variances[best]),
        scaling,
    )
    return float(likelihoods[best]), fitted


def build() -> GaussianProcess:
    """Build the surrogate."""
    return GaussianProcess()
