"""What a worker wrote: the results journal of one plan, read back.

The journal holds raw block times only; every value is derived here, at read time. Its records, each with a ``record``
field: ``header`` (schema, version, plan digest, backend, config), ``session`` (one start of a worker: id, time,
hardware, versions), ``options`` (what the runtime reports after compiling), ``attempt`` (written before a model is
loaded, so that a native crash can be told whose it was), ``visit``, ``failure``, ``conditions`` (what the device told
of its clocks, after a visit to an anchor), ``application`` (a fresh load of a model, its first inference, and single
ones with pauses), ``turn`` (a new process makes the passes from here on), and ``done``.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from functools import cached_property
from typing import TYPE_CHECKING, Dict, List, Mapping, Optional, Sequence, Tuple

from ..journal import Record
from ..run_config import RunConfig
from ..timing.measurement import Measurement
from ..timing.schedule import Step
from .application import ApplicationVisit, SeenByApplication, seen_by_application
from .conditions import DeviceState
from .contention import ContentionSummary, Probed, probed_visits, summary_of_contention
from .visits import Anchor, Failure, Session, Visit, anchor_value, measurements_from_visits

if TYPE_CHECKING:
    from ..timing.plan import TimingPlan

SCHEMA = "gnomon.results"
# History of the results format, newest first:
#   5  turn, in place of repetition, which repeated some models at the end
#   4  lines end with a checksum (`journal.py`); repetition; application: a model as an application sees it
#   3  visit: probe_us, switches
#   2  conditions
#   1  header, session, options, attempt, visit, failure, done
SCHEMA_VERSION = 5


@dataclass(frozen=True)
class ProcessTurn:
    """Where a new process took over: the first of its passes, and how many seconds the run had taken before."""

    first_pass: int
    seconds: float


@dataclass(frozen=True)
class Results:
    """Everything recorded for one plan so far.

    session_seconds: how long each session's worker ran, until its last record.
    attempts: the steps begun, in order, whether or not they ended.
    turns: of the processes after the first one, in order.
    """

    plan: str
    backend: str
    config: RunConfig
    sessions: Tuple[Session, ...] = ()
    visits: Tuple[Visit, ...] = ()
    failures: Tuple[Failure, ...] = ()
    attempts: Tuple[Step, ...] = ()
    conditions: Tuple[DeviceState, ...] = ()
    application_visits: Tuple[ApplicationVisit, ...] = ()
    session_seconds: Mapping[str, float] = field(default_factory=dict)
    turns: Tuple[ProcessTurn, ...] = ()
    is_complete: bool = False
    warnings: Tuple[str, ...] = ()

    @property
    def seconds(self) -> float:
        """How long workers ran, over all sessions, until their last record."""
        return sum(self.session_seconds.values())

    @cached_property
    def probed(self) -> Sequence[Optional[Probed]]:
        """What the probe said of each visit, in their order; None for those without a probe."""
        return probed_visits(self.visits, has_clock=self.config.device == "cpu")

    @property
    def measurements(self) -> Dict[str, Measurement]:
        """The measurement of every layer and network visited, by key; a model that failed later keeps its visits."""
        anchors = {visit.key for visit in self.visits if visit.role == "anchor"}
        return {
            key: found
            for key, found in measurements_from_visits(self.visits, self.probed).items()
            if key not in anchors
        }

    @property
    def applications(self) -> Dict[str, SeenByApplication]:
        """What an application sees of each model that was timed so, by key."""
        return seen_by_application(self.application_visits)

    @property
    def session_starts_s(self) -> Dict[str, float]:
        """When each session began, on one clock that counts worker time over all sessions."""
        starts, total = {}, 0.0
        for session in self.sessions:
            starts[session.id] = round(total, 4)
            total += self.session_seconds.get(session.id, 0.0)
        return starts

    @property
    def at_s(self) -> Dict[str, Tuple[float, ...]]:
        """When each visit to each model ended, on that clock, by key; in the order of `measurements`."""
        starts = self.session_starts_s
        found: Dict[str, List[float]] = {}
        for visit in self.visits:
            found.setdefault(visit.key, []).append(round(starts[visit.session] + visit.t_s, 3))
        return {key: tuple(times) for key, times in found.items()}

    @property
    def anchors(self) -> Tuple[Anchor, ...]:
        """Every visit to an anchor, in the order of measuring."""
        return tuple(
            Anchor(visit.key, visit.t_s, visit.session, *anchor_value(visit, probed))
            for visit, probed in zip(self.visits, self.probed)
            if visit.role == "anchor"
        )

    @property
    def contention(self) -> Optional[ContentionSummary]:
        """How busy the core was meanwhile; None without a probe."""
        return summary_of_contention(self.visits, self.probed)


def header_record(plan: TimingPlan) -> Record:
    """Return the first record of the results of ``plan``."""
    return {
        "record": "header",
        "schema": SCHEMA,
        "version": SCHEMA_VERSION,
        "plan": plan.digest,
        "backend": plan.backend,
        "config": plan.config.to_json(),
    }
