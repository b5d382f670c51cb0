"""How well a run's tactic predicted what it then measured: the only honest test of a predictor is the next value.

Expectations of a full validation are written down before each evaluation, so nothing here is fitted to what judges it.
That the tactic chooses what to measure, often where it is unsure or hopeful, makes this harder than a random sample
would be. Partial evaluations that count in the front are judged too: they err by themselves, which networks evaluated
both ways show, and intervals allow for it.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass

import numpy as np

from ..fronts.counting import unit_error
from .files.records import Evaluation

Z_90 = 1.6448536269514722  # normal standard deviations either way that hold 90 %


@dataclass(frozen=True, slots=True)
class Quality:
    """Agreement of `n` predictions with what was measured, `partial` of these on a share; `rmse` is in the objective's
    unit, and so is `own_error`, the standard error of those on a share by themselves, None where there are none or it
    is not known.

    `kendall_tau` is None where it has no meaning (fewer than two different values), `within_90`, the share of values
    inside their 90 % interval, where no prediction had one.
    """

    n: int
    kendall_tau: float | None
    rmse: float
    within_90: float | None
    partial: int = 0
    own_error: float | None = None

    @property
    def said(self) -> str:
        """What was predicted: `12 validations and 25 partial evaluations`."""
        counts = (self.n - self.partial, "validation"), (self.partial, "partial evaluation")
        return " and ".join(f"{n} {what}{'s' * (n != 1)}" for n, what in counts if n)


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
        which = "the latter with" if q.partial < q.n else "which have"
        own = "" if q.own_error is None else f", {which} an error of {q.own_error:.2g} {self.unit} themselves"
        return f"{', '.join(parts)}, on {q.said} predicted beforehand{own}"


def quality_of(
    evaluations: Sequence[Evaluation], units: Mapping[str, str], counting: Iterable[Evaluation] = ()
) -> tuple[PredictorQuality, ...]:
    """Judge the expectations of full measurements and of those `counting`, one entry an objective that was predicted.

    `evaluations` are all of the run.
    """
    orders = {e.order for e in evaluations if e.is_full} | {e.order for e in counting}
    judged = [e for e in evaluations if e.order in orders and e.expected]
    qualities = []
    for name, unit in units.items():
        predicted = [e for e in judged if e.expected and name in e.expected]
        if predicted:
            error = error_of_partial(evaluations, name)
            numbers = sorted({e.round for e in predicted})
            rounds = {number: judge(name, [e for e in predicted if e.round == number], error) for number in numbers}
            qualities.append(PredictorQuality(name, unit, judge(name, predicted, error), rounds))
    return tuple(qualities)


def error_of_partial(evaluations: Sequence[Evaluation], name: str) -> float:
    """Return the error of partial evaluations where 1 / share - 1 is 1; NaN without a network evaluated both ways."""
    full = {e.indices: [e.values[name]] for e in evaluations if e.is_full}
    pairs = [(e.share, [e.values[name]], full[e.indices]) for e in evaluations if e.is_partial and e.indices in full]
    return float(unit_error(pairs)[0]) if pairs else float("nan")


def judge(name: str, predicted: Iterable[Evaluation], partial_error: float = float("nan")) -> Quality:
    """Compare expected and measured values of one objective; `partial_error` as `error_of_partial` returns it."""
    judged = [e for e in predicted if e.expected]
    pairs = [(e.expected[name], e.values[name]) for e in judged if e.expected]
    mean = np.array([expected[0] for expected, _ in pairs])
    values = np.array([value for _, value in pairs])
    own = np.array([0.0 if e.is_full else partial_error * np.sqrt(1.0 / e.share - 1.0) for e in judged])
    deviation = np.hypot([np.nan if expected[1] is None else expected[1] for expected, _ in pairs], own)
    errors = np.abs(mean - values)
    has_deviation = np.isfinite(deviation)
    # A deviation of 0 must not miss by rounding what it predicts exactly.
    inside = errors <= Z_90 * deviation + 1e-9 * np.maximum(1.0, np.abs(values))
    in_part = np.array([not e.is_full for e in judged])
    known = in_part.any() and np.isfinite(own).all()
    return Quality(
        len(pairs),
        kendall_tau(mean, values),
        float(np.sqrt(np.mean(errors**2))),
        float(inside[has_deviation].mean()) if has_deviation.any() else None,
        int(in_part.sum()),
        float(np.sqrt(np.mean(own[in_part] ** 2))) if known else None,
    )


def kendall_tau(left: np.ndarray, right: np.ndarray) -> float | None:
    """Return Kendall's tau-b of two samples, (n,) each; None where one of them is constant."""
    if len(np.unique(left)) < 2 or len(np.unique(right)) < 2:
        return None
    from scipy.stats import kendalltau

    return float(kendalltau(left, right).statistic)
