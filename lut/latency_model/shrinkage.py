"""Linear regression on a few terms plus shrunk corrections, with its leave-one-out errors in closed form.

The truth of each row is taken as one sum of columns (fitted freely) and of many small corrections drawn around zero
(universal kriging, Cressie 1993, section 3.4). Errors are relative: all rows are divided by their truth first.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

Array = NDArray[np.float64]

UNDETERMINED = 1e-9  # below this share of a row, no other row says anything about it


@dataclass(frozen=True)
class ShrunkFit:
    """What `fit_shrunk` found for n rows, k columns and c corrections.

    coefficients: (k,), of the columns. corrections: (c,), of the correction columns, zeros without shrinkage.
    held_out: (n,), each row predicted by the fit to the others. spread: (k, k), so that x @ spread @ x is a row's
    leverage, its distance from the fitted rows as the columns alone see it. leverages: (n,), of the fitted rows.
    residual: (n, n), which takes relative truths to the residuals of the fit.
    """

    coefficients: Array
    corrections: Array
    held_out: Array
    spread: Array
    leverages: Array
    residual: Array


def fit_shrunk(columns: Array, truth: Array, corrections: Array | None = None, ratio: float = 0.0) -> ShrunkFit:
    """Fit columns (n, k) and corrections (n, c) to a positive truth (n,) by relative error.

    `ratio` is how large a correction is expected to be, in units of its column, relative to the noise of a row.
    """
    scaled = columns / truth[:, None]
    others = np.zeros((len(truth), 0)) if corrections is None else corrections / truth[:, None]
    precision = np.linalg.inv(covariance(others, ratio))
    solved = np.linalg.pinv(scaled.T @ precision @ scaled) @ scaled.T @ precision
    coefficients = solved.sum(axis=1)
    weights = precision @ (1 - scaled @ coefficients)
    residual = precision - precision @ scaled @ solved
    spread = np.asarray(np.linalg.pinv(scaled.T @ scaled), dtype=np.float64)
    return ShrunkFit(
        coefficients=coefficients,
        corrections=ratio**2 * others.T @ weights,
        held_out=truth * (1 - held_out_errors(residual, np.ones((1, len(truth))))[0]),
        spread=spread,
        leverages=np.einsum("ij,jk,ik->i", scaled, spread, scaled),
        residual=residual,
    )


def covariance(corrections: Array, ratio: float) -> Array:
    """Return how rows (n, c) of corrections vary together, in units of a row's noise, (n, n)."""
    return np.asarray(np.eye(len(corrections)) + ratio**2 * corrections @ corrections.T)


def held_out_errors(residual: Array, deviations: Array) -> Array:
    """Return how far each row lies from the fit to the others, (b, n), for b sets of relative truths (b, n).

    A row of which the others say nothing is predicted as zero.
    """
    own = np.diag(residual)
    known = own > UNDETERMINED
    return np.where(known, deviations @ residual / np.where(known, own, 1.0), deviations)


def errors_without(residual: Array, deviations: Array) -> Array:
    """Return how far rows lie from fits to all but themselves and another one, (b, n, n), for b sets of truths (b, n).

    Row i of a set: of every row but i, whose own place holds zero.
    """
    n, own, found = len(residual), np.diag(residual), deviations @ residual
    shared = np.outer(own, own) - residual**2
    known = shared > UNDETERMINED
    left = own[:, None] * found[:, None, :] - residual * found[:, :, None]
    errors = np.where(known, left / np.where(known, shared, 1.0), deviations[:, None, :])
    errors[:, np.arange(n), np.arange(n)] = 0.0
    return np.asarray(errors)
