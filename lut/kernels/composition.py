"""From kernels to a model: the sum, what whole models show beyond it, and the interval.

Combinations of terms (`terms.py`) compete, and how far off the chosen one is on models that had no part in the choice
is found as for the latency models of spaces (`latency_model/choice.py`). But errors of few models do not depend on each
other so much that the interval were too narrow: terms are pulled towards the plain sum, and cannot bend to each model.
"""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property

import numpy as np
from numpy.typing import NDArray

from ..latency_model.choice import Choice
from ..latency_model.fit_report import FitReport
from ..latency_model.verification import conformal_quantile, report_from_predictions, session_log_ratio
from .profile_file.profile import KernelProfile
from .regression import KernelRegression
from .terms import Part, Terms, TermsFit, combinations, quantities, sizes_for

Array = NDArray[np.float64]

COVERAGE = 0.9
LEAST_MODELS = 10  # from which an interval of 90 % can be told


@dataclass(frozen=True)
class Composition:
    """The fitted terms of a profile, how far they were off on models left out, and the interval that follows."""

    profile: KernelProfile
    regression: KernelRegression

    def fit(self) -> None:
        """Fit all that predictions take; later calls of anything else here take no time."""
        if self.is_verified:
            _ = self.report, self.quantile, self.doubt_factor

    @property
    def is_verified(self) -> bool:
        """Whether there are whole models enough to tell terms and an interval."""
        return len(self.profile.models) >= LEAST_MODELS

    @cached_property
    def parts(self) -> list[list[Part]]:
        """The calls of each whole model, all measured."""
        return [self.parts_of(model.calls, {}) for model in self.profile.models]

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

    @cached_property
    def fits(self) -> list[TermsFit]:
        """Every combination of terms, fitted to all whole models, simplest first."""
        tried = combinations(sizes_for(self.profile.header.hardware))
        rows = {size: rows_of(self.parts, size) for size in {size for _, size in tried}}
        return [TermsFit(names, size, rows[size], self.profile.call_us, self.truth_us) for names, size in tried]

    @cached_property
    def chosen(self) -> Choice:
        """The choice among all combinations, for what was measured."""
        return Choice.of((one.competitor for one in self.fits), np.ones((1, len(self.truth_us))))

    @cached_property
    def form(self) -> TermsFit:
        """The combination that is chosen."""
        return self.fits[int(self.chosen.best[0])]

    @cached_property
    def terms(self) -> Terms:
        """The terms chosen; the plain sum where too few whole models could tell."""
        return self.form.terms if self.is_verified else Terms((), 0.0, ())

    @cached_property
    def quantile(self) -> float:
        """What nine of ten log ratios of truth and honest prediction keep to, scaled down by their leverage."""
        return conformal_quantile(self.chosen.scores[0], COVERAGE)

    @cached_property
    def between_sessions(self) -> float:
        """The log ratio that another process adds."""
        return session_log_ratio(self.profile.processes)

    @cached_property
    def report(self) -> FitReport:
        """The verified error with all kernels measured, from models that had no part in fit and choice."""
        if not self.is_verified:
            return FitReport.unverified("kernels")
        errors: dict[str, float] = {}
        for one, error in zip(self.fits, np.abs(self.chosen.errors[:, 0]).mean(axis=1).tolist()):
            name = "+".join(one.names) or "sum"
            errors[name] = min(100 * error, errors.get(name, math.inf))
        return report_from_predictions(
            "kernels",
            self.truth_us * (1 - self.chosen.honest_errors[0]),
            [model.measurement for model in self.profile.models],
            errors,
            coverage=COVERAGE,
            between_sessions=self.between_sessions,
        )

    @cached_property
    def held_out_new(self) -> Array:
        """Each model's latency with the kernels that it alone has predicted, left out of both fits, (n,)."""
        held_out = self.regression.held_out
        parts = [self.parts_of(model.calls, held_out[model.name]) for model in self.profile.models]
        return self.form.held_out_us(rows_of(parts, self.form.cache_mib))

    @cached_property
    def doubt_factor(self) -> float:
        """By how much the doubt of predicted kernels is to be widened so that nine of ten models keep to it."""
        errors = np.abs(np.log(self.truth_us / self.held_out_new))
        known = np.hypot(self.quantile / np.sqrt(1 - self.form.leverages), self.between_sessions)
        spread = [self.spread(parts, self.doubts_of(m.calls)) for parts, m in zip(self.parts, self.profile.models)]
        return conformal_quantile(errors / np.hypot(known, spread), COVERAGE)

    def doubts_of(self, calls: Mapping[str, int]) -> list[float]:
        """Return the log ratio of each kernel of a model of the profile, as if those of its own were predicted."""
        sorts, spread_of = self.regression.sorts, self.regression.spread_of
        return [(spread_of(sorts[digest]) or 0.0) if digest in self.own else 0.0 for digest in calls]

    @cached_property
    def own(self) -> frozenset[str]:
        """The kernels that one whole model alone has, by digest."""
        return frozenset(digest for errors in self.regression.held_out.values() for digest in errors)

    def spread(self, parts: Sequence[Part], doubts: Sequence[float]) -> float:
        """Return the log ratio that kernels which are known to a log ratio each add to a model's.

        Errors of kernels are taken to be half their own and half shared: kernels of one sort err alike.
        """
        times = np.array([part.value_us * part.count for part in parts])
        each = times / (times.sum() or 1.0) * np.array(doubts)
        return math.sqrt(0.5 * float(np.sum(each**2)) + 0.5 * float(np.sum(each)) ** 2)

    def log_ratio(self, parts: Sequence[Part], doubts: Sequence[float]) -> float:
        """Return the log ratio of the 90 % interval of a model, of whose kernels some were predicted.

        doubts: the log ratio that the time of each part is known to; 0 for one that was measured.
        """
        row, value_us = quantities(parts, self.terms.cache_mib), self.terms.value_us(parts, self.profile.call_us)
        own = self.quantile * math.sqrt(1 + self.form.leverage(row, value_us))
        known = math.hypot(own, self.between_sessions)
        if not any(doubts):
            return known
        return max(known, self.doubt_factor * math.hypot(known, self.spread(parts, doubts)))


def rows_of(models: Sequence[Sequence[Part]], cache_mib: float) -> Array:
    """Return the quantities of models, (n, 4)."""
    return np.array([quantities(parts, cache_mib) for parts in models])
