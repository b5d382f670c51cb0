"""The records of a journal as values: sessions, visits, failures, anchors."""

from __future__ import annotations

from dataclasses import dataclass
from statistics import median
from typing import Any, Dict, List, Mapping, Optional, Sequence, Tuple

from ..journal import Record
from ..machine.hardware import Hardware
from ..timing.measurement import Measurement
from ..timing.schedule import Step
from .contention import Probed, informed_by_all, measurement_of


@dataclass(frozen=True)
class Session:
    """One start of the worker; times of different sessions may differ by a factor the anchors show.

    monotonic_s: the monotonic clock when it started; every ``t_s`` counts from there.
    options: what the runtime reported; later reports that disagree are in `Results.warnings`.
    """

    id: str
    started: str
    monotonic_s: float
    hardware: Hardware
    versions: Mapping[str, str]
    options: Mapping[str, Any]


@dataclass(frozen=True)
class Visit:
    """One visit to one model: its block times in microseconds per inference, ``t_s`` seconds into its session.

    load_ms: how long loading and compiling took; never part of a latency.
    probe_us, switches: as of `ProbedBlocks`; empty without a probe.
    """

    key: str
    role: str
    step: Step
    loops: int
    block_us: Tuple[float, ...]
    load_ms: float
    session: str
    t_s: float
    probe_us: Tuple[float, ...] = ()
    switches: Tuple[int, ...] = ()

    @property
    def value_us(self) -> float:
        """The median of the blocks."""
        return median(self.block_us)


@dataclass(frozen=True)
class Failure:
    """A model that could not be timed, and why."""

    key: str
    role: str
    step: Step
    reason: str
    session: str
    t_s: float


@dataclass(frozen=True)
class Anchor:
    """One visit to an anchor: how fast the machine was at that moment."""

    key: str
    t_s: float
    session: str
    value_us: float
    clean: Optional[bool] = None  # whether it was read off clean blocks; None without a probe


def anchor_value(visit: Visit, probed: Optional[Probed]) -> Tuple[float, Optional[bool]]:
    """Return the microseconds that a visit to an anchor says, and whether it says so with clean blocks."""
    if probed is None:
        return visit.value_us, None
    clean = [us / clock for us, ours, clock in zip(visit.block_us, probed.clean, probed.clock) if ours]
    return (median(clean), True) if clean else (visit.value_us, False)


def measurements_from_visits(visits: Sequence[Visit], probed: Sequence[Optional[Probed]]) -> Dict[str, Measurement]:
    """Gather visits by model, in their order, with what `probed_visits` found; anchors too, which tell as much."""
    taken: Dict[str, List[int]] = {}
    for position, visit in enumerate(visits):
        taken.setdefault(visit.key, []).append(position)
    measurements = {
        key: measurement_of(
            [visits[p].block_us for p in found],
            visits[found[0]].loops,
            [probed[p] for p in found],
            [visits[p].session for p in found],
        )
        for key, found in taken.items()
    }
    return informed_by_all(measurements)


def step_fields(step: Step) -> Record:
    """Return the fields that say which step an attempt, visit or failure belongs to."""
    return {"key": step.key, "pass": step.pass_index, "slot": step.slot}
