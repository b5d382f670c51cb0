"""What one process records of a run: each record names the session that made it, and when in that session it did."""

from __future__ import annotations

import time
import uuid
from datetime import datetime, timezone
from typing import Any, Callable, Dict, Mapping, Optional

from ..errors import EnvironmentChanged
from ..journal import Journal, Record
from ..machine.hardware import Hardware
from ..machine.noise.limits import quota_use
from ..results.application import ApplicationVisit, fields_of_visit
from ..results.results import Results
from ..results.visits import Visit, step_fields
from ..runtimes.backend import Backend, Conditions
from ..timing.schedule import Step

HARDWARE_FIELDS = ("cpu_model", "cpus")  # a resumed run must find the same; what else changes is in the records


class Session:
    """One session of running a plan, as the journal has it."""

    def __init__(self, journal: Journal, recorded: Results, *, clock: Callable[[], float] = time.monotonic) -> None:
        self.id = uuid.uuid4().hex[:12]
        self._journal = journal
        self._earlier_s = recorded.seconds
        self._clock = clock
        self._origin_s = clock()
        self._options: Optional[Mapping[str, Any]] = None
        self._has_quota = quota_use() is not None

    def t_s(self) -> float:
        """Return how many seconds ago the session began."""
        return self._clock() - self._origin_s

    def seconds(self) -> float:
        """Return what the run took so far, earlier sessions included."""
        return self._earlier_s + self.t_s()

    def begin(self, hardware: Hardware, versions: Mapping[str, str]) -> None:
        """Record the session and where it runs."""
        self._append(
            "session",
            started=datetime.now(timezone.utc).isoformat(timespec="seconds"),
            monotonic_s=self._origin_s,
            hardware=hardware.to_json(),
            versions=versions,
        )

    def attempt(self, step: Step) -> None:
        """Record that a step begins."""
        self._append("attempt", sync=False, **step_fields(step))

    def visit(self, visit: Visit) -> None:
        """Record a visit."""
        probed: Record = {"probe_us": list(visit.probe_us), "switches": list(visit.switches)} if visit.probe_us else {}
        self._append(
            "visit",
            role=visit.role,
            loops=visit.loops,
            block_us=[round(value, 4) for value in visit.block_us],
            load_ms=round(visit.load_ms, 3),
            **probed,
            **step_fields(visit.step),
        )

    def application_visit(self, visit: ApplicationVisit) -> None:
        """Record a visit as an application would make it."""
        self._append("application", **fields_of_visit(visit), **step_fields(visit.step))

    def failure(self, step: Step, role: str, reason: str) -> None:
        """Record that a step failed."""
        self._append("failure", role=role, reason=reason, **step_fields(step))

    def options(self, options: Mapping[str, Any]) -> None:
        """Record the options that the runtime reports, where they are not those recorded last."""
        if options != self._options:
            self._append("options", options=options)
            self._options = options

    def conditions(self, backend: Backend) -> None:
        """Record what the device, and a CPU quota on this process, tell of this moment."""
        conditions = dict(backend.conditions()) if isinstance(backend, Conditions) else {}
        quota = quota_use() if self._has_quota else None
        conditions.update(quota.conditions() if quota else {})
        if conditions:
            self._append("conditions", sync=False, conditions=conditions)

    def turn(self, first_pass: int) -> None:
        """Record that a fresh process takes over from this pass on."""
        self._append("turn", first_pass=first_pass, seconds=round(self.seconds(), 3))

    def done(self) -> None:
        """Record that the run has ended."""
        self._append("done", seconds=round(self.seconds(), 3))

    def _append(self, kind: str, *, sync: bool = True, **fields: Any) -> None:
        self._journal.append({"record": kind, "session": self.id, "t_s": round(self.t_s(), 4), **fields}, sync=sync)


def require_same(
    journal: Journal, recorded: Results, hardware: Hardware, versions: Mapping[str, str], options: Mapping[str, Any]
) -> None:
    """Raise `EnvironmentChanged` unless times of this session can be mixed with those of the run's first one."""
    first = recorded.sessions[0]
    then = {f"versions.{name}": value for name, value in first.versions.items()}
    now: Dict[str, Any] = {f"versions.{name}": value for name, value in versions.items()}
    for name in HARDWARE_FIELDS:
        then[f"hardware.{name}"], now[f"hardware.{name}"] = getattr(first.hardware, name), getattr(hardware, name)
    if first.options and options and not recorded.warnings:  # else they differ from model to model
        then.update({f"options.{name}": value for name, value in first.options.items()})
        now.update({f"options.{name}": value for name, value in options.items()})
    changes = [(name, then.get(name), now.get(name)) for name in sorted({*then, *now})]
    changes = [change for change in changes if change[1] != change[2]]
    if changes:
        raise EnvironmentChanged.between(journal.path, changes)
