"""How well a run's tactic predicted what it then measured: the only honest test of a predictor is the next value.

Expectations of a full validation are written down before each evaluation, so nothing here is fitted to what judges it.
That the tactic chooses what to measure, often where it is unsure or hopeful, makes this harder than a random sample
would be. Partial evaluations that count in the front are judged too: they err by themselves, which networks evaluated
both ways show, and intervals allow for it. How wide an interval has to be is learnt from earlier rounds (`widths.py`).
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from ..fronts.counting import most_exact, pairs_of, unit_error
from ..problem.objective import Values
from .files.records import Evaluation
from .widths import Z_90, learnt_widths


@dataclass(frozen=True, slots=True)
class Quality:
    """Agreement of `n` predictions with what was measured, `partial` of these on a share; `rmse` is in the objective's
    unit, and so is `own_error`, the standard error of those on a share by themselves, None where there are none or it
    is not known.

    `kendall_tau` is None where it has no meaning (fewer than two different values). `within_90` is the share of values
    inside their 90 % interval, as wide as earlier rounds had taught, and `surrogate_within_90` inside the surrogate's
    own; None where no prediction had one.
    """

    n: int
    kendall_tau: float | None
    rmse: float
    within_90: float | None
    surrogate_within_90: float | None
    partial: int = 0
    own_error: float | None = None

    @property
    def said(self) -> str:
        """What was predicted: `12 validations and 25 partial evaluations`."""
        counts = (self.n - self.partial, "validation"), (self.partial, "partial evaluation")
        return " and ".join(f"{n} {what}{'s' * (n != 1)}" for n, what in counts if n)


@dataclass(frozen=True, slots=True)
class PredictorQuality:
    """Quality of one objective's predictions, in all and by round.

    `widened` is by how much wider than the surrogate's a 90 % interval is now, after all errors so far.
    """

    objective: str
    unit: str
    overall: Quality
    rounds: Mapping[int, Quality]
    widened: float

    def __str__(self) -> str:
        q = self.overall
        parts = [] if q.kendall_tau is None else [f"tau {f'{q.kendall_tau:.2f}'.replace('0.', '.', 1)}"]
        parts.append(f"RMSE {q.rmse:.2g} {self.unit}")
        if q.within_90 is not None:
            parts.append(f"{100 * q.within_90:.0f} % of 90 % intervals hold")
            parts.append(f"the next {self.widened:.2g} times as wide as the surrogate's")
        which = "the latter with" if q.partial < q.n else "which have"
        own = "" if q.own_error is None else f", {which} an error of {q.own_error:.2g} {self.unit} themselves"
        return f"{', '.join(parts)}, on {q.said} predicted beforehand{own}"


@dataclass(frozen=True, slots=True)
class Predictions:
    """What was expected of one objective, and came, of n `evaluations`: `mean`, `values`, errors of their `own`, (n,).

    `deviation` (n,) is that of expected less measured, errors of partial evaluations included, and `half` (n,) how far
    90 % intervals reach either way; not-a-number where there is none. The next one's reaches `width` deviations.
    """

    evaluations: tuple[Evaluation, ...]
    mean: Values
    values: Values
    own: Values
    deviation: Values
    half: Values
    width: float


def quality_of(
    evaluations: Sequence[Evaluation], units: Mapping[str, str], counting: Iterable[Evaluation] = ()
) -> tuple[PredictorQuality, ...]:
    """Judge the expectations of full measurements and of those `counting`, one entry an objective that was predicted.

    `evaluations` are all of the run.
    """
    counting = tuple(counting)
    qualities = []
    for name, unit in units.items():
        predicted = predictions_of(name, evaluations, counting)
        if predicted.evaluations:
            numbers = np.array([evaluation.round for evaluation in predicted.evaluations])
            rounds = {int(number): judged(predicted, numbers == number) for number in np.unique(numbers)}
            everything = judged(predicted, np.ones(len(numbers), dtype=np.bool_))
            qualities.append(PredictorQuality(name, unit, everything, rounds, predicted.width / Z_90))
    return tuple(qualities)


def predictions_of(name: str, evaluations: Sequence[Evaluation], counting: Iterable[Evaluation] = ()) -> Predictions:
    """Return what was expected of an objective in full measurements and those `counting`, among all `evaluations`."""
    orders = {e.order for e in evaluations if e.is_full} | {e.order for e in counting}
    predicted = tuple(e for e in evaluations if e.order in orders and e.expected and name in e.expected)
    expected = np.array([e.expected[name] for e in predicted if e.expected], dtype=np.float64).reshape(-1, 2)
    mean, values = expected[:, 0], np.array([e.values[name] for e in predicted])
    error = error_of_partial(evaluations, name) if predicted else np.nan
    own = np.array([0.0 if e.is_full else error * np.sqrt(1.0 / e.share - 1.0) for e in predicted])
    deviation = np.hypot(expected[:, 1], own)
    # A deviation of 0 must not miss by rounding what it predicts exactly.
    exact = np.abs(mean - values) <= 1e-9 * np.maximum(1.0, np.abs(values))
    with np.errstate(divide="ignore", invalid="ignore"):
        errors = np.where(exact & np.isfinite(deviation), 0.0, (values - mean) / deviation)
    widths, width = learnt_widths(np.array([e.round for e in predicted], dtype=np.int64), errors)
    return Predictions(predicted, mean, values, own, deviation, widths * deviation, width)


def error_of_partial(evaluations: Sequence[Evaluation], name: str) -> float:
    """Return the error of partial evaluations where 1 / share - 1 is 1; NaN with no network evaluated on two shares."""
    full = {e.indices: [e.values[name]] for e in evaluations if e.is_full}
    partial = [(e.indices, e.share, [e.values[name]]) for e in evaluations if e.is_partial]
    pairs = pairs_of(partial, most_exact(full, partial))
    return float(unit_error(pairs)[0]) if pairs else float("nan")


def judged(predicted: Predictions, chosen: NDArray[np.bool_]) -> Quality:
    """Compare what was expected and measured of those that are `chosen`, (n,)."""
    mean, values, own = predicted.mean[chosen], predicted.values[chosen], predicted.own[chosen]
    errors = np.abs(mean - values)
    in_part = np.array([not e.is_full for e in predicted.evaluations])[chosen]
    known = in_part.any() and np.isfinite(own).all()
    return Quality(
        len(mean),
        kendall_tau(mean, values),
        float(np.sqrt(np.mean(errors**2))),
        share_inside(errors, predicted.half[chosen], values),
        share_inside(errors, Z_90 * predicted.deviation[chosen], values),
        int(in_part.sum()),
        float(np.sqrt(np.mean(own[in_part] ** 2))) if known else None,
    )


def share_inside(errors: Values, half: Values, values: Values) -> float | None:
    """Return the share of errors (n,) that are at most `half` an interval, but for rounding; None for no interval."""
    has_interval = np.isfinite(half)
    inside = errors <= half + 1e-9 * np.maximum(1.0, np.abs(values))
    return float(inside[has_interval].mean()) if has_interval.any() else None


def kendall_tau(left: np.ndarray, right: np.ndarray) -> float | None:
    """Return Kendall's tau-b of two samples, (n,) each; None where one of them is constant."""
    if len(np.unique(left)) < 2 or len(np.unique(right)) < 2:
        return None
    from scipy.stats import kendalltau

    return float(kendalltau(left, right).statistic)
