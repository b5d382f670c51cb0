"""Latencies of kernels that were never measured, from those of the same sort that were.

First a time a kernel, multiply-adds and bytes, each over a rate, none negative: so a kernel far from all measured ones
gets a sensible time. Then a Gaussian process (Rasmussen & Williams 2006, chapter 2) of the log of what is left on the
logs of what a kernel computes and moves. A sort is operator, type of numbers, and form of convolution; a sort with
few kernels is predicted from all kernels, with the error that this has. Within a sort, kernels of one form (activation,
axes, what is broadcast) share more than others: how much more, and whether what is left grows with the features, is
chosen by leave-one-out error like length scale and noise. Errors come from kernels left out together with all others
of the model that they were met in (block formula), since a new model brings several at once.
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
from .features import Keyed, Unmeasured, features_of, fitted_rates, least_us, physical_us, quickest_rate
from .graph.cost import Cost
from .graph.sorts import form_of, sort_of
from .profile_file.profile import KernelProfile, MeasuredKernel

Array = NDArray[np.float64]

LEAST = 4  # kernels of a sort from which others of it are predicted
LENGTHS = (1.0, 2.0, 4.0)
NOISES = (0.03, 0.1, 0.3)
NARROW = 0.3  # the least scale of a feature: what hardly varied says little, and must not say much beyond
MOST = 500  # kernels of a sort that a process is fitted to: its cost is cubic
MOST_CHOOSING = 200  # of which its parameters are chosen by
IQR_OF_SIGMA = 1.35  # the interquartile range of a normal distribution, in standard deviations
LEAST_DOUBT = 0.01  # a squared log error that no measuring takes away
OF_FORM = 0.1  # what kernels of one form share wherever they lie
ALL = "any operator"
WIDEST = 1.5  # log ratio that a prediction without any comparable kernel is trusted to


@dataclass(frozen=True)
class Predicted:
    """The latency of one kernel in microseconds; `log_ratio` is what the log of its error keeps to, one sigma."""

    value_us: float
    log_ratio: float
    sort: str


@dataclass(frozen=True, slots=True)
class Covariance:
    """How much two kernels share by their features and forms: nearness, how much of it holds across forms, and growth.

    across: the share of nearness that holds for kernels of different forms. growth: of a line in the features.
    """

    length: float
    across: float
    growth: float

    def between(self, one: Array, other: Array, same: Array) -> Array:
        """Return the covariances of features (n, d) and (m, d), (n, m); `same` is 1 where their forms are equal."""
        near = kernel(one, other, self.length) * (self.across + (1 - self.across) * same)
        return np.asarray(near + OF_FORM * same + self.growth * (one @ other.T + 1))


COVARIANCES = tuple(Covariance(*one) for one in product(LENGTHS, (0.3, 0.7, 1.0), (0.0, 0.1)))


def same_forms(one: Sequence[str], other: Sequence[str]) -> Array:
    """Return 1 where two forms are equal and 0 elsewhere, (n, m)."""
    number = {form: at for at, form in enumerate(dict.fromkeys((*one, *other)))}
    first, second = (np.array([number[form] for form in forms]) for forms in (one, other))
    return np.asarray(first[:, None] == second[None, :], dtype=np.float64)


@dataclass(frozen=True)
class SortRegression:
    """The process of one sort: standardised features, weights, and what is left out to find its errors."""

    digests: tuple[str, ...]
    features: Array
    forms: tuple[str, ...]
    centre: Array
    scale: Array
    rates: Array
    residual: Array
    covariance: Covariance
    inverse: Array
    target: Array
    macs_a_us: float
    least_log: Array

    @cached_property
    def weights(self) -> Array:
        """What each kernel counts for in what is left, (L,)."""
        return np.asarray(self.inverse @ self.residual)

    @cached_property
    def errors_alone(self) -> dict[str, float]:
        """The log error of every kernel, predicted from all others."""
        every = list(range(len(self.digests)))
        return dict(zip(self.digests, self.bounded(every, self.weights / np.diag(self.inverse)).tolist()))

    def bounded(self, at: Sequence[int], errors: Array) -> Array:
        """Return the log errors of some kernels, which are predicted to take at least what multiplying takes."""
        return np.asarray(self.target[at] - np.maximum(self.target[at] - errors, self.least_log[at]))

    @staticmethod
    def fit(known: Mapping[str, MeasuredKernel]) -> SortRegression:
        """Fit kernels by digest."""
        digests = tuple(known)[:: max(1, math.ceil(len(known) / MOST))]
        kernels = [known[digest] for digest in digests]
        raw = features_of(kernels)
        target = np.log([one.value_us for one in kernels])
        centre, scale = raw.mean(axis=0), np.maximum(raw.std(axis=0), NARROW)
        features = (raw - centre) / scale
        forms = tuple(form_of(one.key) for one in kernels)
        costs = [one.cost for one in kernels]
        rates = fitted_rates(costs, np.exp(target))
        residual = target - np.log(physical_us(costs, rates))
        own = np.array([doubt_of(one) for one in kernels])
        covariance, noise = chosen(features, forms, residual, own)
        whole = covariance.between(features, features, same_forms(forms, forms))
        inverse = np.asarray(np.linalg.inv(whole + np.diag(noise**2 + own**2)))
        macs_a_us = quickest_rate(costs, np.exp(target))
        return SortRegression(
            digests,
            features,
            forms,
            centre,
            scale,
            rates,
            residual,
            covariance,
            inverse,
            target,
            macs_a_us,
            np.log(least_us(costs, macs_a_us)),
        )

    def predict_log(self, kernels: Sequence[Keyed]) -> Array:
        """Return the logs of latencies in microseconds, (L,)."""
        features = (features_of(kernels) - self.centre) / self.scale
        same = same_forms([form_of(one.key) for one in kernels], self.forms)
        smooth = self.covariance.between(features, self.features, same) @ self.weights
        costs = [one.cost for one in kernels]
        logs = np.log(physical_us(costs, self.rates)) + smooth
        return np.asarray(np.maximum(logs, np.log(least_us(costs, self.macs_a_us))))

    def errors_without(self, group: set[str]) -> dict[str, float]:
        """Return, for the kernels of a group, the log error when all of the group are left out."""
        at = [position for position, digest in enumerate(self.digests) if digest in group]
        if not at:
            return {}
        block = self.inverse[np.ix_(at, at)]
        errors = self.bounded(at, np.asarray(np.linalg.solve(block, self.weights[at]), np.float64))
        return {self.digests[position]: float(error) for position, error in zip(at, errors)}


def doubt_of(one: MeasuredKernel) -> float:
    """Return what the log of a kernel's own time is known to, one sigma: visits to a busy machine scatter."""
    if one.measurement is None:
        return max(one.log_ratio, one.relative_iqr / IQR_OF_SIGMA)
    return one.relative_iqr / IQR_OF_SIGMA / math.sqrt(one.measurement.visits)


def chosen(features: Array, forms: Sequence[str], residual: Array, own: Array) -> tuple[Covariance, float]:
    """Return the covariance and the noise with the least leave-one-out error, on some of many kernels.

    own: how far each time is in doubt by itself, (L,); errors count the less for it.
    """
    some = slice(None, None, max(1, math.ceil(len(residual) / MOST_CHOOSING)))
    features, residual, own = features[some], residual[some], own[some]
    same = same_forms(forms[some], forms[some])
    own_noise = np.array([np.diag(noise**2 + own**2) for noise in NOISES])
    counting = 1 / (LEAST_DOUBT + own**2)
    best, least = (COVARIANCES[0], NOISES[0]), math.inf
    for covariance in COVARIANCES:
        inverses = np.linalg.inv(covariance.between(features, features, same) + own_noise)
        left_out = (inverses @ residual) / np.diagonal(inverses, axis1=1, axis2=2)
        for noise, error in zip(NOISES, (left_out**2 @ counting).tolist()):
            if error < least:
                best, least = (covariance, noise), error
    return best


@dataclass(frozen=True)
class KernelRegression:
    """Regressions by sort, one over all kernels, and the errors that each was found to have."""

    profile: KernelProfile
    fits: dict[str, SortRegression] = field(default_factory=dict)
    spreads: dict[str, float | None] = field(default_factory=dict)

    @cached_property
    def own_sorts(self) -> dict[str, str]:
        """The sort of every kernel, by digest; some have too few kernels to be predicted from."""
        return {digest: sort_of(one.operator, one.key, one.cost) for digest, one in self.profile.kernels.items()}

    @cached_property
    def sorts(self) -> dict[str, str]:
        """The sort that every kernel would be predicted by, by digest."""
        return {digest: sort if sort in self.groups else ALL for digest, sort in self.own_sorts.items()}

    @cached_property
    def groups(self) -> dict[str, dict[str, MeasuredKernel]]:
        """The kernels of every sort that has enough of them, and all kernels together, by digest."""
        groups: dict[str, dict[str, MeasuredKernel]] = {}
        for digest, one in self.profile.kernels.items():
            groups.setdefault(self.own_sorts[digest], {})[digest] = one
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
            for sort in dict.fromkeys(self.sorts[digest] for digest in model.calls if digest in own):
                without = self.fitted(sort).errors_without(own)
                errors |= {digest: error for digest, error in without.items() if self.sorts[digest] == sort}
            found[model.name] = errors
        return found

    @cached_property
    def errors_of_models(self) -> dict[str, list[float]]:
        """The log errors of the kernels that one whole model alone has, by sort."""
        found: dict[str, list[float]] = {}
        for errors in self.held_out.values():
            for digest, error in errors.items():
                found.setdefault(self.sorts[digest], []).append(error)
        return found

    @cached_property
    def owned(self) -> set[str]:
        """The kernels that some whole model has, by digest."""
        return {digest for model in self.profile.models for digest in model.calls}

    def held_out_alone(self, sort: str) -> dict[str, float]:
        """Return the log error of each kernel of a sort that no whole model has, predicted without it."""
        free = [digest for digest in self.groups[sort] if self.sorts[digest] == sort and digest not in self.owned]
        alone = self.fitted(sort).errors_alone if free else {}
        return {digest: alone[digest] for digest in free if digest in alone}

    def spread_of(self, sort: str) -> float | None:
        """Return the root mean square of a sort's held-out log errors, found when it is first asked for; None of none.

        Most models have few of the sorts that were measured.
        """
        if sort not in self.spreads:
            errors = [*self.errors_of_models.get(sort, ()), *self.held_out_alone(sort).values()]
            self.spreads[sort] = float(np.sqrt(np.mean(np.square(errors)))) if errors else None
        return self.spreads[sort]

    def predict(self, operator: str, key: str, cost: Cost) -> Predicted:
        """Return the latency of a kernel that was not measured; never nothing."""
        sort = self.sort_for(operator, key, cost)
        value_us = float(np.exp(self.fitted(sort).predict_log([Unmeasured(key, cost)])[0]))
        spread = self.spread_of(sort)
        return Predicted(value_us, WIDEST if spread is None else min(WIDEST, spread), sort)
