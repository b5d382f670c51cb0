"""Latencies of kernels that were never measured, from those of the same sort that were.

First a time a kernel, multiply-adds and bytes, each over a rate, none negative: so a kernel far from all measured ones
gets a sensible time. Then a Gaussian process (Rasmussen & Williams 2006, chapter 2) of the log of what is left on the
logs of what a kernel computes and moves. A sort is operator, type of numbers, and form of convolution; a sort with
few kernels is predicted from all kernels, with the error that this has. Errors come from kernels left out together
with all others of the model that they were met in (block formula), since a new model brings several at once.
"""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from functools import cached_property
from itertools import product

import numpy as np
from numpy.typing import NDArray

from ..latency_model.regression import kernel
from .graph.cost import Cost
from .graph.sorts import sort_of
from .profile_file.profile import SHORTEST_US, KernelProfile, MeasuredKernel

Array = NDArray[np.float64]

LEAST = 4  # kernels of a sort from which others of it are predicted
LENGTHS = (1.0, 2.0, 4.0)
NOISES = (0.03, 0.1, 0.3)
NARROW = 0.3  # the least scale of a feature: what hardly varied says little, and must not say much beyond
MOST = 400  # kernels of a sort that a process is fitted to: its cost is cubic
ALL = "any operator"
WIDEST = 1.5  # log ratio that a prediction without any comparable kernel is trusted to


@dataclass(frozen=True)
class Predicted:
    """The latency of one kernel in microseconds; `log_ratio` is what the log of its error keeps to, one sigma."""

    value_us: float
    log_ratio: float
    sort: str


def features_of(costs: Sequence[Cost]) -> Array:
    """Return the logs of the quantities of kernels, (L, d)."""
    rows = [
        [
            math.log1p(cost.macs),
            math.log(cost.moved_bytes + 64),
            math.log(cost.input_bytes + 64),
            math.log(cost.output_bytes + 64),
            math.log(cost.weight_bytes + 64),
            math.log(cost.elements),
            math.log(cost.channels + 1),
            math.log(cost.pixels + 1),
            math.log1p(cost.reduction),
            math.log(cost.groups),
            math.log(cost.window),
            math.log(cost.stride),
            cost.nodes,
            math.log1p(cost.channels % 16),
        ]
        for cost in costs
    ]
    return np.array(rows)


def quantities_of(costs: Sequence[Cost]) -> Array:
    """Return what a time grows with, (L, 3): one, millions of multiply-adds, kilobytes moved."""
    return np.array([[1.0, cost.macs / 1e6, cost.moved_bytes / 1e3] for cost in costs])


def physical_us(costs: Sequence[Cost], rates: Array) -> Array:
    """Return the time that the rates alone give, (L,)."""
    return np.asarray(np.maximum(quantities_of(costs) @ rates, SHORTEST_US))


def fitted_rates(costs: Sequence[Cost], true_us: Array) -> Array:
    """Return the times of a kernel, a million multiply-adds and a kilobyte, none negative, by relative error.

    A kernel's own time is at most what the shortest of them takes.
    """
    columns = quantities_of(costs) / true_us[:, None]
    best, rates = math.inf, np.array([float(np.median(true_us)), 0.0, 0.0])
    for taken in product((False, True), repeat=3):
        chosen = np.flatnonzero(taken)
        if not len(chosen):
            continue
        solved = np.linalg.lstsq(columns[:, chosen], np.ones(len(true_us)), rcond=None)[0]
        error = float(np.sum((columns[:, chosen] @ solved - 1) ** 2))
        own_us = solved[0] if taken[0] else 0.0
        if (solved >= 0).all() and own_us <= np.min(true_us) and error < best:
            best, rates = error, np.zeros(3)
            rates[chosen] = solved
    return rates


@dataclass(frozen=True)
class SortRegression:
    """The process of one sort: standardised features, weights, and what is left out to find its errors."""

    digests: tuple[str, ...]
    features: Array
    centre: Array
    scale: Array
    rates: Array
    residual: Array
    length: float
    inverse: Array

    @staticmethod
    def fit(known: Mapping[str, MeasuredKernel]) -> SortRegression:
        """Fit kernels by digest."""
        digests = tuple(known)[:: max(1, math.ceil(len(known) / MOST))]
        costs = [known[digest].cost for digest in digests]
        raw = features_of(costs)
        target = np.log([known[digest].value_us for digest in digests])
        centre, scale = raw.mean(axis=0), np.maximum(raw.std(axis=0), NARROW)
        features = (raw - centre) / scale
        rates = fitted_rates(costs, np.exp(target))
        residual = target - np.log(physical_us(costs, rates))
        fits: dict[tuple[float, float], tuple[float, Array]] = {}
        for length in LENGTHS:
            for noise in NOISES:
                covariance = kernel(features, features, length) + noise**2 * np.eye(len(digests))
                inverse = np.asarray(np.linalg.inv(covariance))
                error = (inverse @ residual) / np.diag(inverse)
                fits[length, noise] = (float(np.mean(error**2)), inverse)
        length, noise = min(fits, key=lambda pair: fits[pair][0])
        return SortRegression(digests, features, centre, scale, rates, residual, length, fits[length, noise][1])

    def predict_log(self, costs: Sequence[Cost]) -> Array:
        """Return the logs of latencies in microseconds, (L,)."""
        features = (features_of(costs) - self.centre) / self.scale
        smooth = kernel(features, self.features, self.length) @ (self.inverse @ self.residual)
        return np.asarray(np.log(physical_us(costs, self.rates)) + smooth)

    def errors_without(self, group: set[str]) -> dict[str, float]:
        """Return, for the kernels of a group, the log error when all of the group are left out."""
        at = [position for position, digest in enumerate(self.digests) if digest in group]
        if not at:
            return {}
        block = self.inverse[np.ix_(at, at)]
        errors = np.linalg.solve(block, (self.inverse @ self.residual)[at])
        return {self.digests[position]: float(error) for position, error in zip(at, errors)}


@dataclass(frozen=True)
class KernelRegression:
    """Regressions by sort, one over all kernels, and the errors that each was found to have."""

    profile: KernelProfile
    fits: dict[str, SortRegression] = field(default_factory=dict)

    @cached_property
    def groups(self) -> dict[str, dict[str, MeasuredKernel]]:
        """The kernels of every sort that has enough of them, and all kernels together, by digest."""
        groups: dict[str, dict[str, MeasuredKernel]] = {}
        for digest, one in self.profile.kernels.items():
            groups.setdefault(sort_of(one.operator, one.key, one.cost), {})[digest] = one
        enough = {sort: known for sort, known in groups.items() if len(known) >= LEAST}
        return {**enough, ALL: dict(self.profile.kernels)}

    def fitted(self, sort: str) -> SortRegression:
        """Return the regression of a sort, which is fitted when it is first asked for."""
        if sort not in self.fits:
            self.fits[sort] = SortRegression.fit(self.groups[sort])
        return self.fits[sort]

    def sort_for(self, operator: str, key: str, cost: Cost) -> str:
        """Return the sort that a kernel is predicted by."""
        sort = sort_of(operator, key, cost)
        return sort if sort in self.groups else ALL

    @cached_property
    def held_out(self) -> dict[str, dict[str, float]]:
        """For every whole model, the log error of each kernel that no other model has, predicted without all these."""
        owners: dict[str, int] = {}
        for model in self.profile.models:
            for digest in model.calls:
                owners[digest] = owners.get(digest, 0) + 1
        found = {}
        for model in self.profile.models:
            own = {digest for digest in model.calls if owners[digest] == 1}
            errors: dict[str, float] = {}
            for digest in own:
                one = self.profile.kernels[digest]
                sort = self.sort_for(one.operator, one.key, one.cost)
                if digest not in errors:
                    errors.update(self.fitted(sort).errors_without(own))
            found[model.name] = {digest: error for digest, error in errors.items() if digest in own}
        return found

    @cached_property
    def spread(self) -> dict[str, float]:
        """The root mean square of the held-out log errors, by sort."""
        errors: dict[str, list[float]] = {}
        for model in self.held_out.values():
            for digest, error in model.items():
                one = self.profile.kernels[digest]
                errors.setdefault(self.sort_for(one.operator, one.key, one.cost), []).append(error)
        return {sort: float(np.sqrt(np.mean(np.square(found)))) for sort, found in errors.items()}

    def predict(self, operator: str, key: str, cost: Cost) -> Predicted:
        """Return the latency of a kernel that was not measured; never nothing."""
        sort = self.sort_for(operator, key, cost)
        value_us = float(np.exp(self.fitted(sort).predict_log([cost])[0]))
        return Predicted(value_us, min(WIDEST, self.spread.get(sort, WIDEST)), sort)
