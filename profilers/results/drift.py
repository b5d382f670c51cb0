"""How the machine's speed moved during a run, read off the anchors, and measurements with that movement removed.

Two things make a visit slower than it should be, and each has its own remedy; neither can do the other's work.

- A spell of other work hits some visits and misses others. No curve can know which, because the anchors are elsewhere
  at that moment. The probe knows, and the estimator keeps to what was undisturbed (`measurement.py`; without a probe it
  is the lower quartile of all blocks, which leaves such visits out as long as a good quarter were missed). But it is
  blind to what lasts: where the machine was slower all through a session, it takes the slow visits for the latency.
- A speed that lasts (drift, a slow half, a session of another speed) is seen by the anchors before and after, and is
  divided out here. But the curve is blind to what is shorter than some five anchor visits, and it assumes that the
  machine slows all models alike; what slows only memory, say, is divided out of all by the anchor's share.

A visit seeming too slow is harmless, the estimator leaves it out; one seeming too fast would be believed. So where the
curve is in doubt it corrects too little: across a jump between two anchors it keeps to the faster side.
"""

from __future__ import annotations

import math
from bisect import bisect_right
from collections import Counter
from dataclasses import dataclass
from functools import cached_property
from statistics import median
from typing import Dict, Iterable, List, Mapping, Optional, Protocol, Sequence, Tuple, TypeVar

from ..timing.measurement import undisturbed
from .levels import speed_levels

ENOUGH = 5  # anchor visits a session needs to have a curve of its own
PLACEMENT = 0.08  # log factor by which processes of one machine differ though its speed is the same
JUMP = 0.03  # neighbouring anchors further apart than this share do not lie on a slope


class AnchorReading(Protocol):
    """One visit to an anchor: ``value_us`` at ``t_s`` seconds into ``session``."""

    @property
    def key(self) -> str:
        """The anchor visited."""

    @property
    def session(self) -> str:
        """The session of the visit."""

    @property
    def t_s(self) -> float:
        """Seconds into the session."""

    @property
    def value_us(self) -> float:
        """What the anchor took."""

    @property
    def clean(self) -> Optional[bool]:
        """Whether that was read off clean blocks; None without a probe."""


Reading = TypeVar("Reading", bound=AnchorReading)


@dataclass(frozen=True)
class SpeedCurve:
    """How slow the machine was at each moment of a run, 1 being its own undisturbed speed.

    reference_us: what each anchor takes at factor 1. This is the level of the run's fastest stretch, not its fastest
    readings, which among many are fast by chance.
    knots: for each session (seconds into it, factor), in the order of time.
    """

    reference_us: Mapping[str, float]
    knots: Mapping[str, Tuple[Tuple[float, float], ...]]

    @classmethod
    def from_anchors(cls, anchors: Iterable[AnchorReading]) -> SpeedCurve:
        """Read the curve off the visits to the anchors, of all sessions.

        All factors are 1 where the anchors move no more than their own noise. A session with fewer than five anchor
        visits gets the median of its own as its one factor. Without anchors nothing is known, and every factor is 1.
        """
        sessions: Dict[str, List[AnchorReading]] = {}
        values: Dict[str, List[float]] = {}
        for anchor in undisturbed_anchors(anchors):
            sessions.setdefault(anchor.session, []).append(anchor)
            values.setdefault(anchor.key, []).append(anchor.value_us)
        unit_us = {key: undisturbed(taken) for key, taken in values.items()}
        series = {
            session: [(anchor.t_s, math.log(anchor.value_us / unit_us[anchor.key])) for anchor in found]
            for session, found in ((session, sorted(found, key=_when)) for session, found in sessions.items())
        }
        levels = _levels(series)
        sure = [level for found in levels.values() if len(found) >= ENOUGH for _, level in found]
        reference = median(sorted(sure or [found[0][1] for found in levels.values()] or [0.0])[:ENOUGH])
        return cls(
            reference_us={key: value * math.exp(reference) for key, value in unit_us.items()},
            knots={
                session: tuple((t_s, _factor(level - reference, len(found))) for t_s, level in found)
                for session, found in levels.items()
            },
        )

    def levelled(self, log_factors: Mapping[str, float]) -> SpeedCurve:
        """Return the curve with the sessions' own levels as all models together show them, by log factor.

        A process places an anchor in memory once, as it does every model, so an anchor alone tells a slow session from
        another placement of its own by a few percent only. Within a session the curve keeps its shape. Where sessions
        are further apart than placement explains, the fastest counts and those near it; else all do.
        """
        if not log_factors:
            return self
        fastest = min(log_factors.values())
        reference = median(factor for factor in log_factors.values() if factor <= fastest + PLACEMENT)
        knots = dict(self.knots)
        for session, log_factor in log_factors.items():
            level = math.exp(log_factor - reference)
            own = knots.get(session) or ((0.0, 1.0),)
            middle = median(factor for _, factor in own)
            knots[session] = tuple((t_s, factor / middle * level) for t_s, factor in own)
        return SpeedCurve(self.reference_us, knots)

    def factor(self, session: str, t_s: float) -> float:
        """Return how many times slower than undisturbed the machine was, ``t_s`` seconds into ``session``.

        Linear between two anchors; but the faster of the two across a jump. 1 in a session without anchors.
        """
        knots = self.knots.get(session, ())
        if not knots:
            return 1.0
        position = bisect_right(self._times[session], t_s)
        if position == 0 or position == len(knots):
            return knots[min(position, len(knots) - 1)][1]
        (start_s, start), (end_s, end) = knots[position - 1], knots[position]
        if abs(math.log(end / start)) > JUMP:
            return min(start, end)
        return start + (end - start) * (t_s - start_s) / (end_s - start_s)

    @cached_property
    def _times(self) -> Mapping[str, Tuple[float, ...]]:
        """When the knots of each session are."""
        return {session: tuple(t_s for t_s, _ in knots) for session, knots in self.knots.items()}

    @cached_property
    def movement_percent(self) -> float:
        """How much slower the slowest moment was than the fastest, in percent; 0 if nothing moved."""
        factors = [factor for knots in self.knots.values() for _, factor in knots]
        return 100 * (max(factors) / min(factors) - 1) if factors else 0.0


def undisturbed_anchors(anchors: Iterable[Reading]) -> List[Reading]:
    """Return the visits to the anchors that say something: where a session has enough clean ones, only those."""
    anchors = list(anchors)
    clean = Counter(anchor.session for anchor in anchors if anchor.clean)
    return [anchor for anchor in anchors if anchor.clean or clean[anchor.session] < ENOUGH]


def anchors_us(anchors: Iterable[AnchorReading]) -> float:
    """Return what an anchor takes undisturbed, over all its visits: as `Measurement.value_us`, of visits."""
    kept = undisturbed_anchors(anchors)
    clean = [anchor.value_us for anchor in kept if anchor.clean]
    return median(clean) if len(clean) >= ENOUGH else undisturbed([anchor.value_us for anchor in kept])


def _levels(series: Mapping[str, Sequence[Tuple[float, float]]]) -> Dict[str, List[Tuple[float, float]]]:
    """Return the (time, level) of each reading; sessions of few readings have one level, their median."""
    long = [session for session, found in series.items() if len(found) >= ENOUGH]
    readings = [value for session in long for _, value in series[session]]
    starts, position = set(), 0
    for session in long:
        starts.add(position)
        position += len(series[session])
    smooth = iter(speed_levels(readings, frozenset(starts)))
    levels: Dict[str, List[Tuple[float, float]]] = {}
    for session, found in series.items():
        own = median(value for _, value in found)
        levels[session] = [(t_s, next(smooth) if session in long else own) for t_s, _ in found]
    return levels


def _factor(level: float, readings: int) -> float:
    """Return the factor of a level; 1 if a few readings only seem to differ."""
    return 1.0 if readings < ENOUGH and abs(level) < JUMP else math.exp(level)


def _when(anchor: AnchorReading) -> float:
    return anchor.t_s
