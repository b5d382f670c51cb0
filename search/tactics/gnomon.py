"""Measure what promises most hypervolume, a few at a time; look first at many on a share of the images.

A search knows least at its beginning, when a full validation says little more than a glimpse. So it starts, but for
one validation, with glimpses of architectures whose genes differ most informatively, and goes on with some beside full
validations until enough is known. Each round conditions a Gaussian process on all evidence (cheap objectives are
exact), breeds candidates on its mean, and takes, one after the other, those whose measurement is expected to gain most
hypervolume, each time as if the ones before had turned out as predicted (kriging believer: Ginsbourger et al. 2010).
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from ...lut.sampling import networks_for
from ...supernets.space import Indices
from ..acquisition import expected_gain
from ..archive import Archive
from ..breeding import bred
from ..config import SearchConfig
from ..design import informative
from ..errors import SpaceExhausted
from ..objective import Values, corner_of
from ..posterior import Posterior
from ..stopping import TOLERANCE
from ..surrogate import Floats
from ..tactic import Batch

POPULATION = 4
FIRST = 10  # architectures spread over the space where no glimpses can be had
FIRST_GLIMPSES = 6.0  # full validations' worth of glimpses before anything is validated
GLIMPSES_A_ROUND = 0.5  # full validations' worth, until so much was spent in all:
GLIMPSES_UNTIL = 25.0
EXPLORATION = 0.5  # of a predicted standard deviation: below 1 because candidates are many and the best looks too good


@dataclass(frozen=True)
class ExpectedGain:
    """Keeps nothing between rounds but its settings."""

    config: SearchConfig
    share: float
    first_glimpses: float
    glimpses_a_round: float
    exploration: float

    def ask(self, archive: Archive, n: int, rng: np.random.Generator, round: int) -> Batch:
        """Return what together promises most, glimpses last; their shares add up to at most `n`."""
        spent = len(archive.indices) + float(archive.glimpses.shares.sum())
        glimpses = archive.divisible and self.share < 1.0
        if glimpses and spent + self.share <= self.first_glimpses + TOLERANCE:
            return self.first(archive, n, rng, glimpsing=min(n, self.first_glimpses - spent))
        if not glimpses and spent < FIRST:
            return self.first(archive, n, rng, glimpsing=0.0)
        posterior = Posterior.of(archive)
        rows = archive.unseen(bred(archive, posterior, rng))
        fresh = archive.unglimpsed(rows)
        looks = int(min(self.glimpses_a_round, n - 1) / self.share) if glimpses and spent < GLIMPSES_UNTIL else 0
        if int(fresh.sum()) < looks + n:  # so few are left that looking at them does not pay
            looks = 0
        whole = n - whole_cost(looks, self.share)
        corner = corner_of(archive.objectives, archive.space, self.config)
        choice = Choosing.among(rows, archive, posterior, corner, self.exploration)
        chosen = archive.topped_up(rows[choice.best(whole, share=1.0)], whole, rng)
        choice.taken |= ~fresh
        rows = np.concatenate([chosen, rows[choice.best(looks, share=self.share)]])
        mean, deviation = posterior.expected(rows)
        return self.batch(archive, rows, whole, mean=mean, deviation=deviation)

    def first(self, archive: Archive, n: int, rng: np.random.Generator, *, glimpsing: float) -> Batch:
        """Return spread-out architectures to validate, and glimpses worth so much of `n`.

        One is validated before any glimpse, so that a run of any budget has a front. Where glimpses would leave
        nothing else of the space, all are validated.
        """
        spread = spread_out(archive, self.config.seed)
        if len(archive.indices) == 0:
            glimpsing = min(glimpsing, n - 1.0)
        looked = informative(archive, int(glimpsing / self.share + TOLERANCE), self.share, rng)
        whole = n - whole_cost(len(looked), self.share)
        try:
            chosen = archive.without(looked).topped_up(spread, max(whole, 1), rng)[:whole]
        except SpaceExhausted:
            looked, whole = looked[:0], n
            chosen = archive.topped_up(spread, n, rng)
        return self.batch(archive, np.concatenate([chosen, looked]), whole)

    def batch(self, archive: Archive, rows: Indices, whole: int, **expected: Values) -> Batch:
        """Return rows of which the first `whole` are measured in full, the others on a share of the images."""
        shares = np.where(np.arange(len(rows)) < whole, 1.0, self.share)
        return Batch.of(rows, len(archive.objectives), shares=shares, **expected)


@dataclass
class Choosing:
    """Chooses among candidate rows one by one; believes of each what is predicted, and is surer of the others then."""

    posterior: Posterior
    archive: Archive
    mean: Values
    covariances: dict[int, Floats]
    front: Values
    corner: tuple[float, ...]
    exploration: float
    barred: NDArray[np.bool_]
    taken: NDArray[np.bool_]

    @staticmethod
    def among(
        rows: Indices, archive: Archive, posterior: Posterior, corner: tuple[float, ...], exploration: float
    ) -> Choosing:
        """Start with nothing chosen; what is predicted to break constraints is barred, and chosen last.

        What is better than the region's better side counts, measured or predicted, as that side.
        """
        mean, covariances = posterior.joint(rows)
        feasible = archive.region.clipped(archive.values[archive.violation(archive.values, archive.indices) == 0])
        barred = archive.violation(mean, rows) > 0
        mean = archive.region.clipped(mean)
        taken = np.zeros(len(rows), dtype=np.bool_)
        return Choosing(posterior, archive, mean, covariances, feasible, corner, exploration, barred, taken)

    def best(self, n: int, *, share: float) -> list[int]:
        """Return up to `n` positions, not taken before, to measure on a share of the images, the most promising first.

        A glimpse enters no front; it is chosen where a full measurement would gain most, and tells of its neighbours.
        """
        chosen: list[int] = []
        for _ in range(min(n, int((~self.taken).sum()))):
            deviation = np.zeros_like(self.mean)
            for column, covariance in self.covariances.items():
                deviation[:, column] = self.exploration * np.sqrt(np.maximum(np.diag(covariance), 0.0))
            gain = expected_gain(self.mean, deviation, self.front, self.archive.directions, self.corner)
            gain[self.barred] = -1.0
            gain[self.taken] = -np.inf
            position = int(np.argmax(gain))
            chosen.append(position)
            self.taken[position] = True
            if share == 1.0:
                self.front = np.concatenate([self.front, self.mean[position][None]])
            for column, covariance in self.covariances.items():
                noise = self.posterior.processes[column].noise(share)
                shared = covariance[:, position]
                self.covariances[column] = covariance - np.outer(shared, shared) / (shared[position] + noise)
        return chosen


def whole_cost(glimpses: int, share: float) -> int:
    """Return how many full validations so many glimpses take the place of."""
    return int(np.ceil(glimpses * share - TOLERANCE))


def spread_out(archive: Archive, seed: int) -> Indices:
    """Return architectures spread over the space, the ends first, the others in an order of the seed, (n, d)."""
    rows = networks_for(archive.space, FIRST, np.random.default_rng(seed))
    order = [0, len(rows) - 1, *np.random.default_rng(seed).permutation(np.arange(1, len(rows) - 1))]
    return rows[order]


def build(config: SearchConfig) -> ExpectedGain:
    """Build the tactic with the configuration's seed, reference point, region and share of the images for glimpses."""
    return ExpectedGain(config, config.glimpse_share, FIRST_GLIMPSES, GLIMPSES_A_ROUND, EXPLORATION)
