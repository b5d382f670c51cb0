"""How alike the values of two architectures are believed to be, before anything is measured.

Effects of options add up, and a little interacts: a linear kernel on masked one-hot genes for each family of genes
(all kernel sizes, all expansions, all depths), since effects within a family are of one size and those of two families
are not; a linear one on the positions between first and last option of those genes whose options have an order; and
exp(-Hamming distance / length). How much each counts is a setting, with a prior: few measurements cannot tell settings
apart, and likelihood alone then takes the most extreme.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from functools import cached_property

import numpy as np
from numpy.typing import NDArray

from ...supernets.space.space import SearchSpace
from .surrogate import Floats

FAMILY = re.compile(r"[^\d.]*")  # of a gene's name: kernel of kernel.3.1
MOST_FAMILIES = 6
CONSTANT = 1.0
PART_SCALE = 1.0  # half of the prior of a part's weight is below
NOISE_SPREAD, LENGTH_SPREAD = 2.0, 1.0  # prior deviations of logs


@dataclass(frozen=True)
class Encoding:
    """Linear views of one-hot features: matrices (k, q), one a family of genes, one for ordered genes' positions."""

    views: tuple[Floats, ...]

    @staticmethod
    def of(space: SearchSpace) -> Encoding:
        """Read the families off the names of the space's choices."""
        families = [str(FAMILY.match(choice.name)[0]) for choice in space.choices]  # type: ignore[index]
        radices = [len(choice.options) for choice in space.choices]
        named = np.repeat(families, radices)
        distinct_families = sorted(set(families))
        if len(distinct_families) > MOST_FAMILIES:
            named, distinct_families = np.full(len(named), ""), [""]
        identity = np.eye(len(named))
        positions = np.zeros((len(named), len(radices)))
        first = 0
        for gene, radix in enumerate(radices):
            positions[first : first + radix, gene] = np.linspace(0.0, 1.0, radix)
            first += radix
        ordered = positions[:, [choice.is_ordered for choice in space.choices]]
        views = [identity[:, named == family] for family in distinct_families]
        return Encoding((*views, ordered) if ordered.size else tuple(views))

    @staticmethod
    def plain(features: int) -> Encoding:
        """Take all `features` as one family, their order unknown."""
        return Encoding((np.eye(features),))

    def seen(self, features: Floats) -> list[Floats]:
        """Return the views of (n, k) features, (n, q) each: where a view only picks features, these."""
        return [
            features @ view if picked is None else features[:, picked] for view, picked in zip(self.views, self._picked)
        ]

    @cached_property
    def _picked(self) -> list[NDArray[np.intp] | None]:
        """The feature that each column of a view is, (q,), None for a view whose columns are more than one feature."""
        alone = [bool(((view != 0).sum(axis=0) == 1).all() and (view.max(axis=0) == 1.0).all()) for view in self.views]
        return [view.argmax(axis=0) if picks else None for view, picks in zip(self.views, alone)]


@dataclass(frozen=True)
class Settings:
    """How much each view counts, `local` the Hamming part over `length`, and noise: relative to the kernel's scale.

    `noise` is the variance of a full measurement, `partial_noise` what one image's worth adds: a measurement on a share
    s of the data has `noise` + `partial_noise` (1 / s - 1).
    """

    weights: tuple[float, ...]
    local: float = 0.3
    length: float = 0.4
    noise: float = 1e-3
    partial_noise: float = 1e-2
    power: float = 1.0

    def variances(self, shares: Floats) -> Floats:
        """Return the noise of measurements on these shares, (n,)."""
        return self.noise + self.partial_noise * (1.0 / shares - 1.0)


@dataclass(frozen=True)
class Components:
    """The parts of a covariance before they are weighted: one linear matrix a view, and Hamming distances."""

    linear: tuple[Floats, ...]
    distances: Floats

    def covariance(self, settings: Settings) -> Floats:
        """Add the parts up, (n, n')."""
        total = np.exp(self.distances * (-1.0 / settings.length))
        total *= settings.local
        total += CONSTANT
        for weight, matrix in zip(settings.weights, self.linear):
            total += weight * matrix
        return np.asarray(total)


@dataclass(frozen=True)
class Basis:
    """The views' centres and powers in the data that a process was fitted on, and the largest architecture's genes."""

    encoding: Encoding
    centres: tuple[Floats, ...]
    powers: tuple[float, ...]
    genes: float

    @staticmethod
    def of(encoding: Encoding, features: Floats) -> Basis:
        """Take them from (n, k) features."""
        seen = encoding.seen(features)
        centres = tuple(view.mean(axis=0) for view in seen)
        powers = tuple(
            max(float(((view - centre) ** 2).sum(axis=1).mean()), 1e-12) for view, centre in zip(seen, centres)
        )
        return Basis(encoding, centres, powers, max(float(features.sum(axis=1).max()), 1.0))

    def seen(self, features: Floats) -> list[Floats]:
        """Return centred views, scaled to power one, (n, q) each."""
        return [
            (view - centre) / np.sqrt(power)
            for view, centre, power in zip(self.encoding.seen(features), self.centres, self.powers)
        ]

    def components(self, left: Floats, right: Floats) -> Components:
        """Return the parts of the covariance between (n, k) and (n', k) features."""
        linear = tuple(a @ b.T for a, b in zip(self.seen(left), self.seen(right)))
        return Components(linear, self.distances(left, right))

    def covariance(self, left: Floats, right: Floats, settings: Settings) -> Floats:
        """Return the covariance between (n, k) and (n', k) features, (n, n'): its parts added up in one product."""
        total = self.near(left, right, settings)
        total += self.weighted(left, settings) @ self.weighted(right, settings).T
        return total

    def near(self, left: Floats, right: Floats, settings: Settings) -> Floats:
        """Return the part of the covariance that is not linear, (n, n').

        Genes that differ are few whole numbers: what they make of it is looked up.
        """
        differing = self.differing(left, right).astype(np.intp)
        near = np.arange(int(differing.max(initial=0)) + 1) / (2 * self.genes)
        near = np.exp(near * (-1.0 / settings.length)) * settings.local + CONSTANT
        return np.asarray(near.take(differing, mode="clip"))

    def weighted(self, features: Floats, settings: Settings) -> Floats:
        """Return the views side by side, each by the root of its weight, (n, q)."""
        return np.concatenate([np.sqrt(w) * view for w, view in zip(settings.weights, self.seen(features))], axis=1)

    def distances(self, left: Floats, right: Floats) -> Floats:
        """Return the share of the genes in which (n, k) and (n', k) features differ, (n, n')."""
        return np.asarray(self.differing(left, right).astype(np.float64) / (2 * self.genes))

    def differing(self, left: Floats, right: Floats) -> NDArray[np.float32]:
        """Return in how many of the (n, k) and (n', k) features, zeros and ones, two rows differ, (n, n')."""
        total = (-2.0 * left).astype(np.float32) @ right.astype(np.float32).T  # whole numbers: exact
        total += left.sum(axis=1, dtype=np.float32)[:, None]
        total += right.sum(axis=1, dtype=np.float32)[None, :]
        return np.asarray(total)

    def variances(self, features: Floats, settings: Settings) -> Floats:
        """Return each row's own covariance, (n,)."""
        own = sum(w * (view**2).sum(axis=1) for w, view in zip(settings.weights, self.seen(features)))
        return np.asarray(own + settings.local + CONSTANT, dtype=np.float64)


def default_settings(views: int) -> Settings:
    """Return where a search for settings starts."""
    return Settings((0.3,) * views)


def doubt(settings: Settings) -> float:
    """Return the negative log of the settings' prior density, up to a constant.

    How much a part counts is half-Cauchy, which leaves large parts possible; noises and the length, of which only the
    order of magnitude is known, are log-normal about where a search starts.
    """
    usual = default_settings(len(settings.weights))
    parts = np.array([*settings.weights, settings.local])
    scales = (
        (settings.noise, usual.noise, NOISE_SPREAD),
        (settings.partial_noise, usual.partial_noise, NOISE_SPREAD),
        (settings.length, usual.length, LENGTH_SPREAD),
    )
    far = sum((np.log(value / centre) / spread) ** 2 for value, centre, spread in scales)
    return float(np.log1p((parts / PART_SCALE) ** 2).sum() + 0.5 * far)


def common_errors(shares: Floats) -> Floats:
    """Return the covariances (n, n) of what measurements on shares (n,) err by together, where on half it is 1.

    The data of a share are the same for all architectures, and a larger share contains a smaller. So the mean of what
    two shares have in common, less that of all data, has the variance of the larger one; full measurements have none.
    """
    return np.asarray(1.0 / np.maximum(shares[:, None], shares[None, :]) - 1.0)
