"""How well a run's tactic predicted what it then measured: the only honest test of a predictor is the next value.

Expectations are written down before each full validation, so nothing here is fitted to what it is judged by. That the
tactic chooses what to measure, often where it is unsure or hopeful, makes this harder than a random sample would be.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass

import numpy as np

from .files.records import Evaluation

Z_90 = 1.6448536269514722  # normal standard deviations either way that hold 90 %


@dataclass(frozen=True, slots=True)
class Quality:
    """Agreement of `n` predictions with what was measured; `rmse` is in the objective's unit.

    `kendall_tau` is None where it has no meaning (fewer than two different values), `within_90`, the share of values
    inside their 90 % interval, where no prediction had one.
    """

    n: int
    kendall_tau: float | None
    rmse: float
    within_90: float | None


@dataclass(frozen=True, slots=True)
class PredictorQuality:
    """Quality of one objective's predictions, in all and by round."""

    objective: str
    unit: str
    overall: Quality
    rounds: Mapping[int, Quality]

    def __str__(self) -> str:
        q = self.overall
        parts = [] if q.kendall_tau is None else [f"tau {f'{q.kendall_tau:.2f}'.replace('0.', '.', 1)}"]
        parts.append(f"RMSE {q.rmse:.2g} {self.unit}")
        if q.within_90 is not None:
            parts.append(f"{100 * q.within_90:.0f} % of 90 % intervals hold")
        return f"{', '.join(parts)}, on {q.n} validation{'s' * (q.n != 1)} predicted beforehand"


def quality_of(evaluations: Sequence[Evaluation], units: Mapping[str, str]) -> tuple[PredictorQuality, ...]:
    """Judge the expectations of full measurements, one entry an objective that was predicted at all."""
    qualities = []
    for name, unit in units.items():
        predicted = [e for e in evaluations if e.is_full and e.expected and name in e.expected]
        if predicted:
            numbers = sorted({e.round for e in predicted})
            rounds = {number: judge(name, [e for e in predicted if e.round == number]) for number in numbers}
            qualities.append(PredictorQuality(name, unit, judge(name, predicted), rounds))
    return tuple(qualities)


def judge(name: str, predicted: Iterable[Evaluation]) -> Quality:
    """Compare expected and measured values of one objective."""
    pairs = [(e.expected[name], e.values[name]) for e in predicted if e.expected]
    mean = np.array([expected[0] for expected, _ in pairs])
    values = np.array([value for _, value in pairs])
    deviation = np.array([np.nan if expected[1] is None else expected[1] for expected, _ in pairs])
    errors = np.abs(mean - values)
    has_deviation = np.isfinite(deviation)
    # A deviation of 0 must not miss by rounding what it predicts exactly.
    inside = errors <= Z_90 * deviation + 1e-9 * np.maximum(1.0, np.abs(values))
    return Quality(
        len(pairs),
        kendall_tau(mean, values),
        float(np.sqrt(np.mean(errors**2))),
        float(inside[has_deviation].mean()) if has_deviation.any() else None,
    )


def kendall_tau(left: np.ndarray, right: np.ndarray) -> float | None:
    """Return Kendall's tau-b of two samples, (n,) each; None where one of them is constant."""
    if len(np.unique(left)) < 2 or len(np.unique(right)) < 2:
        return None
    from scipy.stats import kendalltau

    return float(kendalltau(left, right).statistic)
