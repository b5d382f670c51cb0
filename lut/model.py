"""The additive latency model: a sum of measured layers, corrected by what whole networks showed.

Isolated layers pay for being isolated: a session's overhead each (on small layers), a layout conversion at each
border (on large activations). So the corrected latency is a combination, linear in a few physical sums over the
layers. Which terms are used is chosen by leave-one-out error, and the plain sum competes.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike, NDArray

from ..profilers.timing import Measurement
from ..supernets import LayerSpec, SearchSpace
from ..supernets.layers.registry import output_shape
from ..supernets.slots import SlotSum
from .errors import LutError
from .schema import FitReport
from .table import LatencyTable
from .verification import report_from_predictions

Array = NDArray[np.float64]

# Terms of each candidate, simplest first; the coefficients are fitted, except the plain sum's, which is one.
CANDIDATES: dict[str, tuple[str, ...]] = {
    "scaled sum": ("sum",),
    "scaled sum + constant": ("sum", "constant"),
    "scaled sum + layers": ("sum", "layers"),
    "scaled sum + borders": ("sum", "borders"),
    "scaled sum + layers + borders": ("sum", "layers", "borders"),
}
PLAIN = "plain sum"
TIE = 1.02  # a simpler model wins when its error is within 2 % of the best one's
MIN_NETWORKS = 10  # the fewest that a 90 % conformal interval can be read from


@dataclass(frozen=True, slots=True)
class LatencyEstimate:
    """Latencies of n architectures: value and 90 % interval, (n,) each, in microseconds; and where they come from.

    `source` is "composed" for sums of measured layers.
    """

    value_us: Array
    low_us: Array
    high_us: Array
    source: str


@dataclass(frozen=True)
class LatencyModel:
    """Predicts the latency of any architecture of a space; built by `fit`.

    `held_out_us` are the predictions of the networks it was fitted to, each from a fit without that network.
    """

    space: SearchSpace
    table: LatencyTable
    terms: tuple[str, ...]
    coefficients: tuple[float, ...]
    report: FitReport
    total: SlotSum
    constant_us: float
    held_out_us: tuple[float, ...]

    @staticmethod
    def fit(
        space: SearchSpace, table: LatencyTable, indices: Sequence[Sequence[int]], measured: Sequence[Measurement]
    ) -> LatencyModel:
        """Choose and fit a model on whole networks (`indices` (n, d) and their measurements).

        Raises LutError with fewer than ten networks, which cannot verify anything, InvalidArchitecture outside the
        space, and LatencyMissing when the table lacks a layer of one of the networks.
        """
        if len(measured) < MIN_NETWORKS:
            raise LutError(
                f"{len(measured)} whole networks were measured; it takes {MIN_NETWORKS} to verify a latency model"
            )
        rows = np.vstack([space.check([row]) for row in indices])
        table.require(layers_of(space, rows))
        per_layer = {"sum": table.value_or_nan, "layers": lambda spec: 1.0, "borders": border_kib}
        truth = np.array([measurement.value_us for measurement in measured])
        columns = {term: space.slot_sum(value_of)(rows) for term, value_of in per_layer.items()}
        columns["constant"] = np.ones(len(rows))
        held_out = {PLAIN: columns["sum"]}
        for name, terms in CANDIDATES.items():
            held_out[name] = leave_one_out(np.column_stack([columns[term] for term in terms]), truth)
        errors = {name: 100 * float(np.mean(np.abs(p - truth) / truth)) for name, p in held_out.items()}
        good_enough = TIE * min(errors.values()) + 1e-6
        best = next(name for name in (PLAIN, *CANDIDATES) if errors[name] <= good_enough)
        terms = CANDIDATES.get(best, ("sum",))
        coefficients = (1.0,) if best == PLAIN else solve(np.column_stack([columns[t] for t in terms]), truth)
        fitted = dict(zip(terms, coefficients))
        constant_us = fitted.pop("constant", 0.0)
        return LatencyModel(
            space=space,
            table=table,
            terms=terms,
            coefficients=coefficients,
            report=report_from_predictions(best, held_out[best], measured, errors),
            total=space.slot_sum(lambda spec: sum(c * per_layer[term](spec) for term, c in fitted.items())),
            constant_us=constant_us,
            held_out_us=tuple(float(us) for us in held_out[best]),
        )

    def contribution_us(self, spec: LayerSpec) -> float:
        """Return what a layer adds to every prediction it is part of; raises LatencyMissing.

        The contributions of a network's layers and what belongs to no layer (the constant) sum to its prediction.
        """
        value_of = {"sum": self.table.value_us, "layers": lambda spec: 1.0, "borders": border_kib}
        fitted = zip(self.terms, self.coefficients)
        return sum(coefficient * value_of[term](spec) for term, coefficient in fitted if term != "constant")

    def predict(self, indices: ArrayLike) -> LatencyEstimate:
        """Estimate the latency of architectures, (n, d); more than a million a second on one core.

        Raises InvalidArchitecture, and LatencyMissing when one runs a layer that was not measured.
        """
        rows = self.space.check(indices)
        value = self.total(rows) + self.constant_us
        unknown = np.flatnonzero(np.isnan(value))
        if len(unknown):
            self.table.require(layers_of(self.space, rows[unknown[:1]]))
        ratio = self.report.interval_ratio
        return LatencyEstimate(value, value / ratio, value * ratio, "composed")


def layers_of(space: SearchSpace, rows: NDArray[np.int64]) -> tuple[LayerSpec, ...]:
    """Return every layer that some architecture of `rows` (n, d) runs, once each."""
    return tuple(dict.fromkeys(spec for row in rows for spec in space.layers(space.architecture(row))))


def solve(columns: Array, truth: Array) -> tuple[float, ...]:
    """Return the coefficients with the least squared relative error, for columns (n, k) and truth (n,)."""
    scaled = columns / truth[:, None]
    coefficients, *_ = np.linalg.lstsq(scaled, np.ones(len(truth)), rcond=None)
    return tuple(float(coefficient) for coefficient in coefficients)


def leave_one_out(columns: Array, truth: Array) -> Array:
    """Return each row's prediction by the fit to all other rows, (n,).

    Closed form for least squares: the residual of row i is divided by one minus its leverage.
    """
    scaled = columns / truth[:, None]
    leverage = np.einsum("ij,ji->i", scaled, np.linalg.pinv(scaled))
    fitted = scaled @ np.array(solve(columns, truth))
    return np.asarray(truth * (1 - (1 - fitted) / np.maximum(1 - leverage, 1e-9)), dtype=np.float64)


def border_kib(spec: LayerSpec) -> float:
    """Return how much data crosses the layer's borders, both ways, in KiB of fp32."""
    return 4 * (math.prod(spec.input_shape) + math.prod(output_shape(spec))) / 1024
