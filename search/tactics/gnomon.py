"""Measure what promises most hypervolume, a few at a time; look first at many on a share of the images.

A search knows least at its beginning, when a full validation says little more than a glimpse. So it starts with
glimpses of architectures whose genes differ most informatively, and goes on with some beside full validations until
enough is known. Each round conditions a Gaussian process on all evidence (cheap objectives are exact), breeds
candidates on its mean, and takes, one after the other, those whose measurement is expected to gain most hypervolume,
each time as if the ones before had turned out as predicted (kriging believer: Ginsbourger et al. 2010).
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np

from ...lut.sampling import networks_for
from ...supernets.space import Indices
from ..acquisition import expected_gain
from ..archive import Archive
from ..breeding import bred
from ..config import SearchConfig
from ..design import informative
from ..objective import Values, reference_point
from ..posterior import Posterior
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

    seed: int
    reference: Mapping[str, float]
    share: float
    first_glimpses: float = FIRST_GLIMPSES
    glimpses_a_round: float = GLIMPSES_A_ROUND
    exploration: float = EXPLORATION

    def ask(self, archive: Archive, n: int, rng: np.random.Generator, round: int) -> Batch:
        """Return what together promises most, glimpses first; their shares add up to at most `n`."""
        spent = len(archive.indices) + float(archive.glimpses.shares.sum())
        glimpses = archive.divisible and self.share < 1.0
        if spent < (self.first_glimpses if glimpses else FIRST):
            return self.first(archive, n, rng, glimpsing=min(n, self.first_glimpses - spent) if glimpses else 0.0)
        posterior = Posterior.of(archive)
        rows = archive.unseen(bred(archive, posterior, rng))
        looks = int(min(self.glimpses_a_round, n - 1) / self.share) if glimpses and spent < GLIMPSES_UNTIL else 0
        whole = n - int(np.ceil(looks * self.share - 1e-9))
        corner = reference_point(archive.objectives, archive.space, self.reference)
        choice = Choosing.among(rows, archive, posterior, corner, self.exploration)
        chosen = archive.topped_up(rows[choice.best(whole, share=1.0)], whole, rng)
        looked = rows[choice.best(looks, share=self.share)]
        rows = np.concatenate([looked, chosen])
        mean, deviation = posterior.expected(rows)
        shares = np.concatenate([np.full(len(looked), self.share), np.ones(len(chosen))])
        return Batch.of(rows, len(archive.objectives), shares=shares, mean=mean, deviation=deviation)

    def first(self, archive: Archive, n: int, rng: np.random.Generator, *, glimpsing: float) -> Batch:
        """Return glimpses worth so much, and spread-out architectures to validate for what is left of `n`."""
        looked = informative(archive, int(glimpsing / self.share + 1e-9), self.share, rng)
        whole = n - int(np.ceil(len(looked) * self.share - 1e-9))
        spread = archive.topped_up(spread_out(archive, self.seed), whole, rng)
        shares = np.concatenate([np.full(len(looked), self.share), np.ones(len(spread))])
        return Batch.of(np.concatenate([looked, spread]), len(archive.objectives), shares=shares)


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
    barred: Values

    @staticmethod
    def among(
        rows: Indices, archive: Archive, posterior: Posterior, corner: tuple[float, ...], exploration: float
    ) -> Choosing:
        """Start with nothing chosen; what is predicted to break constraints is barred."""
        mean, covariances = posterior.joint(rows)
        feasible = archive.values[archive.violation(archive.values) == 0]
        barred = archive.violation(mean) > 0
        return Choosing(posterior, archive, mean, covariances, feasible, corner, exploration, barred)

    def best(self, n: int, *, share: float) -> list[int]:
        """Return up to `n` positions to measure on a share of the images, the most promising first.

        A glimpse enters no front; it is chosen where a full measurement would gain most, and tells of its neighbours.
        """
        chosen: list[int] = []
        for _ in range(min(n, len(self.mean))):
            deviation = np.zeros_like(self.mean)
            for column, covariance in self.covariances.items():
                deviation[:, column] = self.exploration * np.sqrt(np.maximum(np.diag(covariance), 0.0))
            gain = expected_gain(self.mean, deviation, self.front, self.archive.directions, self.corner)
            gain[self.barred] = -1.0
            gain[chosen] = -np.inf
            position = int(np.argmax(gain))
            chosen.append(position)
            if share == 1.0:
                self.front = np.concatenate([self.front, self.mean[position][None]])
            for column, covariance in self.covariances.items():
                noise = self.posterior.processes[column].noise(share)
                shared = covariance[:, position]
                self.covariances[column] = covariance - np.outer(shared, shared) / (shared[position] + noise)
        self.barred = self.barred.copy()
        self.barred[chosen] = True
        return chosen


def spread_out(archive: Archive, seed: int) -> Indices:
    """Return architectures spread over the space, the ends first, the others in an order of the seed, (n, d)."""
    rows = networks_for(archive.space, FIRST, np.random.default_rng(seed))
    order = [0, len(rows) - 1, *np.random.default_rng(seed).permutation(np.arange(1, len(rows) - 1))]
    return rows[order]


def build(config: SearchConfig) -> ExpectedGain:
    """Build the tactic with the configuration's seed, reference point and share of the images for glimpses."""
    return ExpectedGain(config.seed, config.reference, config.glimpse_share)
