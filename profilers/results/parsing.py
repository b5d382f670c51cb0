"""Reads the results of a plan: its records, each checked, as one value."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, Any, Callable, Dict, List, Sequence, Tuple, Union

from ..errors import JournalDamaged
from ..journal import Record, read_journal, warn_torn
from ..machine.hardware import Hardware
from ..run_config import RunConfig
from ..timing.schedule import Step
from .application import ApplicationVisit, visit_from_record
from .conditions import DeviceState
from .numbers import integer_from, number_from, us_from
from .results import SCHEMA, SCHEMA_VERSION, ProcessTurn, Results
from .visits import Failure, Session, Visit

if TYPE_CHECKING:
    import os

    PathLike = Union[str, "os.PathLike[str]"]

READABLE_VERSIONS = (1, 2, 3, 4, 5)


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
