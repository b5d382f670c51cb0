"""The records of a journal as values: sessions, visits, failures, anchors."""

from __future__ import annotations

from dataclasses import dataclass
from statistics import median
from typing import Any, Dict, Iterable, List, Mapping, Tuple

from ..journal import Record
from ..machine.hardware import Hardware
from ..timing.measurement import Measurement
from ..timing.schedule import Step


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
    """

    key: str
    role: str
    step: Step
    loops: int
    block_us: Tuple[float, ...]
    load_ms: float
    session: str
    t_s: float

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


def measurements_from_visits(visits: Iterable[Visit]) -> Dict[str, Measurement]:
    """Gather visits by model, in their order."""
    blocks: Dict[str, List[Tuple[float, ...]]] = {}
    loops: Dict[str, int] = {}
    for visit in visits:
        blocks.setdefault(visit.key, []).append(visit.block_us)
        loops.setdefault(visit.key, visit.loops)
    return {key: Measurement(tuple(taken), loops[key]) for key, taken in blocks.items()}


def step_fields(step: Step) -> Record:
    """Return the fields that say which step an attempt, visit or failure belongs to."""
    return {"key": step.key, "pass": step.pass_index, "slot": step.slot}
