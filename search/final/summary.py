"""What a final front says: who stays on it, how right the predicted latencies were, how lucky the search was.

Pure arithmetic over records. A search picks the best of noisy validations, so those it picked look better than they
are (the winner's curse). The two splits differ in difficulty besides; networks of the first rounds, which nothing had
selected, show that difference alone, and it is taken out.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass

import numpy as np

from ...lut import PauseFactor, common_factor
from ..problem.objective import Direction
from ..runs.quality import kendall_tau


@dataclass(frozen=True, slots=True)
class Optimism:
    """By how much the search's values of one objective were better than the report split's, in the objective's unit.

    front: mean over the members; controls: mean over networks of the first rounds; curse: the difference, which is
    what selection did, with its standard error. None where there are too few networks to say.
    """

    front: float
    controls: float | None
    curse: float | None
    standard_error: float | None

    @staticmethod
    def of(
        members: Sequence[tuple[float, float]], controls: Sequence[tuple[float, float]], direction: Direction
    ) -> Optimism:
        """Compare (search, report) values of members, and of controls."""
        sign = 1.0 if direction == "max" else -1.0
        ours, theirs = (np.array([sign * (before - after) for before, after in pairs]) for pairs in (members, controls))
        front = float(ours.mean())
        if not len(theirs):
            return Optimism(front, None, None, None)
        error = None
        if len(ours) > 1 and len(theirs) > 1:
            error = math.sqrt(float(ours.var(ddof=1)) / len(ours) + float(theirs.var(ddof=1)) / len(theirs))
        return Optimism(front, float(theirs.mean()), front - float(theirs.mean()), error)


@dataclass(frozen=True, slots=True)
class LatencyAgreement:
    """How right predicted latencies were, of `networks` that were measured.

    mape_percent, mean_absolute_error_us: predictions against what was measured. mape_at_pace_percent and
    within_interval_percent: the same, and the share inside 90 % intervals, once the machine's own change of speed
    (anchor_ratio) is taken out. kendall: tau-b of the two orders; None where there is no order to compare.
    """

    networks: int
    anchor_ratio: float
    kendall: float | None
    mean_absolute_error_us: float
    mape_percent: float
    mape_at_pace_percent: float
    within_interval_percent: float | None

    @staticmethod
    def of(
        predicted_us: Sequence[float],
        measured_us: Sequence[float],
        intervals: Sequence[tuple[float, float] | None],
        anchor_ratio: float,
    ) -> LatencyAgreement:
        """Compare n predictions with n measurements."""
        predicted, measured = np.array(predicted_us), np.array(measured_us)
        at_pace = measured / anchor_ratio
        inside = [low <= us <= high for us, (low, high) in ((u, i) for u, i in zip(at_pace, intervals) if i)]
        return LatencyAgreement(
            len(measured),
            anchor_ratio,
            kendall_tau(np.array(predicted_us), np.array(measured_us)),
            float(np.abs(predicted - measured).mean()),
            float(100 * (np.abs(predicted - measured) / measured).mean()),
            float(100 * (np.abs(predicted - at_pace) / at_pace).mean()),
            100 * sum(inside) / len(inside) if inside else None,
        )


@dataclass(frozen=True, slots=True)
class PauseEffect:
    """What a pause before each inference does, of `networks` members timed both ways, `period_ms` apart and in a loop.

    factor, low, high: the median factor and its 95 % interval. least, most: of the members' factors. longer_us: by how
    much an inference is longer, the median. kendall: tau-b of the two orders; None where there is no order to compare.
    """

    networks: int
    period_ms: float
    factor: float
    low: float
    high: float
    least: float
    most: float
    longer_us: float
    kendall: float | None

    @staticmethod
    def of(
        period_ms: float,
        hot_us: Sequence[float],
        paced_us: Sequence[float],
        factors: Sequence[tuple[float, float, float]],
    ) -> PauseEffect:
        """Compare n latencies in the hot loop with n with pauses, whose factors have a ratio, low and high each."""
        common = common_factor([PauseFactor(*factor) for factor in factors])
        ratios = [ratio for ratio, _, _ in factors]
        return PauseEffect(
            networks=len(ratios),
            period_ms=period_ms,
            factor=common.ratio,
            low=common.low,
            high=common.high,
            least=min(ratios),
            most=max(ratios),
            longer_us=float(np.median(np.array(paced_us) - np.array(hot_us))),
            kendall=kendall_tau(np.array(hot_us), np.array(paced_us)),
        )


@dataclass(frozen=True, slots=True)
class Standing:
    """Whether a member is on the final front, and why not; None where it could not be told."""

    on_front: bool | None
    reason: str = ""


def standings(
    ids: Sequence[str],
    values: Sequence[Mapping[str, float]],
    directions: Mapping[str, Direction],
    *,
    unknown: Mapping[str, str],
    violated: Callable[[Mapping[str, float]], str],
) -> tuple[Standing, ...]:
    """Tell for each member, by its final values, whether it stays.

    `unknown` says why a member's values are not known; `violated` names the constraints that values miss, or nothing.
    Members that keep no constraint dominate nobody.
    """
    costs = {
        member: [-value[name] if direction == "max" else value[name] for name, direction in directions.items()]
        for member, value in zip(ids, values)
    }
    missed = {member: violated(value) for member, value in zip(ids, values) if member not in unknown}
    rivals = [member for member in ids if missed.get(member) == ""]

    def standing(member: str) -> Standing:
        if member in unknown:
            return Standing(None, unknown[member])
        if missed[member]:
            return Standing(False, f"breaks {missed[member]}")
        better = [rival for rival in rivals if dominates(costs[rival], costs[member])]
        best = [rival for rival in better if not any(dominates(costs[other], costs[rival]) for other in better)]
        return Standing(not better, f"{best[0]} is better" if best else "")

    return tuple(standing(member) for member in ids)


def dominates(a: Sequence[float], b: Sequence[float]) -> bool:
    """Tell whether costs `a` are nowhere worse than `b` and somewhere better."""
    return all(x <= y for x, y in zip(a, b)) and any(x < y for x, y in zip(a, b))
