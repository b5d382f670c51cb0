"""Latencies of layers that were never measured, from layers that were.

A layer that was measured at other sizes of the same input is interpolated: between two sizes its latency is taken as a
straight line over the pixels (of a sequence, the tokens), beyond them the line is continued and flagged; from a single
size it is scaled by the pixels, flagged likewise. Any other layer is predicted by a
Gaussian process (Rasmussen & Williams 2006, chapter 2) of log latency on the logs of its physical quantities and
attributes, with a linear mean, whose length scale and noise are chosen by leave-one-out error. Either way the error on
layers left out becomes the layer's interval.
"""

from __future__ import annotations

import math
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property

import numpy as np
from numpy.typing import NDArray

from ...supernets import LayerSpec
from ...supernets.layers.registry import output_shape
from ..errors import LutError
from .estimate import EXTRAPOLATED, INTERPOLATED, PREDICTED
from .table import LatencyTable, PredictedLayer
from .terms import PHYSICAL
from .verification import conformal_quantile

Array = NDArray[np.float64]

MIN_LAYERS = 10  # the fewest from which a kind's latency is predicted with an interval
LENGTHS = (1.0, 2.0, 4.0, 8.0)
NOISES = (0.01, 0.03, 0.1, 0.3)
MOST = 1_000  # layers a Gaussian process is fitted to: its cost is cubic
EXTRAPOLATION_DOUBT = 3.0  # a line continued is trusted this much less than one between two points


def with_predictions(table: LatencyTable, layers: Iterable[LayerSpec]) -> LatencyTable:
    """Return the table with a predicted latency, flagged as such, for those of `layers` that it lacks.

    Raises LutError when a kind of layer was measured too seldom to predict from it.
    """
    absent = [spec for spec in dict.fromkeys(layers) if math.isnan(table.value_or_nan(spec))]
    known = {LayerSpec.from_key(key): measurement.value_us for key, measurement in table.measurements.items()}
    sizes = SizeCurves.of(known)
    predicted = {spec.key: found for spec in absent if (found := sizes.at(spec)) is not None}
    rest = [spec for spec in absent if spec.key not in predicted]
    for sort in dict.fromkeys(sort_of(spec) for spec in rest):
        wanted = [spec for spec in rest if sort_of(spec) == sort]
        alike = {spec: us for spec, us in known.items() if sort_of(spec) == sort}
        regression = LayerRegression.fit(alike, wanted[0].kind)
        values = regression.predict_us(wanted)
        predicted |= {s.key: PredictedLayer(us, regression.log_ratio, PREDICTED) for s, us in zip(wanted, values)}
    return LatencyTable(table.measurements, table.failures, {**table.predicted, **predicted})


def sort_of(spec: LayerSpec) -> tuple[object, ...]:
    """Return what layers have in common that are predicted from each other: kind, and what their features stand for."""
    ranks = tuple((len(one.shape), one.dtype) for one in spec.all_inputs)
    return (spec.kind, ranks, len(output_shape(spec)), tuple(name for name, _ in spec.attributes))


@dataclass(frozen=True)
class SizeCurves:
    """Measured latencies over the input's size, one curve a layer, which is all but its pixels or tokens."""

    curves: Mapping[tuple[object, ...], tuple[tuple[float, float], ...]]

    @staticmethod
    def of(known: Mapping[LayerSpec, float]) -> SizeCurves:
        """Group layers that differ in size alone; values are in microseconds."""
        curves: dict[tuple[object, ...], list[tuple[float, float]]] = {}
        for spec, us in known.items():
            curves.setdefault(without_size(spec), []).append((pixels(spec), us))
        return SizeCurves({layer: tuple(sorted(points)) for layer, points in curves.items()})

    def at(self, spec: LayerSpec) -> PredictedLayer | None:
        """Return the layer's latency at its size, or None where no other size of it is known."""
        points = self.curves.get(without_size(spec), ())
        if not points or pixels(spec) <= 0:
            return None
        if len(points) == 1:
            scale = pixels(spec) / points[0][0]
            doubt = EXTRAPOLATION_DOUBT * self.log_ratio + abs(math.log(scale)) / 2
            return PredictedLayer(points[0][1] * scale, doubt, EXTRAPOLATED)
        value = on_the_line(points, pixels(spec))
        if value <= 0:
            return None
        inside = points[0][0] <= pixels(spec) <= points[-1][0]
        doubt = self.log_ratio * (1.0 if inside else EXTRAPOLATION_DOUBT)
        return PredictedLayer(value, doubt, INTERPOLATED if inside else EXTRAPOLATED)

    @cached_property
    def log_ratio(self) -> float:
        """The log ratio that nine of ten inner points keep to when they are left out and interpolated."""
        scores = []
        for points in self.curves.values():
            for position in range(1, len(points) - 1):
                size, us = points[position]
                between = on_the_line((*points[:position], *points[position + 1 :]), size)
                scores.append(abs(math.log(us / between)))
        return conformal_quantile(np.array(scores), 0.9) if len(scores) >= MIN_LAYERS else 0.2


def without_size(spec: LayerSpec) -> tuple[object, ...]:
    """Return what is left of a layer when its height and width, or its tokens, are taken away.

    Nothing is taken from a layer of several inputs or of none that has a size.
    """
    if len(spec.all_inputs) > 1 or not spec.input_shape:
        return (spec,)
    rest = spec.input_shape[:1] if len(spec.input_shape) == 3 else spec.input_shape[1:]
    return (spec.kind, len(spec.input_shape), rest, spec.attributes, tuple(one.range for one in spec.inputs))


def pixels(spec: LayerSpec) -> float:
    """Return the pixels of a layer's work: the mean of input and output, as both are passed over; or its tokens.

    One for an input of a single number.
    """
    if len(spec.input_shape) != 3:
        return float(spec.input_shape[0]) if spec.input_shape else 1.0
    return (math.prod(spec.input_shape[1:]) + math.prod(output_shape(spec)[1:])) / 2


def on_the_line(points: Sequence[tuple[float, float]], size: float) -> float:
    """Return the value at `size` on the line through the two points around it, or nearest to it."""
    above = next((i for i, (at, _) in enumerate(points) if at >= size), len(points) - 1)
    (x0, y0), (x1, y1) = points[max(above - 1, 0)], points[max(above, 1)]
    return y0 + (y1 - y0) * (size - x0) / (x1 - x0)


@dataclass(frozen=True)
class LayerRegression:
    """A Gaussian process of log latency over a kind's features. log_ratio: of its 90 % interval, held out."""

    features: Array
    centre: Array
    scale: Array
    mean: Array
    weights: Array
    length: float
    log_ratio: float

    @staticmethod
    def fit(known: Mapping[LayerSpec, float], kind: str) -> LayerRegression:
        """Fit layers of one kind (latencies in microseconds); raises LutError for fewer than ten."""
        if len(known) < MIN_LAYERS:
            raise LutError(
                f"{len(known)} layers of kind {kind!r} were measured; it takes {MIN_LAYERS} to predict others of it. "
                "Profile more of them, or the space itself"
            )
        layers = list(known)[:: max(1, math.ceil(len(known) / MOST))]
        raw, target = features_of(layers), np.log([known[spec] for spec in layers])
        centre, scale = raw.mean(axis=0), raw.std(axis=0)
        scale[scale < 1e-9] = np.inf  # what never varied says nothing
        features = (raw - centre) / scale
        mean = linear_mean(features, target)
        residual = target - with_one(features) @ mean
        length, noise = min(
            ((length, noise) for length in LENGTHS for noise in NOISES),
            key=lambda pair: float(np.mean(held_out_error(features, residual, *pair) ** 2)),
        )
        inverse = np.linalg.inv(kernel(features, features, length) + noise**2 * np.eye(len(layers)))
        error = np.abs(held_out_error(features, residual, length, noise))
        return LayerRegression(
            features, centre, scale, mean, inverse @ residual, length, conformal_quantile(error, 0.9)
        )

    def predict_us(self, layers: Sequence[LayerSpec]) -> list[float]:
        """Return the layers' latencies in microseconds."""
        features = (features_of(layers) - self.centre) / self.scale
        smooth = kernel(features, self.features, self.length) @ self.weights
        return [float(us) for us in np.exp(with_one(features) @ self.mean + smooth)]


def features_of(layers: Sequence[LayerSpec]) -> Array:
    """Return the logs of quantities, sizes and attributes of layers of one kind, (L, d); words are numbered."""
    rows = []
    for spec in layers:
        quantities = [math.log1p(1000 * value_of(spec)) for value_of in PHYSICAL.values()]
        taken = [size for one in spec.all_inputs for size in (*one.shape, *(one.range or ()))]
        sizes = [math.log1p(size) for size in (*taken, *output_shape(spec))]
        attributes = [math.log1p(v if isinstance(v, int) else sum(v.encode())) for _, v in spec.attributes]
        rows.append(quantities + sizes + attributes)
    return np.array(rows)


def with_one(features: Array) -> Array:
    """Append a column of ones."""
    return np.column_stack([features, np.ones(len(features))])


def linear_mean(features: Array, target: Array) -> Array:
    """Return ridge coefficients, constant last."""
    columns = with_one(features)
    penalty = 1e-3 * len(features) * np.eye(columns.shape[1])
    penalty[-1, -1] = 0.0
    return np.asarray(np.linalg.solve(columns.T @ columns + penalty, columns.T @ target))


def kernel(a: Array, b: Array, length: float) -> Array:
    """Return a squared exponential in units of the residual, (len(a), len(b))."""
    squared = np.maximum((a**2).sum(1)[:, None] + (b**2).sum(1)[None] - 2 * a @ b.T, 0)
    return np.asarray(0.3**2 * np.exp(-squared / (2 * length**2)))


def held_out_error(features: Array, residual: Array, length: float, noise: float) -> Array:
    """Return each residual's error when predicted from the others (closed form), (n,)."""
    inverse = np.linalg.inv(kernel(features, features, length) + noise**2 * np.eye(len(features)))
    return np.asarray(inverse @ residual / np.diag(inverse))
