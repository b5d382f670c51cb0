"""Find times in another unit than microseconds: the whole table, or a few rows of it.

A table in milliseconds implies an impossibly fast device; one in nanoseconds, an impossibly slow one. A few rows in
another unit stand out from a regression on the others.
"""

from __future__ import annotations

import math
from collections.abc import Iterator

import numpy as np

from .finding import Finding, Rows, examples
from .physics import features, fit_robustly, log_rates, near_median, spanned

FASTEST_CALL_US = 0.5  # less than the call of any runtime costs, so no layer can be this quick
SLOWEST_MACS_PER_S = 1e8  # a 1 GHz core with a tenth of a MAC a cycle; runtimes' best layers do 1e9 and more anywhere
OTHER_UNIT = math.log(100)  # units are a thousand apart; the regression is never wrong by a hundred
LARGEST = 700.0  # whose exponential is a number still
FEWEST = 8  # rows to compare with


def peak_macs_per_s(device: str, precision: str, threads: int) -> float:
    """Return a rate that no such device reaches.

    A CPU core of today does at most 32 fp32 MACs a cycle (two 512-bit units) at 6 GHz; 16-bit and 8-bit matrix units
    do up to 2,048. The fastest accelerators do 1e15 a second.
    """
    if not device.lower().startswith("cpu"):
        return 1e15
    return threads * 6e9 * (32 if precision == "fp32" else 2048)


def wrong_unit(rows: Rows) -> Iterator[Finding]:
    """Find a table whose typical layer is faster than the device can be, or whose best layers are absurdly slow."""
    keys = [key for key, us in rows.value_us.items() if key in rows.specs and us > 0]
    if not keys:
        return
    values = np.array([rows.value_us[key] for key in keys])
    rates = np.minimum(log_rates([rows.specs[key] for key in keys], np.log(values)), LARGEST)
    typical, best = (math.exp(float(np.quantile(rates, share))) for share in (0.5, 0.9))
    middle = float(np.median(values))
    if typical > rows.peak_macs_per_s or middle < FASTEST_CALL_US:
        text = (
            f"the median layer takes {middle:.4g} us and does {typical / 1e9:,.0f} GMAC/s; this device cannot do more "
            f"than {rows.peak_macs_per_s / 1e9:,.0f}. Are the times milliseconds? Multiply them by 1000"
        )
        yield Finding("error", "wrong_unit", text)
    elif best < SLOWEST_MACS_PER_S:
        text = (
            f"the median layer takes {middle:,.0f} us, and even the best layers do {best / 1e6:.2g} million MACs a "
            f"second; expected {SLOWEST_MACS_PER_S / 1e6:.0f} and more. Are the times nanoseconds? Divide them by 1000"
        )
        yield Finding("error", "wrong_unit", text)


def mixed_units(rows: Rows) -> Iterator[Finding]:
    """Find the rows that lie a factor of a hundred and more off a regression through the others."""
    keys = [key for key, us in rows.value_us.items() if key in rows.specs and us > 0]
    if len(keys) < FEWEST:
        return
    specs, log_us = [rows.specs[key] for key in keys], np.log([rows.value_us[key] for key in keys])
    rates = log_rates(specs, log_us)
    columns, near = features(specs), near_median(rates)
    fit = fit_robustly(columns, log_us, start=near, rounds=1)
    # A row must stand out in both views: the plain rate is blind to overhead, a regression can extrapolate wildly.
    off = (np.abs(fit.residuals) > OTHER_UNIT) & (np.abs(rates - np.median(rates)) > OTHER_UNIT / 2)
    off = np.where(spanned(columns, near), off, np.abs(rates - np.median(rates)) > OTHER_UNIT)  # of an only layer, say
    odd = tuple(key for key, is_off in zip(keys, off) if is_off)
    if odd:
        factor = math.exp(min(float(np.median(np.abs(fit.residuals[off]))), LARGEST))
        text = (
            f"{len(odd)} of {len(keys)} times are off by a factor of about {factor:,.0f} from what the others say "
            f"about such layers, as if in another unit: {examples(odd)}"
        )
        yield Finding("error", "mixed_units", text, odd)
