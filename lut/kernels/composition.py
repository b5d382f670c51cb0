"""From kernels to a model: the sum, the terms that isolated kernels miss, and the interval, fitted to whole models.

An isolated kernel, run in a loop, finds its code, its small data and its weights in a cache, from which the rest of a
model evicts them; a model that fits the cache as a whole evicts nothing. Terms: a factor on the sum; a time for every
call of a kernel, and a time for the weights, both in proportion to what is evicted. The size of that cache is one of
several (0: every call takes that time). Each combination of terms is fitted by ridge regression towards the plain sum,
and the one with the least leave-one-out error is taken, the simplest within 2 % of it.
"""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from itertools import product

import numpy as np
from numpy.typing import NDArray

from ..latency_model.fit_report import FitReport
from ..latency_model.verification import conformal_quantile, report_from_predictions, session_log_ratio
from .graph.cost import Cost
from .profile_file.profile import KernelProfile
from .regression import KernelRegression

Array = NDArray[np.float64]
Positions = NDArray[np.intp]

MIB = 2**20
TERMS = ("factor", "call", "weights")
COVERAGE = 0.9
LEAST_MODELS = 10  # from which an interval of 90 % can be told
CACHES_MIB = (0.5, 1.0, 2.0, 4.0, 8.0, 16.0, 32.0)
SIMPLER = 1.02  # a simpler combination is taken if its error is within this factor of the best
ROUNDS = 5  # fits by which the models that are far off are found
LEAST_SHARE = 0.1  # of the plain sum that terms leave of it
PULL = 0.05  # how far a term is pulled towards the plain sum, in relative errors of a model
SCALES = {"factor": 0.2, "call": 2.0, "weights": 50.0}  # what a term is of the order of: share, us, us a MiB


@dataclass(frozen=True, slots=True)
class Part:
    """Some calls of one kernel in a model: each takes `value_us`, its weights `weight_mib`, its values `moved_mib`."""

    value_us: float
    count: int
    weight_mib: float
    moved_mib: float

    @staticmethod
    def of(value_us: float, count: int, cost: Cost) -> Part:
        """Return the calls of a kernel of that cost."""
        moved_mib = (cost.input_bytes + cost.output_bytes) / MIB
        return Part(value_us, count, cost.weight_bytes / MIB, moved_mib)


@dataclass(frozen=True, slots=True)
class Terms:
    """What is added to the sum of kernels: which terms, the cache's size, and their coefficients."""

    names: tuple[str, ...]
    cache_mib: float
    coefficients: tuple[float, ...]

    def value_us(self, parts: Sequence[Part], call_us: float) -> float:
        """Return the latency of a model; at least a tenth of the plain sum."""
        total = sum_us(parts) + call_us
        row = quantities(parts, self.names, self.cache_mib)
        return max(LEAST_SHARE * total, total + float(np.dot(row, self.coefficients)) if self.names else total)

    def sentence(self) -> str:
        """Say which terms there are."""
        if not self.names:
            return "the plain sum"
        said = {"factor": "factor {:+.1%}", "call": "{:+.2f} us a kernel", "weights": "{:+.1f} us a MiB of weights"}
        text = ", ".join(said[name].format(value) for name, value in zip(self.names, self.coefficients))
        return f"the sum, {text}" + (f" beyond {self.cache_mib:g} MiB" if self.cache_mib else "")


def sum_us(parts: Sequence[Part]) -> float:
    """Return what the kernels take."""
    return sum(part.value_us * part.count for part in parts)


def quantities(parts: Sequence[Part], names: Sequence[str], cache_mib: float) -> Array:
    """Return what the coefficients of a model's terms are multiplied with."""
    total_mib = sum(part.weight_mib * part.count for part in parts) + max(part.moved_mib for part in parts)
    evicted = max(0.0, 1 - cache_mib / total_mib) if total_mib else 0.0
    cold_mib = sum(part.weight_mib * part.count for part in parts if part.weight_mib < cache_mib)
    found = {
        "factor": sum_us(parts),
        "call": evicted * sum(part.count for part in parts),
        "weights": evicted * cold_mib,
    }
    return np.array([found[name] for name in names])


@dataclass(frozen=True)
class Composition:
    """The fitted terms of a profile, how far they were off on models left out, and the interval that follows."""

    profile: KernelProfile
    regression: KernelRegression

    def fit(self) -> None:
        """Fit all that predictions take; later calls of anything else here take no time."""
        if len(self.profile.models) >= LEAST_MODELS:
            _ = self.report, self.known_log_ratio, self.doubt_factor

    @cached_property
    def parts(self) -> list[list[Part]]:
        """The calls of each whole model, all measured."""
        return [self.parts_of(model.calls, {}) for model in self.profile.models]

    @cached_property
    def rows(self) -> dict[float, Array]:
        """The quantities of all terms of each whole model, (n, 3), by size of the cache; the first is the plain sum."""
        sizes = (0.0, *CACHES_MIB)
        return {size: np.array([quantities(parts, TERMS, size) for parts in self.parts]) for size in sizes}

    @cached_property
    def truth_us(self) -> Array:
        """The latencies of the whole models, (n,)."""
        return np.array([model.measurement.value_us for model in self.profile.models])

    def parts_of(self, calls: Mapping[str, int], log_errors: Mapping[str, float]) -> list[Part]:
        """Return the calls of a model by digest; `log_errors` are taken off the kernels that they are told for."""
        found = []
        for digest, count in calls.items():
            one = self.profile.kernels[digest]
            value_us = one.value_us * math.exp(-log_errors.get(digest, 0.0))
            found.append(Part.of(value_us, count, one.cost))
        return found

    def coefficients(self, names: tuple[str, ...], cache_mib: float, kept: Positions) -> Array:
        """Fit a combination of terms to sets of whole models, (f, m) -> (f, k), relative errors counting."""
        rows = self.rows[cache_mib][:, [TERMS.index(name) for name in names]] / self.truth_us[:, None]
        plain = self.rows[cache_mib][:, 0] + self.profile.call_us
        residual = np.clip((self.truth_us - plain) / self.truth_us, -1.0, 1.0)
        scale = np.array([SCALES[name] for name in names])
        return np.asarray(robust_fits((rows * scale)[kept], residual[kept]) * scale)

    def fitted(self, names: tuple[str, ...], cache_mib: float) -> Terms:
        """Fit a combination of terms to all whole models."""
        if not names:
            return Terms((), cache_mib, ())
        found = self.coefficients(names, cache_mib, np.arange(len(self.parts))[None, :])
        return Terms(names, cache_mib, tuple(float(value) for value in found[0]))

    def held_out_us(self, names: tuple[str, ...], cache_mib: float, rows: Array) -> Array:
        """Return each whole model's latency by terms fitted to the others, (n,); `rows` are quantities of all terms."""
        total = rows[:, 0] + self.profile.call_us
        if not names or len(rows) < 2:
            return total
        found = self.coefficients(names, cache_mib, all_but_one(len(rows)))
        added = np.sum(rows[:, [TERMS.index(name) for name in names]] * found, axis=1)
        return np.asarray(np.maximum(LEAST_SHARE * total, total + added))

    @cached_property
    def candidates(self) -> dict[tuple[tuple[str, ...], float], float]:
        """The leave-one-out error of every combination: mean absolute log ratio."""
        found = {}
        for chosen in product((False, True), repeat=3):
            names = tuple(name for name, taken in zip(TERMS, chosen) if taken)
            sizes = CACHES_MIB if "weights" in names else (0.0, *CACHES_MIB) if "call" in names else (0.0,)
            for cache_mib in sizes:
                predicted = self.held_out_us(names, cache_mib, self.rows[cache_mib])
                found[names, cache_mib] = float(np.mean(np.abs(np.log(predicted / self.truth_us))))
        return found

    @cached_property
    def terms(self) -> Terms:
        """The terms chosen; the plain sum where too few whole models could tell."""
        if len(self.parts) < LEAST_MODELS:
            return Terms((), 0.0, ())
        best = min(self.candidates.values())
        able = [one for one, error in self.candidates.items() if error <= SIMPLER * best]
        names, cache_mib = min(able, key=lambda one: (len(one[0]), self.candidates[one]))
        return self.fitted(names, cache_mib)

    @cached_property
    def report(self) -> FitReport:
        """The verified error with all kernels measured, from models left out of the fit."""
        if len(self.parts) < LEAST_MODELS:
            return FitReport.unverified("kernels")
        predicted = self.held_out_us(self.terms.names, self.terms.cache_mib, self.rows[self.terms.cache_mib])
        errors: dict[str, float] = {}
        for (names, _), error in self.candidates.items():
            name = "+".join(names) or "sum"
            errors[name] = min(error, errors.get(name, error))
        measured = [model.measurement for model in self.profile.models]
        return report_from_predictions("kernels", predicted, measured, {k: 100 * v for k, v in errors.items()})

    @cached_property
    def known_log_ratio(self) -> float:
        """What nine of ten models keep to whose kernels are all measured; for a run of another hour too."""
        predicted = self.held_out_us(self.terms.names, self.terms.cache_mib, self.rows[self.terms.cache_mib])
        errors = np.abs(np.log(self.truth_us / predicted))
        return math.hypot(conformal_quantile(errors, COVERAGE), session_log_ratio(self.profile.processes))

    @cached_property
    def held_out_new(self) -> Array:
        """Each model's latency with the kernels that it alone has predicted, left out of both fits, (n,)."""
        held_out = self.regression.held_out
        parts = [self.parts_of(model.calls, held_out[model.name]) for model in self.profile.models]
        rows = np.array([quantities(of_model, TERMS, self.terms.cache_mib) for of_model in parts])
        return self.held_out_us(self.terms.names, self.terms.cache_mib, rows)

    @cached_property
    def doubt_factor(self) -> float:
        """By how much the doubt of predicted kernels is to be widened so that nine of ten models keep to it."""
        errors = np.abs(np.log(self.truth_us / self.held_out_new))
        doubts = [self.doubt(self.doubtful(model.calls)) for model in self.profile.models]
        return conformal_quantile(errors / np.array(doubts), COVERAGE)

    def doubtful(self, calls: Mapping[str, int]) -> list[tuple[float, float]]:
        """Return time and log ratio of each kernel of a model of the profile, as if it had to be predicted."""
        found = []
        for digest, count in calls.items():
            sort = self.regression.sorts[digest]
            is_own = any(digest in errors for errors in self.regression.held_out.values())
            doubt = self.regression.spread.get(sort, 0.0) if is_own else 0.0
            found.append((self.profile.kernels[digest].value_us * count, doubt))
        return found

    def doubt(self, kernels: Sequence[tuple[float, float]]) -> float:
        """Return the log ratio of a model whose kernels take some time each, known to a log ratio each.

        Errors of kernels are taken to be half their own and half shared: kernels of one sort err alike.
        """
        total = sum(us for us, _ in kernels) or 1.0
        shares = np.array([(us / total, ratio) for us, ratio in kernels])
        spread = shares[:, 0] * shares[:, 1]
        return math.hypot(
            self.known_log_ratio, math.sqrt(0.5 * float(np.sum(spread**2)) + 0.5 * float(np.sum(spread)) ** 2)
        )

    def log_ratio(self, kernels: Sequence[tuple[float, float]]) -> float:
        """Return the log ratio of the 90 % interval of a model, of whose kernels some were predicted."""
        if all(ratio == 0 for _, ratio in kernels):
            return self.known_log_ratio
        return max(self.known_log_ratio, self.doubt_factor * self.doubt(kernels))


def all_but_one(count: int) -> Positions:
    """Return, for each of `count` positions, all others, (n, n - 1)."""
    every = np.arange(count)
    return np.array([np.delete(every, at) for at in every])


def robust_fits(rows: Array, residual: Array) -> Array:
    """Return the coefficients (f, k) of fits to rows (f, m, k); they leave out what a first fit finds far off.

    A model that is far off measures something else.
    """
    pull = PULL**2 * np.eye(rows.shape[2])
    weights = np.ones(residual.shape)
    for _ in range(ROUNDS):
        left = np.abs(residual - (rows @ solved(rows, residual, weights, pull)[:, :, None])[:, :, 0])
        width = np.maximum(0.01, 1.5 * np.median(left, axis=1, keepdims=True))
        weights = np.minimum(1.0, width / np.maximum(left, 1e-9))
    return solved(rows, residual, weights, pull)


def solved(rows: Array, residual: Array, weights: Array, pull: Array) -> Array:
    """Return the coefficients (f, k) of weighted ridge regressions."""
    turned = rows.transpose(0, 2, 1) * weights[:, None, :]
    return np.asarray(np.linalg.solve(turned @ rows + pull, turned @ residual[:, :, None])[:, :, 0])
