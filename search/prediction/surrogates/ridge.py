"""Ridge regression: effects of options add up. The predictor of the LINAS paper for vision models."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np

from ..surrogate import Floats, Scaling

PENALTIES = (0.01, 0.1, 1.0, 10.0, 100.0)  # on standardised targets and 0/1 features


@dataclass(frozen=True)
class FittedRidge:
    """A linear model and the scaling of its targets."""

    model: Any
    scaling: Scaling

    def predict(self, features: Floats) -> tuple[Floats, None]:
        """Return the mean, (n,); a ridge has no standard deviation."""
        return self.scaling.restored(np.asarray(self.model.predict(features), dtype=np.float64)), None


@dataclass(frozen=True)
class Ridge:
    """Ridge regression with the penalty of least leave-one-out error."""

    def fit(self, features: Floats, targets: Floats, rng: np.random.Generator) -> FittedRidge:
        """Fit; `rng` is not used."""
        from sklearn.linear_model import RidgeCV

        scaling = Scaling.of(targets)
        return FittedRidge(RidgeCV(alphas=PENALTIES).fit(features, scaling.standardised(targets)), scaling)


def build() -> Ridge:
    """Build the surrogate."""
    return Ridge()
