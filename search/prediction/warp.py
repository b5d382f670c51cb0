"""Targets made more nearly normal before a process is fitted to them (Yeo & Johnson 2000, doi:10.1093/biomet/87.4.954).

Accuracies crowd near their best and trail off far below: a network without depth can be forty points worse. Unwarped,
those few would set the scale, and differences between good networks would look like nothing.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from .surrogate import Floats, Scaling

POWERS = (0.0, 0.5, 1.0, 1.5, 2.0)  # 1: as they are; more: what lies below is drawn in


@dataclass(frozen=True)
class Warp:
    """Standardise, raise to a power on both sides of the centre, standardise again."""

    outer: Scaling
    power: float
    inner: Scaling

    @staticmethod
    def of(targets: Floats, power: float, weights: Floats) -> Warp:
        """Take centres, in which targets weigh as given, and spreads from (n,) targets."""

        def scaling(values: Floats) -> Scaling:
            return Scaling(float(np.average(values, weights=weights)), Scaling.of(values).scale)

        outer = scaling(targets)
        return Warp(outer, power, scaling(bent(outer.standardised(targets), power)))

    def standardised(self, targets: Floats) -> Floats:
        """Warp (n,) targets."""
        return self.inner.standardised(bent(self.outer.standardised(targets), self.power))

    def restored(self, warped: Floats) -> Floats:
        """Undo `standardised`: of a normal's centre it gives the median."""
        return self.outer.restored(straight(self.inner.restored(warped), self.power))

    def stretch(self, targets: Floats) -> float:
        """Return the log determinant of the warp at (n,) targets, up to a constant: likelihoods compare by it."""
        z = self.outer.standardised(targets)
        bending = (self.power - 1.0) * float((np.sign(z) * np.log1p(np.abs(z))).sum())
        return bending - len(z) * float(np.log(self.inner.scale))

    def slope(self, warped: Floats) -> Floats:
        """Return how much `restored` changes by a small change of (n,) warped values."""
        step = 1e-4
        return (self.restored(warped + step) - self.restored(warped - step)) / (2 * step)


def bent(z: Floats, power: float) -> Floats:
    """Apply Yeo and Johnson's transformation; powers from 0 to 2 keep all real numbers apart."""
    up, down = np.maximum(z, 0.0), np.maximum(-z, 0.0)
    above = np.log1p(up) if power == 0 else ((1 + up) ** power - 1) / power
    below = np.log1p(down) if power == 2 else ((1 + down) ** (2 - power) - 1) / (2 - power)
    return np.where(z >= 0, above, -below)


def straight(bent: Floats, power: float) -> Floats:
    """Undo `bent`."""
    up, down = np.maximum(bent, 0.0), np.maximum(-bent, 0.0)
    above = np.expm1(up) if power == 0 else (1 + power * up) ** (1 / power) - 1
    below = np.expm1(down) if power == 2 else (1 + (2 - power) * down) ** (1 / (2 - power)) - 1
    return np.where(bent >= 0, above, -below)
