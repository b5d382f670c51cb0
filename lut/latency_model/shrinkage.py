"""Linear regression on a few terms plus shrunk corrections, with its leave-one-out errors in closed form.

The truth of each row is taken as one sum of columns (fitted freely) and of many small corrections drawn around zero
(universal kriging, Cressie 1993, section 3.4). Errors are relative: all rows are divided by their truth first.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

Array = NDArray[np.float64]


@dataclass(frozen=True)
class ShrunkFit:
    """What `fit_shrunk` found for n rows, k columns and c corrections.

    coefficients: (k,), of the columns. corrections: (c,), of the correction columns, zeros without shrinkage.
    held_out: (n,), each row predicted by the fit to the others. spread: (k, k), so that x @ spread @ x is a row's
    leverage, its distance from the fitted rows as the columns alone see it. leverages: (n,), of the fitted rows.
    """

    coefficients: Array
    corrections: Array
    held_out: Array
    spread: Array
    leverages: Array


def fit_shrunk(columns: Array, truth: Array, corrections: Array | None = None, ratio: float = 0.0) -> ShrunkFit:
    """Fit columns (n, k) and corrections (n, c) to a positive truth (n,) by relative error.

    `ratio` is how large a correction is expected to be, in units of its column, relative to the noise of a row.
    """
    scaled = columns / truth[:, None]
    others = np.zeros((len(truth), 0)) if corrections is None else corrections / truth[:, None]
    covariance = np.eye(len(truth)) + ratio**2 * others @ others.T
    precision = np.linalg.inv(covariance)
    solved = np.linalg.pinv(scaled.T @ precision @ scaled) @ scaled.T @ precision
    coefficients = solved.sum(axis=1)
    weights = precision @ (1 - scaled @ coefficients)
    projected = precision - precision @ scaled @ solved
    spread = np.asarray(np.linalg.pinv(scaled.T @ scaled), dtype=np.float64)
    held_out = 1 - projected.sum(axis=1) / np.maximum(np.diag(projected), 1e-9)
    return ShrunkFit(
        coefficients=coefficients,
        corrections=ratio**2 * others.T @ weights,
        held_out=np.asarray(truth * held_out, dtype=np.float64),
        spread=spread,
        leverages=np.einsum("ij,jk,ik->i", scaled, spread, scaled),
    )
