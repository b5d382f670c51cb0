"""Support-vector regression with an RBF kernel: the predictor of the LINAS paper for translation models."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np

from ..surrogate import Floats, Scaling

PENALTY = 10.0
TUBE = 0.05  # half width within which errors cost nothing, in standard deviations of the targets


@dataclass(frozen=True)
class FittedSVR:
    """A support-vector model and the scaling of its targets."""

    model: Any
    scaling: Scaling

    def predict(self, features: Floats) -> tuple[Floats, None]:
        """Return the mean, (n,); support vectors give no standard deviation."""
        return self.scaling.restored(np.asarray(self.model.predict(features), dtype=np.float64)), None


@dataclass(frozen=True)
class SupportVectors:
    """SVR with fixed settings; the kernel's width follows the features' variance."""

    def fit(self, features: Floats, targets: Floats, rng: np.random.Generator) -> FittedSVR:
        """Fit; `rng` is not used."""
        from sklearn.svm import SVR

        scaling = Scaling.of(targets)
        model = SVR(kernel="rbf", C=PENALTY, epsilon=TUBE, gamma="scale")
        return FittedSVR(model.fit(features, scaling.standardised(targets)), scaling)


def build() -> SupportVectors:
    """Build the surrogate."""
    return SupportVectors()
