"""Checks of the latencies alone, whatever their layers."""

from __future__ import annotations

import math
from collections.abc import Iterator

import numpy as np

from .finding import Finding, Rows, examples

FEWEST = 8  # rows; fewer round numbers are a coincidence
STEPS_US = tuple(mantissa * 10.0**power for power in range(5, -3, -1) for mantissa in (5, 2.5, 2, 1))
COARSE, USELESS = 0.02, 0.10  # a step of this share of the median: the table cannot show 1 % (5 %), half a step


def not_positive(rows: Rows) -> Iterator[Finding]:
    """Find latencies that are negative, zero (published tables mark unknown kernels so) or infinite."""
    wrong = {
        "zero": [key for key, us in rows.value_us.items() if us == 0],
        "negative": [key for key, us in rows.value_us.items() if us < 0],
        "not finite": [key for key, us in rows.value_us.items() if not math.isfinite(us) and not us < 0],
    }
    for word, keys in wrong.items():
        if keys:
            text = f"{len(keys)} of {len(rows.value_us)} times are {word}: {examples(keys)}; measure these layers"
            yield Finding("error", "not_positive", text, tuple(keys))


def unreadable_keys(rows: Rows) -> Iterator[Finding]:
    """Find keys that name no layer of any known kind."""
    keys = tuple(key for key in rows.value_us if key not in rows.specs)
    if keys:
        yield Finding("error", "unreadable_key", f"{len(keys)} keys name no known layer: {examples(keys)}", keys)


def quantised(rows: Rows) -> Iterator[Finding]:
    """Find times that were rounded to a step that is coarse for their size, such as whole milliseconds."""
    values = np.array(list(rows.value_us.values()))
    if len(values) < FEWEST:
        return
    for step in STEPS_US:
        with np.errstate(over="ignore", invalid="ignore"):  # a file may hold times of any size
            multiples = values / step
            is_rounded = np.all(np.abs(multiples - np.round(multiples)) <= 1e-6 * multiples)
        if is_rounded:
            share = step / float(np.median(values))
            if share > COARSE:
                text = (
                    f"all {len(values)} times are multiples of {step:g} us, which is {100 * share:.0f} % of the median "
                    f"({np.median(values):.4g} us); get the times before they were rounded"
                )
                yield Finding("error" if share > USELESS else "warning", "quantised", text)
            return
