"""Which latency model is chosen, and how far off the chosen one is on networks that had no part in the choice.

A stated error has to count everything that was done with the measured networks. So each network is predicted by the
model that the others would have chosen, and to choose, they are predicted without it too (nested cross-validation).
The errors of few networks depend on each other besides: all come from one choice and one fit, which use up a part of
what the networks say. The largest of ten such errors is smaller than the largest of ten independent ones, so an
interval read from them is too narrow. `widening` says by how much.
"""

from __future__ import annotations

import math
from collections.abc import Iterable
from dataclasses import dataclass
from functools import cached_property
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from .candidates import PLAIN, CandidateFit, Design
from .shrinkage import errors_without, held_out_errors
from .verification import conformal_rank

Array = NDArray[np.float64]

TIE = 1.02  # a simpler model wins when its error is within 2 % of the best one's
ADDITIVITY_FAILS = 0.1  # relative error beyond which a regression may replace the sum of measured layers
FEW = 50  # networks; from here on the widening is within 1 % of one (benchmarks/few_networks.py) and not worked out
SIMULATIONS = 200
LEAST = 1e-3  # share of the truth below which no prediction is taken


class Competitor(NamedTuple):
    """A linear fit to n networks, among which a choice is made; latencies are relative to those it was fitted to.

    residual: (n, n), takes what it has to explain to what it leaves. expected: (n,), what it says without a fit.
    leverages: (n,). is_composed: whether it builds on measured layers.
    """

    residual: Array
    expected: Array
    leverages: Array
    is_composed: bool


@dataclass(frozen=True)
class Choice:
    """Which of c candidates is chosen for each of b sets of latencies of n networks, and its errors.

    errors: (c, b, n), relative errors of networks left out of the fit. of_others: (c, b, n), mean errors of the other
    networks where a network is left out of their fits too. leverages: (c, n). composed: (c,), whether candidates build
    on measured layers.
    """

    errors: Array
    of_others: Array
    leverages: Array
    composed: NDArray[np.bool_]

    @staticmethod
    def among(found: Iterable[CandidateFit], truth: Array, relative: Array) -> Choice:
        """Let candidates that were fitted to latencies (n,) compete for others, `relative` (b, n) to those."""
        return Choice.of(
            (
                Competitor(one.fit.residual, expected_by(one, truth), one.fit.leverages, one.candidate.is_composed)
                for one in found
            ),
            relative,
        )

    @staticmethod
    def of(found: Iterable[Competitor], relative: Array) -> Choice:
        """Let fits compete for latencies, `relative` (b, n) to those they were fitted to."""
        errors, of_others, leverages, composed = [], [], [], []
        for one in found:
            deviations = relative - one.expected
            errors.append(held_out_errors(one.residual, deviations) / relative)
            of_others.append(mean_of_others(errors_without(one.residual, deviations)))
            leverages.append(one.leverages)
            composed.append(one.is_composed)
        return Choice(np.array(errors), np.array(of_others), np.array(leverages), np.array(composed))

    @cached_property
    def best(self) -> NDArray[np.int64]:
        """The candidate chosen by all networks, (b,)."""
        return simplest_of_the_best(np.abs(self.errors).mean(axis=2), self.composed)

    @cached_property
    def of_the_others(self) -> NDArray[np.int64]:
        """The candidate that the other networks choose, (b, n)."""
        return simplest_of_the_best(self.of_others, self.composed)

    @cached_property
    def honest_errors(self) -> Array:
        """The relative error of each network by a model that it had no part in, neither in fit nor choice, (b, n)."""
        return np.asarray(np.take_along_axis(self.errors, self.of_the_others[None], axis=0)[0])

    @cached_property
    def scores(self) -> Array:
        """The log ratio of truth and honest prediction, scaled down by the leverage that it was made at, (b, n)."""
        leverage = self.leverages[self.of_the_others, np.arange(self.leverages.shape[1])]
        log_ratios = np.abs(np.log(np.maximum(1 - self.honest_errors, LEAST)))
        return np.asarray(log_ratios * np.sqrt(np.maximum(1 - leverage, 0)))


def expected_by(one: CandidateFit, truth: Array) -> Array:
    """Return what a candidate says without being fitted, relative to the latencies it was fitted to, (n,)."""
    return one.fit.held_out / truth if one.candidate == PLAIN else np.zeros(len(truth))


def mean_of_others(without: Array) -> Array:
    """Return the mean absolute error of all networks but one, (b, n), of errors (b, n, n) whose diagonals are zero."""
    return np.asarray(np.abs(without).sum(axis=2) / max(without.shape[1] - 1, 1))


def those_that_compete(errors: Array, composed: NDArray[np.bool_]) -> NDArray[np.bool_]:
    """Tell which candidates compete, by mean errors (c, ...): sums of measured layers; all where additivity fails."""
    alike = composed.reshape(-1, *[1] * (errors.ndim - 1))
    additive = np.where(alike, errors, np.inf).min(axis=0) <= ADDITIVITY_FAILS
    return np.asarray(alike | ~additive)


def simplest_of_the_best(errors: Array, composed: NDArray[np.bool_]) -> NDArray[np.int64]:
    """Return, for errors (c, ...), the first candidate that is about as good as the best, (...).

    It sums measured layers, unless additivity fails.
    """
    pool = np.where(those_that_compete(errors, composed), errors, np.inf)
    return np.asarray(np.argmax(pool <= TIE * pool.min(axis=0) + 1e-8, axis=0))


def widening(design: Design, found: Iterable[CandidateFit], best: CandidateFit, truth: Array, coverage: float) -> float:
    """Return the factor, at least one, by which an interval from the scores of few networks must be wider.

    `found` are the candidates, fitted to the latencies `truth` (n,), and `best` is the one chosen. Latencies are drawn
    as the chosen model describes them, with normal noise of the size that it left, and all candidates compete for each
    draw. A score of one draw is taken for that of a new network, and the factor is such that the conformal quantile of
    another draw, times it, covers this at `coverage` in the mean.
    """
    rng, n = np.random.default_rng(0), len(truth)
    mean, root, noise = design.description(best, truth)
    relative = np.maximum(mean + noise * rng.standard_normal((SIMULATIONS, n)) @ root.T, LEAST)
    scores = Choice.among(found, truth, relative).scores
    new, rank = np.sort(scores.ravel()), conformal_rank(n, coverage)
    quantiles = np.sort(scores, axis=1)[:, rank - 1]
    narrow, wide = 1.0, 1.0
    while covered(new, wide * quantiles) < coverage:
        narrow, wide = wide, 2 * wide
    while wide / narrow > 1.001:
        middle = math.sqrt(narrow * wide)
        narrow, wide = (middle, wide) if covered(new, middle * quantiles) < coverage else (narrow, middle)
    return wide


def covered(scores: Array, limits: Array) -> float:
    """Return the mean share of sorted scores that limits reach."""
    return float(np.mean(np.searchsorted(scores, limits, side="right")) / len(scores))
