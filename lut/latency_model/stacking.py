"""A weighted mean of latency models (stacking: Wolpert 1992; with weights of at least zero, Breiman 1996).

Candidates are judged by the latencies they predict of networks that they were not fitted to. Several often come close
to each other, and the best of them is best by luck in part; a mean of theirs is then better than any.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from ...supernets import LayerSpec
from .candidates import CandidateFit
from .choice import LEAST, TIE, expected_by, simplest_of_the_best, those_that_compete
from .shrinkage import errors_without, held_out_errors
from .table import LatencyTable

Array = NDArray[np.float64]

NO_ERROR = 1e-8  # relative
LEAST_WEIGHT = 0.01  # smaller ones are left out
MANY, GROUPS = 200, 50  # networks beyond so many are left out by the group, of choice and weights only
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
        """Whether all of it is built on measured layers."""
        return all(fit.candidate.is_composed for _, fit in self.parts)

    @property
    def takes_layers(self) -> bool:
        """Whether any part is built on measured layers, so that a network takes the latency of each of its layers."""
        return any(fit.candidate.is_composed for _, fit in self.parts)

    @property
    def spills(self) -> bool:
        """Whether `fixed_us` depends on a network's weights."""
        return any(fit.spills for _, fit in self.parts)

    @property
    def terms(self) -> tuple[str, ...]:
        """The terms of all parts."""
        return tuple(dict.fromkeys(term for _, fit in self.parts for term in fit.candidate.terms))

    def fixed_us(self, runs: int, weights_kib: Array) -> Array:
        """Return the time of networks (n,) that is no layer's: constant, overhead of `runs`, and weights that spill."""
        return sum_of([weight * fit.fixed_us(runs, weights_kib) for weight, fit in self.parts])

    def added_us(self, layers: Sequence[LayerSpec], table: LatencyTable) -> Array:
        """Return what each layer adds to a network's latency, (L,); not-a-number where the table lacks it."""
        return sum_of([weight * fit.added_us(layers, table) for weight, fit in self.parts])

    def leverage(self, terms: Mapping[str, Array], value_us: Array, runs: int, weights_kib: Array) -> Array:
        """Return how far networks (n,) lie from the fitted ones; of each term the sum over a network's layers."""
        return sum_of([weight * fit.leverage(terms, value_us, runs, weights_kib) for weight, fit in self.parts])


@dataclass(frozen=True)
class Stacking:
    """The model that n measured networks get, and how far off it is on networks that had no part in it.

    best: the candidate that would stand alone. mean_errors: of each candidate, relative, on networks that it was not
    fitted to. honest_errors: (n,), relative, each by fits, choice and weights without the network; where there are
    many, weights are chosen by fits with it, which hardly differ. scores: (n,), the log ratios of truth and those
    predictions, scaled down by the leverage that they were made at.
    """

    form: StackedFit
    best: CandidateFit
    mean_errors: Array
    honest_errors: Array
    scores: Array

    @staticmethod
    def of(found: Sequence[CandidateFit], truth: Array) -> Stacking:
        """Weigh candidates that were fitted to latencies (n,)."""
        deviations = [1 - expected_by(one, truth)[None] for one in found]
        errors = np.array([held_out_errors(f.fit.residual, d)[0] for f, d in zip(found, deviations)])
        composed = np.array([one.candidate.is_composed for one in found])
        weights = chosen_weights(errors, composed)
        if len(truth) <= MANY:
            without = np.array([errors_without(f.fit.residual, d)[0] for f, d in zip(found, deviations)])
            of_others = weights_of_the_others(without, composed)
        else:
            group = np.arange(len(truth)) % GROUPS
            of_others = np.array([chosen_weights(errors[:, group != one], composed) for one in range(GROUPS)])[group]
        honest = np.einsum("nc,cn->n", of_others, errors)
        leverages = np.einsum("nc,cn->n", of_others, np.array([one.fit.leverages for one in found]))
        log_ratios = np.abs(np.log(np.maximum(1 - honest, LEAST)))
        form = StackedFit(tuple((float(weight), one) for weight, one in zip(weights, found) if weight))
        mean_errors = np.abs(errors).mean(axis=1)
        best = found[int(simplest_of_the_best(mean_errors, composed))]
        return Stacking(form, best, mean_errors, honest, log_ratios * np.sqrt(np.maximum(1 - leverages, 0)))


def sum_of(arrays: Sequence[Array]) -> Array:
    """Return the sum of some arrays of one shape."""
    return np.asarray(np.sum(arrays, axis=0), dtype=np.float64)


def chosen_weights(errors: Array, composed: NDArray[np.bool_]) -> Array:
    """Return the weights (c,) of candidates by their errors on networks unseen, (c, n): one alone, or a stack.

    The simplest of those that are about as good as the best is taken alone where the stack is not better than that.
    """
    mean = np.abs(errors).mean(axis=1)
    pool = np.flatnonzero(those_that_compete(mean, composed))
    stack = stacking_weights(errors[pool])
    stack = np.where(stack < LEAST_WEIGHT, 0.0, stack)
    stack /= stack.sum()
    least, weights = float(mean[pool].min()), np.zeros(len(errors))
    if least <= TIE * float(np.abs(stack @ errors[pool]).mean()) + NO_ERROR:
        weights[pool[int(np.argmax(mean[pool] <= TIE * least + NO_ERROR))]] = 1.0
    else:
        weights[pool] = stack
    return weights


def weights_of_the_others(without: Array, composed: NDArray[np.bool_]) -> Array:
    """Return the weights that the other networks give the candidates, (n, c), for each of n networks.

    without: (c, n, n), errors; row i: of every network but i, by fits without it and without i.
    """
    n = without.shape[1]
    others = [np.flatnonzero(np.arange(n) != left_out) for left_out in range(n)]
    return np.array([chosen_weights(without[:, i, rest], composed) for i, rest in enumerate(others)])


def stacking_weights(errors: Array) -> Array:
    """Return weights (k,) of at least zero that add up to one, for the least squared error of a mean of k models.

    errors: of n networks that no model was fitted to, relative to the truth, (k, n). The method is the active set of
    Lawson and Hanson (1974, chapter 23).
    """
    columns = np.vstack([1 - errors.T, np.full((1, len(errors)), SUM_TO_ONE)])
    wanted = np.append(np.ones(errors.shape[1]), SUM_TO_ONE)
    weights = np.zeros(len(errors))
    active = np.zeros(len(errors), dtype=bool)
    for _ in range(3 * len(errors)):
        slope = columns.T @ (wanted - columns @ weights)
        slope[active] = -np.inf
        entering = int(np.argmax(slope))
        if slope[entering] <= 1e-9 * SUM_TO_ONE:
            break
        active[entering] = True
        while True:
            trial = np.zeros(len(errors))
            trial[active] = np.linalg.lstsq(columns[:, active], wanted, rcond=None)[0]
            if trial[active].min() > 0:
                break
            falling = active & (trial <= 0)
            step = float(np.min(weights[falling] / (weights[falling] - trial[falling] + 1e-300)))
            weights = weights + step * (trial - weights)
            active &= weights > 1e-12
            weights[~active] = 0.0
            if not active.any():
                break
        weights = trial if active.any() else weights
    if not weights.any():  # errors so large that no positive weight lessens them
        weights[int(np.argmin(np.abs(errors).mean(axis=1)))] = 1.0
    return np.asarray(weights / weights.sum())
