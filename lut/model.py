"""The latency model: a sum over layers, corrected by what whole networks showed.

Every candidate (`candidates.py`) is fitted to the whole networks and judged by its leave-one-out error; the plain sum
of the measured layers competes. Where no sum of measured layers comes near the truth, or no layer was measured, a
regression on physical quantities predicts the whole network, and the report says so.
"""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike, NDArray

from ..profilers.timing import Measurement
from ..supernets import LayerSpec, SearchSpace
from ..supernets.slots import SlotSum
from .candidates import PLAIN, CandidateFit, Design
from .errors import LutError
from .estimate import COMPOSED, PREDICTED, SOURCES, LatencyEstimate
from .schema import FitReport
from .table import LatencyTable
from .terms import layers_of
from .verification import conformal_quantile, mape_percent, report_from_predictions

Array = NDArray[np.float64]

TIE = 1.02  # a simpler model wins when its error is within 2 % of the best one's
ADDITIVITY_FAILS = 10.0  # percent; beyond it a regression may replace the sum of measured layers
MIN_NETWORKS = 10  # the fewest that a 90 % conformal interval can be read from


@dataclass(frozen=True)
class LatencyModel:
    """Predicts the latency of any architecture of a space; built by `fit`, or by `unverified` without networks.

    contributions_us: what each layer adds to a network; constant_us: what every network pays once. held_out_us: the
    predictions of the networks it was fitted to, each from a fit without that network. is_composed: whether it sums
    measured layers.
    """

    space: SearchSpace
    table: LatencyTable
    report: FitReport
    contributions_us: Mapping[LayerSpec, float]
    constant_us: float
    total: SlotSum
    leverage: Leverage | None
    held_out_us: tuple[float, ...]
    is_composed: bool

    @staticmethod
    def unverified(space: SearchSpace, table: LatencyTable) -> LatencyModel:
        """Return the plain sum of the table, of which nothing is known: it gives values without intervals."""
        added = {spec: table.value_or_nan(spec) for spec in space.unique_layers()}
        total = space.slot_sum(added.__getitem__)
        return LatencyModel(space, table, FitReport.unverified(PLAIN.name), added, 0.0, total, None, (), True)

    @staticmethod
    def fit(
        space: SearchSpace, table: LatencyTable, indices: Sequence[Sequence[int]], measured: Sequence[Measurement]
    ) -> LatencyModel:
        """Choose and fit a model on whole networks (`indices` (n, d) and their measurements).

        Raises LutError with fewer than ten networks, which cannot verify anything, InvalidArchitecture outside the
        space, and LatencyMissing when the table, unless it is empty, lacks a layer of one of the networks.
        """
        if len(measured) < MIN_NETWORKS:
            raise LutError(
                f"{len(measured)} whole networks were measured; it takes {MIN_NETWORKS} to verify a latency model"
            )
        rows = np.vstack([space.check([row]) for row in indices])
        truth = np.array([measurement.value_us for measurement in measured])
        design = Design.of(space, table, rows)
        found = [design.fitted(candidate, truth) for candidate in design.candidates()]
        errors = {f.candidate.name: mape_percent(f.fit.held_out, truth) for f in found}
        best = simplest_of_the_best(found, errors)
        log_ratios = np.abs(np.log(truth / np.maximum(best.fit.held_out, 1e-3)))
        quantile = conformal_quantile(log_ratios * np.sqrt(np.maximum(1 - best.fit.leverages, 0)), 0.9)
        contributions = dict(zip(design.layers, best.added_us.tolist()))
        return LatencyModel(
            space=space,
            table=table,
            report=report_from_predictions(best.candidate.name, best.fit.held_out, measured, errors),
            contributions_us=contributions,
            constant_us=best.constant_us,
            total=space.slot_sum(contributions.__getitem__),
            leverage=Leverage.of(design, best, quantile),
            held_out_us=tuple(float(us) for us in best.fit.held_out),
            is_composed=best.candidate.is_composed,
        )

    def value_us(self, indices: ArrayLike) -> Array:
        """Return the latencies alone, (n,) for (n, d) architectures; millions a second on one core.

        Raises InvalidArchitecture, and LatencyMissing when one runs a layer without a latency.
        """
        rows = self.space.check(indices)
        value = self.total(rows) + self.constant_us
        unknown = np.flatnonzero(np.isnan(value))
        if len(unknown):
            self.table.require(layers_of(self.space, rows[unknown[:1]]))
        return value

    def predict(self, indices: ArrayLike) -> LatencyEstimate:
        """Estimate the latency of architectures, (n, d), with 90 % interval and source; raises as `value_us`."""
        rows = self.space.check(indices)
        value = self.value_us(rows)
        log_ratio = None if self.leverage is None else self.leverage.log_ratio(rows, value)
        if not self.is_composed or not self.table.predicted:
            source = np.full(len(rows), COMPOSED if self.is_composed else PREDICTED)
            return LatencyEstimate(value, log_ratio, source)
        rank = {spec: float(SOURCES.index(self.table.source(spec))) for spec in self.contributions_us}
        source = np.array(SOURCES)[slot_max(self.space, rank, rows)]
        doubt = {spec: self.table.doubt(spec) * abs(us) for spec, us in self.contributions_us.items()}
        if log_ratio is not None:
            log_ratio = np.hypot(log_ratio, self.space.slot_sum(doubt.__getitem__)(rows) / value)
        return LatencyEstimate(value, log_ratio, source)

    def contribution_us(self, spec: LayerSpec) -> float:
        """Return what a layer adds to a network's latency, corrections included; raises LatencyMissing."""
        if math.isnan(self.contributions_us.get(spec, math.nan)):
            self.table.require((spec,))
        return self.contributions_us[spec]


@dataclass(frozen=True)
class Leverage:
    """Widens the interval where an architecture lies outside the measured networks.

    quantile: 90 % of the held-out log ratios, each scaled down by its own leverage, are at most this. sums: one a
    fitted term, None for the constant.
    """

    quantile: float
    spread: Array
    sums: tuple[SlotSum | None, ...]

    @staticmethod
    def of(design: Design, best: CandidateFit, quantile: float) -> Leverage:
        """Build it for the chosen candidate."""
        tables = [None if t == "constant" else dict(zip(design.layers, design.values[t])) for t in best.candidate.terms]
        sums = tuple(None if table is None else design.space.slot_sum(table.__getitem__) for table in tables)
        return Leverage(quantile, best.fit.spread, sums)

    def log_ratio(self, rows: NDArray[np.int64], value_us: Array) -> Array:
        """Return the logarithm of the interval's factor, (n,)."""
        columns = [np.ones(len(rows)) if total is None else total(rows) for total in self.sums]
        scaled = np.column_stack(columns) / value_us[:, None]
        leverage = np.einsum("ij,jk,ik->i", scaled, self.spread, scaled, optimize=True)
        return np.asarray(self.quantile * np.sqrt(1 + leverage), dtype=np.float64)


def slot_max(space: SearchSpace, rank: Mapping[LayerSpec, float], rows: NDArray[np.int64]) -> NDArray[np.int64]:
    """Return the highest rank among the layers that each architecture runs, (n,)."""
    highest = np.zeros(len(rows), dtype=np.int64)
    for value in sorted(set(rank.values()) - {0.0}):
        runs_any = space.slot_sum(lambda spec, value=value: float(rank[spec] == value))(rows) > 0  # type: ignore[misc]
        highest[runs_any] = int(value)
    return highest


def simplest_of_the_best(found: Sequence[CandidateFit], errors: Mapping[str, float]) -> CandidateFit:
    """Return the first that is about as good as the best; one that sums measured layers, unless additivity fails."""
    composed = [f for f in found if f.candidate.is_composed]
    additive = bool(composed) and min(errors[f.candidate.name] for f in composed) <= ADDITIVITY_FAILS
    pool = composed if additive else list(found)
    good_enough = TIE * min(errors[f.candidate.name] for f in pool) + 1e-6
    return next(f for f in pool if errors[f.candidate.name] <= good_enough)
