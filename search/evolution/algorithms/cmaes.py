"""CMA-ES for one objective: a normal distribution over real numbers, read as genes (Hansen 2016, arXiv 1604.00772).

Points are rounded to the nearest option, clipped and made canonical, and told back as the genes they became, ordered by
violation and then cost, so that constraints come first. A point told from elsewhere moves the distribution no farther
than one of its own could (Hansen 2011, arXiv 1110.4181). No gene's deviation falls below a share of an option's width,
or it would never change again. An order of the options that means nothing is used all the same. The package `cma`,
which pymoo wraps, is not used: it draws from numpy's global generator, and under another PYTHONHASHSEED it answered
otherwise.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

import numpy as np

from ....supernets.space.space import Indices
from ...archive import first_occurrences, key_of
from ...problem.objective import Values
from ..algorithm import Evolution, Setting, Takes

SPREAD = 0.3  # initial deviation, as a share of a gene's range
NARROWEST = 0.2  # deviation, in options
DRAWS = 20  # times that a population is drawn again when all were known


@dataclass(frozen=True)
class CovarianceAdaptation:
    """Starts at the best of the first generation."""

    takes: ClassVar[Takes] = Takes(1, 1)

    def start(self, setting: Setting) -> Evolution:
        """Begin with nothing known."""
        return Normal(setting)


class Normal:
    """The distribution over the d genes that have a choice, each in units of its initial deviation."""

    def __init__(self, setting: Setting) -> None:
        self.space = setting.space
        self.known: set[bytes] = set()
        self.free = np.flatnonzero(setting.space.radices > 1)
        self.options = setting.space.radices[self.free]
        self.unit = SPREAD * (self.options - 1.0)
        d = len(self.free)
        self.step = 1.0
        self.mean: Values | None = None
        self.covariance = np.eye(d)
        self.step_path = np.zeros(d)
        self.shape_path = np.zeros(d)

    def tell(self, rows: Indices, costs: Values, violations: Values) -> None:
        """Move the distribution towards the better half of (n, d) rows; the first generation places it."""
        self.known.update(key_of(row) for row in rows)
        order = np.lexsort((costs[:, 0], violations))
        points = rows[order][:, self.free] / self.unit
        if self.mean is None:
            self.mean = points[0]
        elif len(points) > 1:
            self.mean = self._adapted(points, self.mean)

    def ask(self, n: int, rng: np.random.Generator) -> Indices:
        """Draw up to `n` unseen architectures, (k, d)."""
        children = np.empty((0, len(self.space.choices)), dtype=np.int64)
        assert self.mean is not None
        values, vectors = self._axes()
        spread = self.step * (vectors * np.sqrt(values)) @ vectors.T
        for _ in range(DRAWS):
            if len(children) >= n:
                break
            points = self.mean + rng.standard_normal((n, len(values))) @ spread
            genes = np.zeros((n, children.shape[1]), dtype=np.int64)
            genes[:, self.free] = np.clip(np.rint(points * self.unit), 0, self.options - 1)
            drawn = np.concatenate([children, self.space.canonical(genes)])
            children = drawn[first_occurrences(drawn, frozenset(self.known))]
        return children[:n]

    def _adapted(self, points: Values, mean: Values) -> Values:
        """Adapt step and shape to (n, d) points, best first, and return the new mean."""
        d, mu = len(mean), len(points) // 2
        weights = np.log(mu + 0.5) - np.log(np.arange(1, mu + 1))
        weights /= weights.sum()
        effective = 1.0 / (weights**2).sum()
        values, vectors = self._axes()
        whitening = (vectors / np.sqrt(values)) @ vectors.T
        steps = (points[:mu] - mean) / self.step
        lengths = np.linalg.norm(steps @ whitening, axis=1)
        longest = np.sqrt(d) + 2.0 * d / (d + 2.0)
        steps *= np.minimum(1.0, longest / np.maximum(lengths, 1e-12))[:, None]
        mean_step = weights @ steps

        for_step = (effective + 2) / (d + effective + 5)
        for_shape = (4 + effective / d) / (d + 4 + 2 * effective / d)
        one = 2 / ((d + 1.3) ** 2 + effective)
        many = min(1 - one, 2 * (effective - 2 + 1 / effective) / ((d + 2) ** 2 + effective))
        damping = 1 + for_step + 2 * max(0.0, np.sqrt((effective - 1) / (d + 1)) - 1)
        typical = np.sqrt(d) * (1 - 1 / (4 * d) + 1 / (21 * d**2))

        push = np.sqrt(for_step * (2 - for_step) * effective)
        self.step_path = (1 - for_step) * self.step_path + push * whitening @ mean_step
        length = float(np.linalg.norm(self.step_path))
        calm = length < (1.4 + 2 / (d + 1)) * typical
        push = calm * np.sqrt(for_shape * (2 - for_shape) * effective)
        self.shape_path = (1 - for_shape) * self.shape_path + push * mean_step
        self.covariance = (
            (1 - one - many + (not calm) * one * for_shape * (2 - for_shape)) * self.covariance
            + one * np.outer(self.shape_path, self.shape_path)
            + many * (steps.T * weights) @ steps
        )
        moved = mean + self.step * mean_step
        self.step *= float(np.exp(np.clip(for_step / damping * (length / typical - 1), -1, 1)))
        self._widen()
        return np.asarray(np.clip(moved, 0.0, (self.options - 1) / self.unit))

    def _widen(self) -> None:
        """Keep every gene's deviation above the narrowest."""
        floor = (NARROWEST / self.unit / self.step) ** 2
        self.covariance += np.diag(np.maximum(floor - np.diag(self.covariance), 0.0))

    def _axes(self) -> tuple[Values, Values]:
        """Return variances and directions of the distribution's axes, (d,) and (d, d)."""
        values, vectors = np.linalg.eigh(self.covariance)
        return np.maximum(values, 1e-12), vectors


def build() -> CovarianceAdaptation:
    """Build the algorithm."""
    return CovarianceAdaptation()
