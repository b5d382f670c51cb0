"""Which latency model a profile gets: one of the candidates, or a weighted mean of several.

Candidates are judged by the latencies they predict of networks that they were not fitted to. Several often come close
to each other, and the best of them is best by luck in part; a mean of theirs is then better than any (stacking: Wolpert
1992; with weights of at least zero, Breiman 1996).
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from ...supernets import LayerSpec
from .candidates import CandidateFit
from .table import LatencyTable
from .verification import mape_percent

Array = NDArray[np.float64]

TIE = 1.02  # a simpler model wins when its error is within 2 % of a better one's
ADDITIVITY_FAILS = 10.0  # percent; beyond it a regression may replace the sum of measured layers
FOLDS = 30  # groups of networks, each predicted with the weights that the others give
NO_ERROR = 1e-6  # percent
LEAST_WEIGHT = 0.01  # smaller ones are left out
SUM_TO_ONE = 1e3  # how much that matters, in units of the relative error of one network


@dataclass(frozen=True)
class StackedFit:
    """A weighted mean of fitted candidates, (weight, fit) each; one alone is the plainest. Weights add up to one."""

    parts: tuple[tuple[float, CandidateFit], ...]

    @property
    def name(self) -> str:
        """The candidate; of several the one of most weight, and how many there are."""
        weight, largest = max(self.parts, key=lambda part: part[0])
        name = largest.candidate.name
        return name if len(self.parts) == 1 else f"mean of {len(self.parts)} models, {weight:.0%} {name}"

    @property
    def is_composed(self) -> bool:
        """Whether it is built on measured layers."""
        return all(fit.candidate.is_composed for _, fit in self.parts)

    @property
    def spills(self) -> bool:
        """Whether `fixed_us` depends on a network's weights."""
        return any(fit.spills for _, fit in self.parts)

    @property
    def terms(self) -> tuple[str, ...]:
        """The terms of all parts."""
        return tuple(dict.fromkeys(term for _, fit in self.parts for term in fit.candidate.terms))

    @property
    def held_out_us(self) -> Array:
        """Each fitted network's latency by fits without it, (n,)."""
        return sum_of([weight * fit.fit.held_out for weight, fit in self.parts])

    @property
    def leverages(self) -> Array:
        """How far each fitted network lies from the others, (n,)."""
        return sum_of([weight * fit.fit.leverages for weight, fit in self.parts])

    def fixed_us(self, runs: int, weights_kib: Array) -> Array:
        """Return the time of networks (n,) that is no layer's: constant, overhead of `runs`, and weights that spill."""
        return sum_of([weight * fit.fixed_us(runs, weights_kib) for weight, fit in self.parts])

    def added_us(self, layers: Sequence[LayerSpec], table: LatencyTable) -> Array:
        """Return what each layer adds to a network's latency, (L,); not-a-number where the table lacks it."""
        return sum_of([weight * fit.added_us(layers, table) for weight, fit in self.parts])

    def leverage(self, terms: Mapping[str, Array], value_us: Array, runs: int, weights_kib: Array) -> Array:
        """Return how far networks (n,) lie from the fitted ones; of each term the sum over a network's layers."""
        return sum_of([weight * fit.leverage(terms, value_us, runs, weights_kib) for weight, fit in self.parts])


def sum_of(arrays: Sequence[Array]) -> Array:
    """Return the sum of some arrays of one shape."""
    return np.asarray(np.sum(arrays, axis=0), dtype=np.float64)


def chosen_model(found: Sequence[CandidateFit], truth: Array) -> tuple[StackedFit, Array]:
    """Return the model for some networks' latencies (n,), and what it predicts of each network unseen, (n,).

    The predictions are honest: each network's comes from fits, choices and weights that the network had no part in.
    With many candidates the best error of all is a lucky one, by as much as candidates differ by chance.
    """
    pool = those_that_compete(found, truth)
    predictions = np.array([one.fit.held_out for one in pool])
    weights = chosen_weights(predictions, truth)
    model = StackedFit(tuple((float(weights[k]), pool[k]) for k in np.flatnonzero(weights)))
    group = np.arange(len(truth)) % FOLDS
    held_out = np.empty(len(truth))
    for number in range(min(FOLDS, len(truth))):
        out = group == number
        held_out[out] = chosen_weights(predictions[:, ~out], truth[~out]) @ predictions[:, out]
    return model, held_out


def those_that_compete(found: Sequence[CandidateFit], truth: Array) -> list[CandidateFit]:
    """Return the candidates that sum measured layers; all of them where additivity fails."""
    composed = [one for one in found if one.candidate.is_composed]
    errors = [mape_percent(one.fit.held_out, truth) for one in composed]
    return composed if errors and min(errors) <= ADDITIVITY_FAILS else list(found)


def chosen_weights(predictions: Array, truth: Array) -> Array:
    """Return the weights (k,) of models by what they predict of networks unseen, (k, n): one alone, or a stack.

    The simplest of those that are about as good as the best is taken alone where the stack is not better than that.
    """
    errors = [mape_percent(one, truth) for one in predictions]
    weights = stacking_weights(predictions, truth)
    weights = np.where(weights < LEAST_WEIGHT, 0.0, weights)
    weights /= weights.sum()
    stacked = mape_percent(weights @ predictions, truth)
    if min(errors) <= TIE * stacked + NO_ERROR:
        weights = np.eye(len(predictions))[simplest_of_the_best(errors)]
    return weights


def simplest_of_the_best(errors: Sequence[float]) -> int:
    """Return the place of the first model whose error, in percent, is about the least."""
    return next(place for place, error in enumerate(errors) if error <= TIE * min(errors) + NO_ERROR)


def stacking_weights(predictions: Array, truth: Array) -> Array:
    """Return weights (k,) of at least zero that add up to one, for the least squared relative error of their mean.

    predictions: of k models for n networks, (k, n), each network's from a fit without it. The method is the active set
    of Lawson and Hanson (1974, chapter 23).
    """
    columns = np.vstack([(predictions / truth).T, np.full((1, len(predictions)), SUM_TO_ONE)])
    wanted = np.append(np.ones(len(truth)), SUM_TO_ONE)
    weights = np.zeros(len(predictions))
    active = np.zeros(len(predictions), dtype=bool)
    for _ in range(3 * len(predictions)):
        slope = columns.T @ (wanted - columns @ weights)
        slope[active] = -np.inf
        entering = int(np.argmax(slope))
        if slope[entering] <= 1e-9 * SUM_TO_ONE:
            break
        active[entering] = True
        while True:
            trial = np.zeros(len(predictions))
            trial[active] = np.linalg.lstsq(columns[:, active], wanted, rcond=None)[0]
            if trial[active].min() > 0:
                break
            falling = active & (trial <= 0)
            step = float(np.min(weights[falling] / (weights[falling] - trial[falling] + 1e-300)))
            weights = weights + step * (trial - weights)
            active &= weights > 1e-12
            weights[~active] = 0.0
        weights = trial
    return np.asarray(weights / weights.sum())
