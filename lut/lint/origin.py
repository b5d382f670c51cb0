"""Find rows that were measured elsewhere: on another device, or in a session in which the machine ran faster or slower.

Such rows differ from the others by one common factor. So the residuals of the regression (see `physics.py`) form two
clusters; the split is refined by fitting again with the factor as one more column. Any residuals can be split in two:
real clusters show in the gap between them, in units of the scale within. Normal residuals give 2.7, the shipped
profiles 2.6 to 3.3; a third of their rows off by 1.43 gives 3.9 to 19, off by 1.22 3.4 to 10.7 (published tables hold
session drift of 1.22 to 1.43). So mild drift is found only where the regression fits well.
"""

from __future__ import annotations

import math
from collections.abc import Iterator

import numpy as np
from numpy.typing import NDArray

from .finding import Finding, Rows, examples
from .physics import Array, features, fit_robustly, log_rates, near_median

SMALLEST_FACTOR = 1.15
GAP = 3.8  # scales between the heaps
ALONE = math.log(2)  # a single row is foreign when it is off by a factor of two and by eight scales
ALONE_SCALES = 8.0
FEWEST_IN_HEAP = 5
ROWS_A_COLUMN = 3  # fewer rows than this a feature, and the regression explains anything


def foreign_rows(rows: Rows) -> Iterator[Finding]:
    """Find single outliers, else a group of rows that differs from the others by a common factor."""
    keys = [key for key, us in rows.value_us.items() if key in rows.specs and us > 0]
    if len(keys) < FEWEST_IN_HEAP:
        return
    specs, log_us = [rows.specs[key] for key in keys], np.log([rows.value_us[key] for key in keys])
    columns = features(specs)
    if len(keys) < ROWS_A_COLUMN * columns.shape[1]:
        return
    fit = fit_robustly(columns, log_us, start=near_median(log_rates(specs, log_us)))
    alone = np.abs(fit.residuals) > max(ALONE, ALONE_SCALES * fit.scale)
    if alone.any():
        odd = tuple(key for key, is_off in zip(keys, alone) if is_off)
        factors = np.exp(fit.residuals[alone])
        text = (
            f"{len(odd)} of {len(keys)} times are x{factors.min():.2g} to x{factors.max():.2g} of what the others say "
            f"about such layers, as if of another device: {examples(odd)}; measure them again"
        )
        yield Finding("error", "foreign_rows", text, odd)
        return
    factor, gap, slower = two_clusters(columns, log_us)
    if factor >= SMALLEST_FACTOR and gap >= GAP:
        smaller = slower if slower.sum() <= len(keys) / 2 else ~slower
        odd = tuple(key for key, is_odd in zip(keys, smaller) if is_odd)
        word = "slower" if smaller is slower else "faster"
        text = (
            f"{len(odd)} of {len(keys)} times are about {factor:.2f} times {word} than the others by what their layers "
            f"do, as if of another session or device: {examples(odd)}; measure all layers in one run"
        )
        yield Finding("error", "two_sessions", text, odd)


def two_clusters(columns: Array, log_us: Array) -> tuple[float, float, NDArray[np.bool_]]:
    """Split rows into two groups that differ by a factor; return it, the gap in scales, and which are slower, (n,)."""
    residuals = fit_robustly(columns, log_us).residuals
    best = (1.0, 0.0, np.zeros(len(log_us), dtype=np.bool_))
    tightest = math.inf
    for quantile in (0.2, 0.35, 0.5, 0.65, 0.8):
        factor, scale, slower = refined(columns, log_us, residuals > np.quantile(residuals, quantile))
        if min(slower.sum(), (~slower).sum()) >= FEWEST_IN_HEAP and scale < tightest:
            tightest, best = scale, (math.exp(factor), factor / scale, slower)
    return best


def refined(columns: Array, log_us: Array, slower: NDArray[np.bool_]) -> tuple[float, float, NDArray[np.bool_]]:
    """Alternate between fitting the factor and assigning rows: log factor, scale within the groups, assignment."""
    log_factor = scale = 1.0
    for _ in range(30):
        if min(slower.sum(), (~slower).sum()) < FEWEST_IN_HEAP:
            break
        fit = fit_robustly(np.column_stack([columns, slower]), log_us, rounds=8)
        log_factor = float(fit.coefficients[-1])
        clipped = np.clip(fit.residuals, -3 * fit.scale, 3 * fit.scale)
        scale = max(float(np.sqrt(np.mean(clipped**2))), 1e-6)
        again = fit.residuals + log_factor * slower > log_factor / 2
        if np.array_equal(again, slower):
            break
        slower = again
    return log_factor, scale, slower
