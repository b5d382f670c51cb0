"""How much longer an inference takes when an application pauses before it: the factor from the hot loop to a period.

A pause costs a model what it had in caches, a runtime its threads that were awake, a core its clock. So the factor
differs between models, and is largest for the smallest. The interval of one model's factor is from a bootstrap of its
visits, in both ways of running it; of several models together, the factor is their median.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from ...profilers.timing.measurement import Measurement
from .significance import NO_REPEATS, SMALLEST_ERROR, bootstrap_error, median_interval, t_quantile

FEWEST = 6  # models from which the interval of a median can be read


@dataclass(frozen=True, slots=True)
class PauseFactor:
    """The latency with pauses divided by that in the hot loop, and its 95 % interval, of so many models."""

    ratio: float
    low: float
    high: float
    models: int = 1


def pause_factor(hot: Measurement, paced: Measurement) -> PauseFactor:
    """Compare a model's two latencies."""
    rng = np.random.default_rng(0)  # the same measurements give the same interval
    errors = [bootstrap_error(measurement, rng) for measurement in (hot, paced)]
    known = [NO_REPEATS if math.isnan(error) else max(error, SMALLEST_ERROR) for error in errors]
    half = t_quantile(0.95) * math.hypot(*known)
    log_ratio = math.log(paced.value_us / hot.value_us)
    return PauseFactor(math.exp(log_ratio), math.exp(log_ratio - half), math.exp(log_ratio + half))


def common_factor(factors: Sequence[PauseFactor]) -> PauseFactor:
    """Return the median factor of some models; with fewer than six, its interval is all of theirs together."""
    logs = np.log([factor.ratio for factor in factors])
    if len(factors) < FEWEST:
        low, high = min(factor.low for factor in factors), max(factor.high for factor in factors)
    else:
        low, high = (math.exp(value) for value in median_interval(logs))
    return PauseFactor(math.exp(float(np.median(logs))), low, high, len(factors))
