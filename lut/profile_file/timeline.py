"""Measurements of a profile with the machine's drift removed, as its anchors show it.

The file keeps raw blocks and when each visit was made; the correction (`profilers/results/drift.py`) is made anew
on reading.
"""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from ...profilers.results.drift import SpeedCurve
from ...profilers.timing.measurement import Measurement
from .schema import AnchorRecord, LayerRecord, NetworkRecord

CREDIBLE_PERCENT = 60.0  # a machine whose speed seems to move further is not drifting, its anchor is not measurable


@dataclass(frozen=True)
class Timeline:
    """When sessions began, on the clock of all of them, and how slow the machine was at each moment."""

    starts: tuple[tuple[float, str], ...]
    speed: SpeedCurve

    @staticmethod
    def of(session_starts_s: Mapping[str, float], anchors: Sequence[AnchorRecord]) -> Timeline:
        """Read the curve off the anchors."""
        starts = tuple(sorted((start_s, session) for session, start_s in session_starts_s.items()))
        return Timeline(starts, SpeedCurve.from_anchors(anchors if starts else ()))

    def measurement(self, record: LayerRecord | NetworkRecord) -> Measurement:
        """Return the record's blocks as they would have been at the machine's undisturbed speed.

        As they are where the anchors say nothing, or move too far to be believed.
        """
        if not record.at_s or not self.starts or self.speed.movement_percent > CREDIBLE_PERCENT:
            return Measurement(record.block_us, record.loops)
        factors = [self.factor(at_s) for at_s in record.at_s]
        corrected = tuple(tuple(us / f for us in visit) for visit, f in zip(record.block_us, factors))
        return Measurement(corrected, record.loops)

    def factor(self, at_s: float) -> float:
        """Return how slow the machine was then."""
        position = max(0, bisect_right(self.starts, (at_s, "\uffff")) - 1)
        start_s, session = self.starts[position]
        return self.speed.factor(session, at_s - start_s)
