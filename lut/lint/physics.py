"""Estimate a layer's latency, up to a common factor, from its physical quantities: a robust regression.

Features are physical (multiply-accumulates of dense and depthwise convolutions, elements moved, parameters), in
logarithms with their squares, and flags for the kind, the words and the presence of attributes. Where several kinds
have rows enough, each has slopes of its own: a decoder's step waits for its weights, an encoder's layer computes.
Layers of sequences are split into small products by what they count (heads, layers attended to), so these counts are
features. On the shipped profiles the residuals' scale is 0.5 to 5 %. The fit starts from the rows whose MACs per
second lie within a factor of 30 of the median, so a minority in another unit cannot pull it.
"""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from ...supernets import LayerSpec
from ...supernets.layers.operations import Operation, Residual, with_shapes
from ...supernets.layers.registry import macs, operations, params

Array = NDArray[np.float64]

START = math.log(30)
HUBER = 1.345  # scales beyond which a residual counts linearly: 95 % efficient on normal errors (Huber 1981)
RIDGE = 1e-3
CALL = 2e4  # MACs that a core does in the microseconds that the call of a runtime takes
ROWS_A_SLOPE = 12  # of a kind, for slopes of its own
FLOOR = 1e3  # added to counts before logarithms: below a thousand operations a call's overhead decides


@dataclass(frozen=True)
class Fit:
    """A robust regression: residuals (n,) of log time, their scale, and the coefficients (k,)."""

    coefficients: Array
    residuals: Array
    scale: float


def work_of(spec: LayerSpec) -> tuple[float, float, float, float]:
    """Return MACs of dense and of depthwise convolutions, elements read and written, and parameters."""
    dense, depthwise, moved = counted(operations(spec), spec.input_shape)
    moved += sum(math.prod(one.shape) for one in spec.inputs[1:])
    return dense, depthwise, moved, params(spec)


def counted(steps: tuple[Operation, ...], shape: tuple[int, ...]) -> tuple[float, float, float]:
    """Return dense MACs, depthwise MACs, and elements moved by a sequence of operations."""
    dense = depthwise = moved = 0.0
    for step, at in with_shapes(steps, shape):
        if isinstance(step, Residual):
            inner = counted(step.operations, at)
            dense, depthwise, moved = dense + inner[0], depthwise + inner[1], moved + inner[2] + 2 * math.prod(at)
            continue
        is_depthwise = bool(getattr(step, "depthwise", False))
        depthwise += step.macs(at) if is_depthwise else 0
        dense += 0 if is_depthwise else step.macs(at)
        moved += math.prod(at) + math.prod(step.output_shape(at))
    return dense, depthwise, moved


def features(specs: Sequence[LayerSpec]) -> Array:
    """Return the regression's columns, (n, k)."""
    attributes = [dict(spec.attributes) for spec in specs]
    pairs = [(name, value) for given in attributes for name, value in given.items()]
    words = sorted({(name, value) for name, value in pairs if isinstance(value, str)})
    optional = sorted({name for name, value in pairs if value == 0})
    strides = sorted({int(given.get("stride", 1)) for given in attributes})
    kinds = sorted({spec.kind for spec in specs})
    flags = [
        *([spec.kind == kind for spec in specs] for kind in kinds),
        *([given.get(name) == value for given in attributes] for name, value in words),
        *([given.get(name, 0) != 0 for given in attributes] for name in optional),
        *([given.get("stride", 1) == stride for given in attributes] for stride in strides[1:]),
    ]
    work = np.log(np.array([work_of(spec) for spec in specs], dtype=np.float64) + FLOOR)
    work -= work.mean(axis=0)
    members = [np.array([spec.kind == kind for spec in specs]) for kind in kinds]
    slopes = [work * member[:, None] for member in members if member.sum() >= ROWS_A_SLOPE]
    counted = [given if len(spec.input_shape) != 3 else {} for spec, given in zip(specs, attributes)]
    return np.column_stack(
        [np.array(flags, dtype=np.float64).T, work, work**2, *(slopes if len(slopes) > 1 else ()), counts_of(counted)]
    )


def counts_of(attributes: Sequence[Mapping[str, int | str]]) -> Array:
    """Return the centred logarithms of the whole-number attributes that vary, (n, k)."""
    names = sorted({name for given in attributes for name, value in given.items() if isinstance(value, int)})
    columns = [[math.log1p(count_of(given, name)) for given in attributes] for name in names]
    counts = np.array(columns, dtype=np.float64).reshape(len(names), len(attributes)).T
    varying = counts[:, np.ptp(counts, axis=0) > 0]
    return np.asarray(varying - varying.mean(axis=0))


def count_of(attributes: Mapping[str, int | str], name: str) -> int:
    """Return the whole number that an attribute has; 0 for a word, and where there is none."""
    value = attributes.get(name, 0)
    return value if isinstance(value, int) else 0


def fit_robustly(columns: Array, log_us: Array, *, start: NDArray[np.bool_] | None = None, rounds: int = 40) -> Fit:
    """Fit columns (n, k) to log times (n,) by Huber's weights, from the rows that `start` (n,) marks at first."""
    weights = np.ones(len(log_us)) if start is None else start.astype(np.float64)
    ridge = RIDGE * np.eye(columns.shape[1])
    for _ in range(rounds):
        root = np.sqrt(weights)
        left = np.vstack([columns * root[:, None], ridge])
        coefficients, *_ = np.linalg.lstsq(left, np.concatenate([log_us * root, np.zeros(len(ridge))]), rcond=None)
        residuals = log_us - columns @ coefficients
        scale = max(1.4826 * float(np.median(np.abs(residuals))), 1e-6)
        before, weights = weights, 1 / np.maximum(1, np.abs(residuals) / (HUBER * scale))
        if np.max(np.abs(weights - before)) < 1e-3:
            break
    return Fit(np.asarray(coefficients), np.asarray(residuals), scale)


def spanned(columns: Array, by: NDArray[np.bool_]) -> NDArray[np.bool_]:
    """Tell which rows (n,) are combinations of the rows that `by` marks: of others a fit through those says nothing."""
    _, sizes, basis = np.linalg.svd(columns[by], full_matrices=False)
    kept = basis[sizes > 1e-9 * sizes.max(initial=0.0)]
    beyond = np.linalg.norm(columns - columns @ kept.T @ kept, axis=1)
    return np.asarray(beyond <= 1e-6 * np.maximum(1.0, np.linalg.norm(columns, axis=1)))


def log_rates(specs: Sequence[LayerSpec], log_us: Array) -> Array:
    """Return the logarithm of the MACs per second that each layer achieved, (n,).

    Of a layer that does few or none, as an embedding: of the elements that it moved, or of what a call costs alone.
    """
    counts = np.array([max(macs(spec), work_of(spec)[2], CALL) for spec in specs], dtype=np.float64)
    return np.asarray(np.log(counts) - log_us + math.log(1e6))


def near_median(rates: Array) -> NDArray[np.bool_]:
    """Mark the rows whose log rate is within a factor of 30 of the median."""
    return np.abs(rates - np.median(rates)) < START
