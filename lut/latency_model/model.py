"""The latency model: a sum over layers, corrected by measurements of whole networks.

Every candidate (`candidates.py`) is fitted to the whole networks and judged by its leave-one-out error; the plain sum
of the measured layers competes. The best is taken (`choice.py`), or a weighted mean of several (`stacking.py`). Where
no sum of measured layers comes near the truth, or no layer was measured, a regression on physical quantities predicts
the whole network, and the report says so.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass, replace
from functools import cached_property

import numpy as np
from numpy.typing import ArrayLike, NDArray

from ...profilers.timing.measurement import Measurement
from ...supernets import LayerSpec, SearchSpace
from ...supernets.space.slots import SlotSum
from ..errors import LutError
from .candidates import NETWORK_TERMS, PLAIN, CandidateFit, Design, term_values
from .choice import FEW, widening
from .estimate import COMPOSED, PREDICTED, SOURCES, LatencyEstimate
from .fit_report import FitReport
from .shrinkage import ShrunkFit
from .stacking import StackedFit, Stacking
from .table import LatencyTable
from .terms import runs_of, weight_kib
from .verification import SESSION_LOG_RATIO, conformal_quantile, report_from_predictions

Array = NDArray[np.float64]

COVERAGE = 0.9  # of intervals
MIN_NETWORKS = 10  # the fewest that a 90 % conformal interval can be read from


@dataclass(frozen=True, repr=False)
class LatencyModel:
    """Predicts the latency of any architecture of a space; built by `fit`, or by `unverified` without networks.

    form: the candidates chosen, and their fits. quantile: 90 % of new networks' log ratios, scaled down by their
    leverage, are at most this; None when nothing was held out. held_out_us: the predictions of the networks it was
    fitted to, each from a choice and a fit without that network. between_sessions: the log ratio that another process
    adds.
    common_log_ratio: how uncertain a factor common to all latencies is besides, as the log ratio of a 90 % interval.
    """

    space: SearchSpace
    table: LatencyTable
    report: FitReport
    form: StackedFit
    quantile: float | None = None
    held_out_us: tuple[float, ...] = ()
    between_sessions: float = SESSION_LOG_RATIO
    common_log_ratio: float = 0.0

    def __repr__(self) -> str:
        return f"LatencyModel({self.space.name}: {self.report.model}; {self.report.sentence()})"

    @staticmethod
    def unverified(space: SearchSpace, table: LatencyTable) -> LatencyModel:
        """Return the plain sum of the table, whose error is unknown: it gives values without intervals."""
        nothing = ShrunkFit(np.ones(1), np.zeros(0), np.zeros(0), np.zeros((1, 1)), np.zeros(0), np.zeros((0, 0)))
        plain = StackedFit(((1.0, CandidateFit(PLAIN, nothing, {})),))
        return LatencyModel(space, table, FitReport.unverified(PLAIN.name), plain)

    @staticmethod
    def fit(
        space: SearchSpace,
        table: LatencyTable,
        indices: Sequence[Sequence[int]],
        measured: Sequence[Measurement],
        *,
        between_sessions: float = SESSION_LOG_RATIO,
    ) -> LatencyModel:
        """Choose and fit a model on whole networks (`indices` (n, d) and their measurements).

        `between_sessions` is the log ratio that another process adds (`verification.session_log_ratio`).

        Raises LutError with fewer than ten networks, which cannot verify anything, and for times that no model can be
        fitted to, InvalidArchitecture outside the space, and LatencyMissing when the table, unless it is empty, lacks a
        layer of one of the networks.
        """
        networks = [space.layers(space.architecture(row)) for row in (space.check([row])[0] for row in indices)]
        runs = [runs_of(space)] * len(networks)
        return LatencyModel.fit_layers(space, table, networks, measured, runs, between_sessions=between_sessions)

    @staticmethod
    def fit_layers(
        space: SearchSpace,
        table: LatencyTable,
        networks: Sequence[Sequence[LayerSpec]],
        measured: Sequence[Measurement],
        runs: Sequence[int],
        *,
        between_sessions: float = SESSION_LOG_RATIO,
    ) -> LatencyModel:
        """Choose and fit a model on networks given as layers, which may be of other spaces; raises as `fit`.

        `runs` says how often the models of each network run, all together.
        """
        if len(measured) < MIN_NETWORKS:
            raise LutError(
                f"{len(measured)} whole networks were measured; it takes {MIN_NETWORKS} to verify a latency model"
            )
        truth = np.array([measurement.value_us for measurement in measured])
        design = Design.of(networks, table, runs)
        candidates = design.candidates()
        try:
            found = [design.fitted(one, truth) for one in candidates]
            stacking = Stacking.of(found, truth)
            wider = widening(design, found, stacking.best, truth, COVERAGE) if len(truth) < FEW else 1.0
        except np.linalg.LinAlgError:
            raise LutError(
                f"no latency model can be fitted to networks of {truth.min():.3g} to {truth.max():.3g} us, so far are "
                "they from the sums of their layers; some of these times are damaged: profile the space again"
            ) from None
        return LatencyModel(
            space=space,
            table=table,
            report=report_from_predictions(
                stacking.form.name,
                truth * (1 - stacking.honest_errors),
                measured,
                {one.name: float(error) for one, error in zip(candidates, 100 * stacking.mean_errors)},
                coverage=COVERAGE,
                widening=wider,
                between_sessions=between_sessions,
            ),
            form=stacking.form,
            quantile=wider * conformal_quantile(stacking.scores, COVERAGE),
            held_out_us=tuple(float(us) for us in truth * (1 - stacking.honest_errors)),
            between_sessions=between_sessions,
        )

    def widened(self, log_ratio: float) -> LatencyModel:
        """Return the model with intervals that allow for an uncertain factor common to all latencies besides."""
        ratio = self.report.interval_ratio
        if ratio is not None:
            ratio = math.exp(math.hypot(math.log(ratio), log_ratio))
        report = self.report.model_copy(update={"interval_ratio": ratio})
        return replace(self, report=report, common_log_ratio=math.hypot(self.common_log_ratio, log_ratio))

    @property
    def is_composed(self) -> bool:
        """Whether it sums the table's layers; else it knows layers by their physical quantities alone."""
        return self.form.is_composed

    @property
    def takes_layers(self) -> bool:
        """Whether a prediction takes the table's latency of each layer: a mean may sum them in part."""
        return self.form.takes_layers

    def value_us(self, indices: ArrayLike) -> Array:
        """Return the latencies alone, (n,) for (n, d) architectures; millions a second on one core.

        Raises InvalidArchitecture, and LatencyMissing when one runs a layer without a latency.
        """
        rows = self.space.check(indices)
        value = self._total(rows) + self.form.fixed_us(runs_of(self.space), self.weights_kib(rows))
        unknown = np.flatnonzero(np.isnan(value))
        if len(unknown):
            self.table.require(self.space.layers(self.space.architecture(rows[unknown[0]])))
        return value

    def predict(self, indices: ArrayLike) -> LatencyEstimate:
        """Estimate the latency of architectures, (n, d), with 90 % interval and source; raises as `value_us`."""
        rows = self.space.check(indices)
        value = self.value_us(rows)
        log_ratio = None
        if self.quantile is not None:
            log_ratio = np.hypot(self.quantile * np.sqrt(1 + self._leverage(rows, value)), self.between_sessions)
            log_ratio = np.hypot(log_ratio, self.common_log_ratio)
        source = np.full(len(rows), COMPOSED if self.is_composed else PREDICTED)
        if not self.takes_layers or not self.table.predicted:
            return LatencyEstimate(value, log_ratio, source)
        for name in SOURCES[1:] if self.is_composed else ():
            runs_any = self.space.slot_sum(lambda spec, name=name: float(self.table.source(spec) == name))(rows) > 0  # type: ignore[misc]
            source = np.where(runs_any, name, source)
        doubt_us = {spec: self.table.doubt(spec) * abs(us) for spec, us in self.contributions_us.items()}
        if log_ratio is not None:
            log_ratio = np.hypot(log_ratio, self.space.slot_sum(doubt_us.__getitem__)(rows) / value)
        return LatencyEstimate(value, log_ratio, source)

    def weights_kib(self, rows: NDArray[np.int64]) -> Array:
        """Return the weights of architectures (n, d), (n,), as far as the latency depends on them: else zeros."""
        return self._weights(rows) if self.form.spills else np.zeros(len(rows))

    @cached_property
    def contributions_us(self) -> dict[LayerSpec, float]:
        """What each layer of the space adds to a network's latency; not-a-number for one without a latency."""
        layers = self.space.unique_layers()
        return dict(zip(layers, self.form.added_us(layers, self.table).tolist()))

    def contribution_us(self, spec: LayerSpec) -> float:
        """Return what a layer adds to a network's latency, corrections included; raises LatencyMissing."""
        if math.isnan(self.contributions_us.get(spec, math.nan)):
            self.table.require((spec,))
        return self.contributions_us[spec]

    @cached_property
    def _total(self) -> SlotSum:
        return self.space.slot_sum(self.contributions_us.__getitem__)

    @cached_property
    def _weights(self) -> SlotSum:
        return self.space.slot_sum(weight_kib)

    @cached_property
    def _term_sums(self) -> dict[str, SlotSum]:
        layers = self.space.unique_layers()
        values = term_values(layers, self.table)
        by_layer = {term: dict(zip(layers, values[term])) for term in self.form.terms if term not in NETWORK_TERMS}
        return {term: self.space.slot_sum(found.__getitem__) for term, found in by_layer.items()}

    def _leverage(self, rows: NDArray[np.int64], value_us: Array) -> Array:
        """Return how far architectures lie from the measured networks, (n,): what widens their interval."""
        terms = {term: total(rows) for term, total in self._term_sums.items()}
        return self.form.leverage(terms, value_us, runs_of(self.space), self.weights_kib(rows))
