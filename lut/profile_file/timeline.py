"""Measurements of a profile with the machine's drift removed, as its anchors show it.

The file keeps raw blocks and when each visit was made; the correction (`profilers/results/drift.py`) is made anew
on reading.
"""

from __future__ import annotations

import statistics
from bisect import bisect_right
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace

from ...profilers.results.contention import Probed, informed_by_all, measurement_of, probed_visits
from ...profilers.results.drift import SpeedCurve
from ...profilers.results.processes import ProcessSpread, spread_of_processes
from ...profilers.timing.measurement import Measurement
from .schema import AnchorRecord, LayerRecord, NetworkRecord

CREDIBLE_PERCENT = 60.0  # a machine whose speed seems to move further is not drifting, its anchor is not measurable


@dataclass(frozen=True)
class Timeline:
    """When sessions began, on the clock of all of them, and how slow the machine was at each moment.

    scale: what all times are multiplied by, because the device has moved as a whole since. has_clock: whether the probe
    tells the clock of the core that computes, and the anchors are free of it.
    """

    starts: tuple[tuple[float, str], ...]
    speed: SpeedCurve
    scale: float = 1.0
    has_clock: bool = True

    @staticmethod
    def of(
        session_starts_s: Mapping[str, float],
        anchors: Sequence[AnchorRecord],
        *,
        scale: float = 1.0,
        has_clock: bool = True,
    ) -> Timeline:
        """Estimate the machine's speed over time from the anchors."""
        starts = tuple(sorted((start_s, session) for session, start_s in session_starts_s.items()))
        return Timeline(starts, SpeedCurve.from_anchors(anchors if starts else ()), scale, has_clock)

    def read(self, records: Sequence[LayerRecord | NetworkRecord]) -> RunEvidence:
        """Return the records' measurements in their order, and what all of them say of the run.

        Measurements have the drift taken out, and what the probe said of each block. Drift within a process is read off
        the anchors, and not removed where there are none, or where they move too far to be believed; what a process
        adds to all models is read off them.
        """
        visits = [visit for number, record in enumerate(records) for visit in self.visits(number, record)]
        probed: list[list[Probed | None]] = [[] for _ in records]
        clean_us: dict[int, dict[str, list[float]]] = {}
        levels_us = []
        for visit, marks in zip(visits, probed_visits(visits, has_clock=self.has_clock)):
            probed[visit.record].append(marks)
            if marks is not None:
                levels_us.append(visit.probe_us[0] / marks.readings[0])
                clean = [us / clock for us, ours, clock in zip(visit.block_us, marks.clean, marks.clock) if ours]
                clean_us.setdefault(visit.record, {}).setdefault(visit.session, []).extend(clean)
        spread = spread_of_processes(clean_us)
        levelled = self if spread is None else replace(self, speed=self.speed.levelled(spread.factors))
        found = {
            number: measurement_of(
                levelled.blocks(record),
                record.loops,
                probed[number] or [None] * len(record.block_us),
                self.sessions(record),
            )
            for number, record in enumerate(records)
        }
        return RunEvidence(
            list(informed_by_all(found).values()), spread, statistics.median(levels_us) if levels_us else None
        )

    def measurement(self, record: LayerRecord | NetworkRecord) -> Measurement:
        """Return the measurement of a record that no probe was read beside: what others show says nothing of it."""
        return measurement_of(self.blocks(record), record.loops, [None] * len(record.block_us), self.sessions(record))

    def visits(self, number: int, record: LayerRecord | NetworkRecord) -> Iterator[RecordedVisit]:
        """Yield the visits of a record, the one in that place, with the probe's readings; none without a probe."""
        if not record.probe_us:
            return
        switches = record.switches or ((),) * len(record.block_us)
        for at_s, blocks, probe, count in zip(record.at_s, record.block_us, record.probe_us, switches):
            yield RecordedVisit(number, self.session(at_s)[1], at_s, record.loops, blocks, probe, count)

    def blocks(self, record: LayerRecord | NetworkRecord) -> tuple[tuple[float, ...], ...]:
        """Return a record's blocks as they would have been had the machine's speed not moved, rescaled."""
        factors = [1 / self.scale] * len(record.block_us)
        if record.at_s and self.starts and self.speed.movement_percent <= CREDIBLE_PERCENT:
            factors = [self.factor(at_s) / self.scale for at_s in record.at_s]
        return tuple(tuple(us / f for us in visit) for visit, f in zip(record.block_us, factors))

    def session(self, at_s: float) -> tuple[float, str]:
        """Return the session of that moment: when it began, and its name."""
        return self.starts[max(0, bisect_right(self.starts, (at_s, "\uffff")) - 1)] if self.starts else (0.0, "")

    def sessions(self, record: LayerRecord | NetworkRecord) -> tuple[str, ...]:
        """Return the name of the session of each visit of a record; nothing where its times are not known."""
        return tuple(self.session(at_s)[1] for at_s in record.at_s)

    def factor(self, at_s: float) -> float:
        """Return how slow the machine was then."""
        start_s, session = self.session(at_s)
        return self.speed.factor(session, at_s - start_s)


@dataclass(frozen=True)
class RunEvidence:
    """What the records of a run say together.

    processes: how far apart they are; None with one, or without a probe. clean_level_us: what the probe read while the
    core was the run's own, mostly; None without a probe.
    """

    measurements: list[Measurement]
    processes: ProcessSpread | None
    clean_level_us: float | None


@dataclass(frozen=True)
class RecordedVisit:
    """One visit of a layer's or network's record, as `profilers.results.contention` reads it."""

    record: int
    session: str
    t_s: float
    loops: int
    block_us: tuple[float, ...]
    probe_us: tuple[float, ...]
    switches: tuple[int, ...]
