"""Latencies of kernels that were never measured, from those of the same sort that were.

A Gaussian process (Rasmussen & Williams 2006, chapter 2) of log latency on the logs of what a kernel computes and
moves, with a linear mean. A sort is operator, type of numbers, and form of convolution; a sort with few kernels is
predicted from all kernels, with the error that this has. Errors come from kernels left out together with all others of
the model that they were met in (block formula), since a new model brings several new kernels at once.
"""

from __future__ import annotations

import math
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property

import numpy as np
from numpy.typing import NDArray

from ..latency_model.regression import MIN_LAYERS, kernel, linear_mean, with_one
from .cost import Cost
from .profile import KernelProfile, MeasuredKernel

Array = NDArray[np.float64]

LENGTHS = (1.0, 2.0, 4.0)
NOISES = (0.03, 0.1, 0.3)
MOST = 800  # kernels of a sort that a process is fitted to: its cost is cubic
ALL = "any operator"
FIRST_TYPE = re.compile(r"\((?:x\d+|w\d+):([a-z0-9]+)\[")
WIDEST = 1.5  # log ratio that a prediction without any comparable kernel is trusted to


@dataclass(frozen=True)
class Predicted:
    """The latency of one kernel in microseconds; `log_ratio` is what the log of its error keeps to, one sigma."""

    value_us: float
    log_ratio: float
    sort: str


def sort_of(operator: str, key: str, cost: Cost) -> str:
    """Return what kernels have in common that are predicted from each other."""
    found = FIRST_TYPE.search(key)
    domain = key.partition("{")[0].partition("(")[0].rpartition(":")[0]
    form = ""
    if cost.groups > 1:
        form = " depthwise" if abs(cost.reduction - cost.window) < 0.5 else " grouped"
    return f"{domain + ':' if domain else ''}{operator} {found.group(1) if found else ''}{form}"


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


@dataclass(frozen=True)
class SortRegression:
    """The process of one sort: standardised features, weights, and what is left out to find its errors."""

    digests: tuple[str, ...]
    features: Array
    centre: Array
    scale: Array
    mean: Array
    target: Array
    length: float
    inverse: Array

    @staticmethod
    def fit(known: Mapping[str, MeasuredKernel]) -> SortRegression:
        """Fit kernels by digest."""
        digests = tuple(known)[:: max(1, math.ceil(len(known) / MOST))]
        raw = features_of([known[digest].cost for digest in digests])
        target = np.log([known[digest].value_us for digest in digests])
        centre, scale = raw.mean(axis=0), raw.std(axis=0)
        scale[scale < 1e-9] = np.inf
        features = (raw - centre) / scale
        mean = linear_mean(features, target)
        residual = target - with_one(features) @ mean
        fits: dict[tuple[float, float], tuple[float, Array]] = {}
        for length in LENGTHS:
            for noise in NOISES:
                covariance = kernel(features, features, length) + noise**2 * np.eye(len(digests))
                inverse = np.asarray(np.linalg.inv(covariance))
                error = (inverse @ residual) / np.diag(inverse)
                fits[length, noise] = (float(np.mean(error**2)), inverse)
        length, noise = min(fits, key=lambda pair: fits[pair][0])
        return SortRegression(digests, features, centre, scale, mean, residual, length, fits[length, noise][1])

    def predict_log(self, costs: Sequence[Cost]) -> Array:
        """Return the logs of latencies in microseconds, (L,)."""
        features = (features_of(costs) - self.centre) / self.scale
        smooth = kernel(features, self.features, self.length) @ (self.inverse @ self.target)
        return np.asarray(with_one(features) @ self.mean + smooth)

    def errors_without(self, group: set[str]) -> dict[str, float]:
        """Return, for the kernels of a group, the log error when all of the group are left out."""
        at = [position for position, digest in enumerate(self.digests) if digest in group]
        if not at:
            return {}
        block = self.inverse[np.ix_(at, at)]
        errors = np.linalg.solve(block, (self.inverse @ self.target)[at])
        return {self.digests[position]: float(error) for position, error in zip(at, errors)}


@dataclass(frozen=True)
class KernelRegression:
    """Regressions by sort, one over all kernels, and the errors that each was found to have."""

    profile: KernelProfile

    @cached_property
    def sorts(self) -> dict[str, SortRegression]:
        """The regression of every sort that has enough kernels, and of all kernels together."""
        groups: dict[str, dict[str, MeasuredKernel]] = {}
        for digest, one in self.profile.kernels.items():
            groups.setdefault(sort_of(one.operator, one.key, one.cost), {})[digest] = one
        enough = {sort: SortRegression.fit(known) for sort, known in groups.items() if len(known) >= MIN_LAYERS}
        return {**enough, ALL: SortRegression.fit(self.profile.kernels)}

    def sort_for(self, operator: str, key: str, cost: Cost) -> str:
        """Return the sort that a kernel is predicted by."""
        sort = sort_of(operator, key, cost)
        return sort if sort in self.sorts else ALL

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
                    errors.update(self.sorts[sort].errors_without(own))
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
        value_us = float(np.exp(self.sorts[sort].predict_log([cost])[0]))
        return Predicted(value_us, min(WIDEST, self.spread.get(sort, WIDEST)), sort)
