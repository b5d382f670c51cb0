"""The verified error of a latency model, which is reported beside every prediction.

Every figure comes from whole sub-networks that the model had not seen (leave one out), measured in the same run as
the layers. The noise floor is the same distance between two halves of the truth's own visits: a model cannot be shown
to be better than that.
"""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence

import numpy as np
from numpy.typing import NDArray

from ...profilers.results.processes import ProcessSpread
from ...profilers.timing.measurement import Measurement
from .fit_report import FitReport

Array = NDArray[np.float64]

# What one process cannot see of itself: another, at another hour, is faster or slower as a whole. Nine of ten times by
# less than this log ratio, on the shared machine of the shipped profiles (benchmarks/latency_fidelity.py).
SESSION_LOG_RATIO = 0.025
PRIOR_PROCESSES = 4  # further processes that this figure counts as, beside those of a run
NINE_OF_TEN = 1.645  # standard deviations of a normal distribution


def session_log_ratio(processes: ProcessSpread | None) -> float:
    """Return the log ratio by which nine of ten other processes differ, given some processes of this run.

    The variance of what is common to all models is read off few processes, so it is drawn towards what other machines
    showed. What a process adds to single models is counted as far as it was averaged out of the measured networks.
    """
    if processes is None:
        return SESSION_LOG_RATIO
    further = processes.processes - 1
    common = (PRIOR_PROCESSES * SESSION_LOG_RATIO**2 + further * (NINE_OF_TEN * processes.common) ** 2) / (
        PRIOR_PROCESSES + further
    )
    averaged_out = (NINE_OF_TEN * processes.own) ** 2 * (1 - 1 / processes.per_model)
    return math.sqrt(common + averaged_out)


def report_from_predictions(
    model: str,
    predicted_us: Array,
    measured: Sequence[Measurement],
    candidates: Mapping[str, float],
    *,
    coverage: float = 0.9,
    widening: float = 1.0,
    between_sessions: float = SESSION_LOG_RATIO,
) -> FitReport:
    """Compare held-out predictions (n,) with what was measured.

    `widening` is the factor by which an interval read from so few networks is too narrow. `between_sessions` is the
    log ratio that another process adds, as `session_log_ratio` returns it.
    """
    truth = np.array([measurement.value_us for measurement in measured])
    relative = 100 * (predicted_us - truth) / truth
    return FitReport(
        model=model,
        networks=len(truth),
        bias_percent=float(np.mean(relative)),
        mape_percent=mape_percent(predicted_us, truth),
        within_5_percent=share_within(relative, 5),
        within_10_percent=share_within(relative, 10),
        spearman=spearman(predicted_us, truth),
        noise_floor_percent=noise_floor_percent(measured),
        interval_ratio=math.exp(
            math.hypot(
                widening * conformal_quantile(np.abs(np.log(truth / np.maximum(predicted_us, 1e-3))), coverage),
                between_sessions,
            )
        ),
        candidates_mape_percent=dict(candidates),
    )


def mape_percent(predicted_us: Array, truth_us: Array) -> float:
    """Return the mean absolute error in percent of the truth."""
    return 100 * float(np.mean(np.abs(predicted_us - truth_us) / truth_us))


def noise_floor_percent(measured: Sequence[Measurement]) -> float | None:
    """Return the mean distance between the halves of the visits, in percent; None with single visits."""
    halves = [measurement.split_half_us() for measurement in measured]
    distances = [200 * abs(a - b) / (a + b) for a, b in (half for half in halves if half is not None)]
    return float(np.mean(distances)) if distances else None


def share_within(relative_percent: Array, limit: float) -> float:
    """Return the share of errors that are at most `limit` percent, in percent."""
    return float(100 * np.mean(np.abs(relative_percent) <= limit))


def spearman(a: Array, b: Array) -> float | None:
    """Return the rank correlation; None for fewer than three points or a constant."""
    if len(a) < 3:
        return None
    ranks = [average_ranks(values) for values in (a, b)]
    if any(np.ptp(rank) == 0 for rank in ranks):
        return None
    return float(np.corrcoef(ranks[0], ranks[1])[0, 1])


def average_ranks(values: Array) -> Array:
    """Return the rank of each value, equal values sharing their mean rank."""
    _, inverse, counts = np.unique(values, return_inverse=True, return_counts=True)
    last = np.cumsum(counts)
    return np.asarray(((last - counts + 1 + last) / 2)[inverse], dtype=np.float64)


def conformal_quantile(scores: Array, coverage: float) -> float:
    """Return the conformal quantile (arXiv 1604.04173) of scores; ValueError when there are too few."""
    return float(np.sort(scores)[conformal_rank(len(scores), coverage) - 1])


def conformal_rank(scores: int, coverage: float) -> int:
    """Return which of so many sorted scores, from 1, is their conformal quantile; ValueError when there are too few."""
    rank = math.ceil((scores + 1) * coverage)
    if rank > scores:
        raise ValueError(f"{scores} scores cannot show a coverage of {coverage}")
    return rank
