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

MIB = 2**20
TERMS = ("factor", "call", "weights")
COVERAGE = 0.9
LEAST_MODELS = 10  # from which an interval of 90 % can be told
CACHES_MIB = (0.5, 1.0, 2.0, 4.0, 8.0, 16.0, 32.0)
SIMPLER = 1.02  # a simpler combination is taken if its error is within this factor of the best
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
        return max(0.1 * total, total + float(np.dot(row, self.coefficients)) if self.names else total)

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

    def fitted(self, names: tuple[str, ...], cache_mib: float, without: int | None = None) -> Terms:
        """Fit a combination of terms to all whole models but one, relative errors counting."""
        kept = [position for position in range(len(self.parts)) if position != without]
        if not names or not kept:
            return Terms((), cache_mib, ())
        truth = self.truth_us[kept]
        rows = self.rows[cache_mib][kept][:, [TERMS.index(name) for name in names]] / truth[:, None]
        plain = self.rows[cache_mib][kept, 0] + self.profile.call_us
        residual = np.clip((truth - plain) / truth, -1.0, 1.0)
        scale = np.array([SCALES[name] for name in names])
        rows = rows * scale
        pull = PULL**2 * np.eye(len(names))
        weights = robust_weights(rows, residual, pull)
        solved = np.linalg.solve(rows.T @ (rows * weights[:, None]) + pull, rows.T @ (residual * weights))
        return Terms(names, cache_mib, tuple(float(value) for value in solved * scale))

    def held_out_us(self, names: tuple[str, ...], cache_mib: float, parts: Sequence[Sequence[Part]]) -> Array:
        """Return each whole model's latency by terms fitted to the others, (n,), its kernels as in `parts`."""
        return np.array(
            [
                self.fitted(names, cache_mib, position).value_us(of_model, self.profile.call_us)
                for position, of_model in enumerate(parts)
            ]
        )

    @cached_property
    def candidates(self) -> dict[tuple[tuple[str, ...], float], float]:
        """The leave-one-out error of every combination: mean absolute log ratio."""
        found = {}
        for chosen in product((False, True), repeat=3):
            names = tuple(name for name, taken in zip(TERMS, chosen) if taken)
            sizes = CACHES_MIB if "weights" in names else (0.0, *CACHES_MIB) if "call" in names else (0.0,)
            for cache_mib in sizes:
                predicted = self.held_out_us(names, cache_mib, self.parts)
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
        predicted = self.held_out_us(self.terms.names, self.terms.cache_mib, self.parts)
        errors: dict[str, float] = {}
        for (names, _), error in self.candidates.items():
            name = "+".join(names) or "sum"
            errors[name] = min(error, errors.get(name, error))
        measured = [model.measurement for model in self.profile.models]
        return report_from_predictions("kernels", predicted, measured, {k: 100 * v for k, v in errors.items()})

    @cached_property
    def known_log_ratio(self) -> float:
        """What nine of ten models keep to whose kernels are all measured; for a run of another hour too."""
        predicted = self.held_out_us(self.terms.names, self.terms.cache_mib, self.parts)
        errors = np.abs(np.log(self.truth_us / predicted))
        return math.hypot(conformal_quantile(errors, COVERAGE), session_log_ratio(self.profile.processes))

    @cached_property
    def held_out_new(self) -> Array:
        """Each model's latency with the kernels that it alone has predicted, left out of both fits, (n,)."""
        held_out = self.regression.held_out
        parts = [self.parts_of(model.calls, held_out[model.name]) for model in self.profile.models]
        return self.held_out_us(self.terms.names, self.terms.cache_mib, parts)

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
            one = self.profile.kernels[digest]
            sort = self.regression.sort_for(one.operator, one.key, one.cost)
            is_own = any(digest in errors for errors in self.regression.held_out.values())
            found.append((one.value_us * count, self.regression.spread.get(sort, 0.0) if is_own else 0.0))
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


def robust_weights(rows: Array, residual: Array, pull: Array) -> Array:
    """Return weights (n,) that leave models out which a first fit finds far off: they measure something else."""
    weights = np.ones(len(residual))
    for _ in range(5):
        solved = np.linalg.solve(rows.T @ (rows * weights[:, None]) + pull, rows.T @ (residual * weights))
        left = np.abs(residual - rows @ solved)
        width = max(0.01, 1.5 * float(np.median(left)))
        weights = np.minimum(1.0, width / np.maximum(left, 1e-9))
    return weights
