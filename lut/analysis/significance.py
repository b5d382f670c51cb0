"""Which of many small differences between two profiles are real.

A layer has three to twenty-four visits a profile, disturbed on one side, and a hundred layers are compared at
once. A rank test of visits would compare another number than the latency, which pools blocks; a bootstrap of
eight visits alone cannot say how small a p-value of one in ten thousand is. So the noise is learned from all layers
together: (1) a layer's standard error, from a bootstrap of its processes and of their visits with the very estimator,
is drawn towards the table's typical one (a moderated variance, as for gene arrays: doi 10.2202/1544-6115.1027); (2)
what the bulk of the layers scatters more about their common factor than these errors say is added to all, up to a
limit: it is what repeats within one session cannot show (an empirical null: doi 10.1198/016214504000000089); (3)
p-values of Student's t are corrected by Holm's method, so that the chance of any false alarm in a comparison stays at
the level.

In simulated sessions (blocks that scatter by 0.6 %, three visits in ten disturbed, sessions 0.4 % apart) 5 % of the
comparisons had a false alarm, and 91 % of the layers slowed by 5 % were found. Where most visits are disturbed, some
layers are never seen undisturbed, and no test of visits can know: `ProfileDiff.caution` says so.
"""

from __future__ import annotations

import math
from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from ...profilers.timing.measurement import Measurement

Array = NDArray[np.float64]

PRIOR_WEIGHT, OWN_WEIGHT = 4, 4  # degrees of freedom: what the table says, and what one layer's own visits say
FREEDOM = 2 * (PRIOR_WEIGHT + OWN_WEIGHT)  # of a difference between two such errors; even, as `two_sided_p` needs
FEWEST_VISITS = 3  # that can be drawn anew
DRAWS = 200  # of the bootstrap; its error is then 5 % of itself
FEWEST = 12  # layers from which their bulk's spread is read
NO_REPEATS = 0.05  # log error of a table without repeats, such as an imported one
BETWEEN_SESSIONS = 0.01  # log error that another session adds at most; 0.004 where 93 layers were profiled twice
SMALLEST_ERROR = 1e-3  # log; a timer's and a file's rounding


def log_errors(measurements: Sequence[Measurement]) -> Array:
    """Return the moderated standard error of each layer's log latency, (n,)."""
    rng = np.random.default_rng(0)  # the same profile gives the same errors
    own = np.array([bootstrap_error(measurement, rng) for measurement in measurements])
    if not np.isfinite(own).any():
        return np.full(len(own), NO_REPEATS)
    typical = float(np.sqrt(np.nanmean(np.minimum(own, 3 * np.nanmedian(own)) ** 2)))
    own = np.where(np.isnan(own), 3 * typical, own)
    moderated = (PRIOR_WEIGHT * typical**2 + OWN_WEIGHT * own**2) / (PRIOR_WEIGHT + OWN_WEIGHT)
    return np.asarray(np.maximum(np.sqrt(moderated), SMALLEST_ERROR))


def bootstrap_error(measurement: Measurement, rng: np.random.Generator) -> float:
    """Return how far the log latency strays when it is measured again; not-a-number with too few visits.

    Of several processes each is drawn with all its visits, since it placed the model in memory once; few of them
    scatter less than many would, by a known factor. Of a single one visits are drawn, not blocks: what disturbs one
    block of a visit disturbs the next. Half of the middle 68 % then stands for the standard deviation, which a few
    draws of nothing but disturbed visits would decide.
    """
    groups = measurement.used_by_process
    if sum(map(len, groups)) < FEWEST_VISITS:
        return math.nan
    drawn_whole = groups if len(groups) > 1 else tuple((visit,) for visit in groups[0])
    rows = [[us for visit in visits for us in visit] for visits in drawn_whole]
    width, n = max(map(len, rows)), len(rows)
    blocks = np.array([(*row, *[math.nan] * (width - len(row))) for row in rows])
    drawn = blocks[rng.integers(n, size=(DRAWS, n))].reshape(DRAWS, -1)
    share = measurement.quantile
    levels = np.nanquantile(drawn, share, axis=1) if np.isnan(drawn).any() else np.quantile(drawn, share, axis=1)
    if len(groups) > 1:
        return math.sqrt(n / (n - 1)) * float(np.std(np.log(levels)))
    low, high = np.quantile(np.log(levels), (0.16, 0.84))
    return float(high - low) / 2


def widened(errors: Array, log_ratios: Array, centre: float) -> Array:
    """Return errors (n,) enlarged by what the bulk of the log ratios (n,) scatters beyond them, (n,).

    Not by more than `BETWEEN_SESSIONS`: two backends differ layer by layer, and that is no noise.
    """
    if len(errors) < FEWEST:
        return errors
    bulk = 1.4826 * float(np.median(np.abs(log_ratios - centre)))
    excess = min(math.sqrt(max(bulk**2 - float(np.median(errors)) ** 2, 0.0)), BETWEEN_SESSIONS)
    return np.hypot(errors, excess)


def two_sided_p(t: float, freedom: int = FREEDOM) -> float:
    """Return the chance that Student's t with an even number of degrees of freedom is further from 0 than `t`."""
    angle = math.atan(abs(t) / math.sqrt(freedom))
    term = total = 1.0
    for k in range(1, freedom // 2):
        term *= (2 * k - 1) / (2 * k) * math.cos(angle) ** 2
        total += term
    return max(0.0, 1 - math.sin(angle) * total)


def t_quantile(confidence: float, freedom: int = FREEDOM) -> float:
    """Return the t that is exceeded on either side with probability one minus `confidence`."""
    low, high = 0.0, 1e3
    for _ in range(60):
        middle = (low + high) / 2
        low, high = (middle, high) if two_sided_p(middle, freedom) > 1 - confidence else (low, middle)
    return high


def holm(p: Sequence[float]) -> Array:
    """Return p-values corrected for their number, in the given order, (n,)."""
    values = np.asarray(p, dtype=np.float64)
    order = np.argsort(values, kind="stable")
    stepped = values[order] * np.arange(len(values), 0, -1)
    corrected = np.empty(len(values))
    corrected[order] = np.minimum(1.0, np.maximum.accumulate(stepped)) if len(values) else stepped
    return corrected


def median_interval(values: Array, confidence: float = 0.95) -> tuple[float, float]:
    """Return order statistics that enclose the median with at least `confidence`, whatever the distribution.

    With fewer than six values there is no such pair at 95 %; the extremes are returned.
    """
    ordered, n = np.sort(values), len(values)
    below, chance = 0, 0.5**n
    while below < n // 2 and 1 - 2 * chance >= confidence:
        below += 1
        chance += math.comb(n, below) * 0.5**n
    outermost = max(below - 1, 0)
    return float(ordered[outermost]), float(ordered[n - 1 - outermost])
