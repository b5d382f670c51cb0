"""What is believed of many architectures while some of them are measured, one after another.

A measurement moves what is believed of the others by their covariances with it: one column of the matrix of all. Of a
round's candidates few are measured, so columns are computed when they are needed, and the matrix never is.
"""

from __future__ import annotations

from dataclasses import dataclass, field, replace

import numpy as np

from .kernel import Basis, Settings
from .surrogate import Floats


@dataclass
class Beliefs:
    """Variances (n,) of the noise-free values of (n, k) `features`, and what their covariances are made of.

    `linear` (n, q) are their views, each by the root of its weight; `whitened` (e, n) are covariances with e
    measurements, times the inverse of the Cholesky factor of theirs; `scale` (n,) turns the process's values into the
    objective's. `moves` (n,) each are what measuring takes off covariances.
    """

    basis: Basis
    settings: Settings
    features: Floats
    linear: Floats
    whitened: Floats
    scale: Floats
    variances: Floats
    moves: list[Floats] = field(default_factory=list)

    @staticmethod
    def of(basis: Basis, settings: Settings, features: Floats, whitened: Floats, scale: Floats) -> Beliefs:
        """Begin with none of them measured."""
        remaining = basis.variances(features, settings) - np.square(whitened).sum(axis=0)
        linear = basis.weighted(features, settings)
        return Beliefs(basis, settings, features, linear, whitened, scale, remaining * scale**2)

    def covariances(self, position: int) -> Floats:
        """Return the covariances of all with the one at a position, (n,)."""
        prior = self.basis.near(self.features, self.features[[position]], self.settings)[:, 0]
        prior += self.linear @ self.linear[position]
        explained = self.whitened[:, position] @ self.whitened
        column = (prior - explained) * (self.scale * self.scale[position])
        for move in self.moves:
            column -= move * move[position]
        return np.asarray(column)

    def measure(self, position: int, noise: float) -> None:
        """Take the one at a position as measured, with a variance of `noise`."""
        column = self.covariances(position)
        self.moves.append(column / np.sqrt(column[position] + noise))
        self.variances = self.variances - np.square(self.moves[-1])

    def without_first(self, n: int) -> Beliefs:
        """Return what is believed of all but the first `n`."""
        return replace(
            self,
            features=self.features[n:],
            linear=self.linear[n:],
            whitened=self.whitened[:, n:],
            scale=self.scale[n:],
            variances=self.variances[n:],
            moves=[move[n:] for move in self.moves],
        )
