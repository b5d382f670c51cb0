"""What a worker wrote: the results journal of one plan, read back.

The journal holds raw block times only; every value is derived here, at read time. Its records, each with a ``record``
field: ``header`` (schema, version, plan digest, backend, config), ``session`` (one start of a worker: id, time,
hardware, versions), ``options`` (what the runtime reports after compiling), ``attempt`` (written before a model is
loaded, so that a native crash can be told whose it was), ``visit``, ``failure``, ``conditions`` (what the device told
of its clocks, after a visit to an anchor), ``application`` (a fresh load of a model, its first inference, and single
ones with pauses), ``turn`` (a new process makes the passes from here on), and ``done``.
"""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from functools import cached_property
from typing import TYPE_CHECKING, Any, Callable, Dict, List, Mapping, Optional, Sequence, Tuple, Union

from ..errors import JournalDamaged
from ..journal import Record, read_journal, warn_torn
from ..machine.hardware import Hardware
from ..run_config import RunConfig
from ..timing.measurement import Measurement
from ..timing.schedule import Step
from .application import ApplicationVisit, SeenByApplication, seen_by_application, visit_from_record
from .conditions import DeviceState
from .contention import ContentionSummary, Probed, probed_visits, summary_of_contention
from .numbers import integer_from, number_from, us_from
from .visits import Anchor, Failure, Session, Visit, anchor_value, measurements_from_visits

if TYPE_CHECKING:
    import os

    from ..timing.plan import TimingPlan

    PathLike = Union[str, "os.PathLike[str]"]

SCHEMA = "gnomon.results"
# History of the results format, newest first:
#   5  turn, in place of repetition, which repeated some models at the end
#   4  lines end with a checksum (`journal.py`); repetition; application: a model as an application sees it
#   3  visit: probe_us, switches
#   2  conditions
#   1  header, session, options, attempt, visit, failure, done
SCHEMA_VERSION = 5
READABLE_VERSIONS = (1, 2, 3, 4, 5)


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


def read_results(path: PathLike) -> Results:
    """Return what a results journal holds so far; warns of a torn last line, which is dropped.

    Raises `JournalDamaged` for a line that is not a record of a known version, or that repeats one that counts once.
    """
    records, torn = read_journal(path)
    warn_torn(torn)
    return results_from_records(records, path=str(path), warnings=torn)


def results_from_records(records: Sequence[Record], *, path: str = "", warnings: Tuple[str, ...] = ()) -> Results:
    """Return the results a journal's ``records`` amount to; ``path`` is for messages."""
    parts: Dict[str, List[Any]] = {kind: [] for kind in _PARSERS}
    first_line: Dict[Tuple[Any, ...], int] = {}
    session_seconds: Dict[str, float] = {}
    for number, record in enumerate(records, start=1):
        try:
            kind = record["record"]
            parts[kind].append(_PARSERS[kind](record))
            if "session" in record and kind != "session" and not _began(record["session"], parts["session"]):
                raise ValueError(f"the session {record['session']!r} did not begin before it")
            if "t_s" in record:
                session_seconds[str(record["session"])] = number_from(record["t_s"])
            identity = _identity(parts[kind][-1])
            if identity and first_line.setdefault(identity, number) != number:
                raise ValueError(f"it repeats line {first_line[identity]} and would count twice; remove one of them")
        except (KeyError, TypeError, ValueError) as exc:
            raise JournalDamaged(
                f"{path}, line {number}: not a record of {SCHEMA} version {SCHEMA_VERSION} ({exc!r})",
                path=path,
                line_number=number,
            ) from exc
    if len(parts["header"]) != 1 or records[0]["record"] != "header":
        raise JournalDamaged(
            f"{path} does not begin with its one header; expected a file written by the worker",
            path=path,
            line_number=1,
        )
    plan, backend, config = parts["header"][0]
    sessions, disagreements = _with_options(parts["session"], parts["options"])
    return Results(
        plan=plan,
        backend=backend,
        config=config,
        sessions=sessions,
        visits=tuple(parts["visit"]),
        failures=tuple(parts["failure"]),
        attempts=tuple(parts["attempt"]),
        conditions=tuple(parts["conditions"]),
        application_visits=tuple(parts["application"]),
        session_seconds=session_seconds,
        turns=tuple(parts["turn"]),
        is_complete=bool(parts["done"]),
        warnings=warnings + disagreements,
    )


def _began(session: Any, sessions: Sequence[Session]) -> bool:
    """Tell whether a session of that name is among those so far; mostly it is the last."""
    return any(one.id == session for one in reversed(sessions))


def _with_options(
    sessions: Sequence[Session], options: Sequence[Tuple[str, Dict[str, Any]]]
) -> Tuple[Tuple[Session, ...], Tuple[str, ...]]:
    """Give each session the first options reported in it, and a warning for each field that ever changed."""
    first = dict(reversed(list(options)))
    changed: Dict[str, List[str]] = {}
    reference = options[0][1] if options else {}
    for _, reported in options:
        for name in sorted(set(reference) | set(reported)):
            values = changed.setdefault(name, [repr(reference.get(name))])
            if repr(reported.get(name)) not in values:
                values.append(repr(reported.get(name)))
    warnings = tuple(
        f"the runtime reported different values of {name} for different models: {', '.join(values)}"
        for name, values in changed.items()
        if len(values) > 1
    )
    return tuple(replace(session, options=first.get(session.id, {})) for session in sessions), warnings


def _identity(parsed: Any) -> Tuple[Any, ...]:
    """Return what no two records of one run share; nothing for kinds of which copies change nothing.

    The visits to anchors with which every resumed session begins have one and the same step.
    """
    if isinstance(parsed, Visit):
        return ("visit", parsed.step, parsed.session if parsed.step.slot < 0 else "")
    if isinstance(parsed, ApplicationVisit):
        return ("application", parsed.step)
    return ("session", parsed.id) if isinstance(parsed, Session) else ()


def _step(record: Record) -> Step:
    return Step(str(record["key"]), integer_from(record["pass"]), integer_from(record["slot"]))


def _header(record: Record) -> Tuple[str, str, RunConfig]:
    if record["schema"] != SCHEMA or record["version"] not in READABLE_VERSIONS:
        raise ValueError(f"found {record['schema']} version {record['version']}")
    return str(record["plan"]), str(record["backend"]), RunConfig.from_json(record["config"])


def _session(record: Record) -> Session:
    return Session(
        id=str(record["session"]),
        started=str(record["started"]),
        monotonic_s=number_from(record["monotonic_s"]),
        hardware=Hardware.from_json(record["hardware"]),
        versions=dict(record["versions"]),
        options={},
    )


def _visit(record: Record) -> Visit:
    loops, block_us = integer_from(record["loops"]), tuple(us_from(value) for value in record["block_us"])
    if loops < 1 or not block_us:
        raise ValueError(f"a visit has {len(block_us)} blocks of {loops} inferences; expected one of one at least")
    return Visit(
        key=str(record["key"]),
        role=str(record["role"]),
        step=_step(record),
        loops=loops,
        block_us=block_us,
        load_ms=number_from(record["load_ms"]),
        session=str(record["session"]),
        t_s=number_from(record["t_s"]),
        **_probe(record),
    )


def _probe(record: Record) -> Dict[str, Any]:
    """Return the probe's part of a visit; ValueError unless it is of as many blocks."""
    blocks = len(record["block_us"])
    probe_us = tuple(us_from(value) for value in record.get("probe_us", ()))
    switches = tuple(integer_from(value) for value in record.get("switches", ()))
    if len(probe_us) not in (0, blocks + 1) or len(switches) not in (0, blocks):
        raise ValueError(f"{len(probe_us)} probe readings and {len(switches)} switches of {blocks} blocks")
    return {"probe_us": probe_us, "switches": switches}


def _failure(record: Record) -> Failure:
    return Failure(
        key=str(record["key"]),
        role=str(record["role"]),
        step=_step(record),
        reason=str(record["reason"]),
        session=str(record["session"]),
        t_s=number_from(record["t_s"]),
    )


def _options(record: Record) -> Tuple[str, Dict[str, Any]]:
    return str(record["session"]), dict(record["options"])


def _conditions(record: Record) -> DeviceState:
    return DeviceState(dict(record["conditions"]), str(record["session"]), number_from(record["t_s"]))


def _turn(record: Record) -> ProcessTurn:
    return ProcessTurn(integer_from(record["first_pass"]), number_from(record["seconds"]))


def _application(record: Record) -> ApplicationVisit:
    return visit_from_record(record, _step(record))


_PARSERS: Dict[str, Callable[[Record], Any]] = {
    "header": _header,
    "session": _session,
    "options": _options,
    "attempt": _step,
    "visit": _visit,
    "failure": _failure,
    "conditions": _conditions,
    "turn": _turn,
    "repetition": dict,  # of version 4: its visits are of later passes, like any
    "application": _application,
    "done": dict,
}
