"""Measure what promises most hypervolume, a few at a time; look first at many on a share of the images.

A search knows least at its beginning, when a full validation says little more than a partial evaluation. So it opens
with partial evaluations of architectures whose genes differ most informatively, where these pay, and goes on with some
beside full validations until enough is known. Each round conditions a Gaussian process on all evidence (cheap
objectives are exact), breeds candidates on its mean, and takes, one after the other, those whose measurement is
expected to gain most hypervolume, each time as if the ones before, and those that other workers still measure, had
turned out as predicted (kriging believer: Ginsbourger et al. 2010).
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from ..acquisition.batch_choice import Choosing
from ..acquisition.candidates import bred
from ..acquisition.fidelity import counting_share, partial_evaluations_pay
from ..acquisition.opening import batch, opening, whole_cost
from ..archive import Archive
from ..config import SearchConfig
from ..prediction.posterior import Posterior
from ..tactic import Batch

SETTINGS: tuple[str, ...] = ()  # of SearchConfig, that other tactics need not have

POPULATION = 4
PARTIAL_POPULATION = 2  # of evaluations that count on a share: so cheap that each can learn from those before
PARTIAL_A_ROUND = 0.5  # full validations' worth, where partial evaluations pay, until so much was spent in all:
PARTIAL_UNTIL = 25.0


@dataclass(frozen=True)
class ExpectedGain:
    """Keeps nothing between rounds but its settings."""

    config: SearchConfig

    def ask(self, archive: Archive, n: int, rng: np.random.Generator, round: int) -> Batch:
        """Return what together promises most, partial evaluations last; their shares add up to at most `n`."""
        share = self.config.partial_share
        first = opening(archive, n, share, self.config.seed, rng, budget=self.config.budget)
        if first is not None:
            return first
        if not len(archive.indices) and archive.awaited:
            return Batch.waiting(archive)
        if not len(archive.indices):  # all that was tried failed: there is nothing to learn from yet
            return batch(archive, archive.topped_up(archive.indices, n, rng), n, share)
        posterior = Posterior.of(archive)
        rows = archive.unseen(bred(archive, posterior, rng))
        counts = counting_share(archive, share, self.config.budget)
        few = min(n, PARTIAL_POPULATION)
        if counts < 1.0 and len(exact := rows[archive.not_partially_evaluated(rows, counts)]) >= few:
            chosen = exact[Choosing.among(exact, archive, posterior, counts=counts).best(few, share=counts)]
            mean, deviation = posterior.expected(chosen)
            return batch(archive, chosen, 0, counts, mean=mean, deviation=deviation)
        fresh = archive.not_partially_evaluated(rows)
        looks = partial_evaluations_of(archive, n, share)
        if int(fresh.sum()) < looks + n:  # so few are left that looking at them does not pay
            looks = 0
        whole = n - whole_cost(looks, share)
        choice = Choosing.among(rows, archive, posterior)
        chosen = archive.topped_up(rows[choice.best(whole, share=1.0)], whole, rng)
        choice.taken |= ~fresh
        rows = np.concatenate([chosen, rows[choice.best(looks, share=share)]])
        mean, deviation = posterior.expected(rows)
        return batch(archive, rows, whole, share, mean=mean, deviation=deviation)


def partial_evaluations_of(archive: Archive, n: int, share: float) -> int:
    """Return how many partial evaluations a round of cost `n` makes beside its full validations."""
    spent = archive.validated + archive.partial_cost
    if share == 1.0 or spent >= PARTIAL_UNTIL or not partial_evaluations_pay(archive, share):
        return 0
    return int(min(PARTIAL_A_ROUND, n - 1) / share)


def build(config: SearchConfig) -> ExpectedGain:
    """Build the tactic with the configuration's seed, budget and share of the examples."""
    return ExpectedGain(config)
