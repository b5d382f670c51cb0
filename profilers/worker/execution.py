"""Carries out a timing plan, one visit at a time, from wherever an earlier session stopped.

Compiled models are kept for their next visit while memory allows (`KeptModels`): compiling costs more than a visit. A
kept layer, warmed up, runs as fast as one compiled afresh; on OpenVINO a kept whole network runs 4 % faster, and kept
is what a service that has run for a while sees (benchmarks/kept_models.py). What is decided (order, precision, loops)
is decided in `due.py` and the modules of `timing`; here things are loaded and timed, and `session.py` records them.
"""

from __future__ import annotations

import gc
import json
import platform
import time
from collections import Counter
from pathlib import Path
from typing import Any, Callable, Dict, Iterator, List, Mapping, Optional, Tuple, TypeVar

from ..errors import BackendUnavailable, GpuLost, UnsupportedConfig
from ..journal import Journal, Record
from ..machine.hardware import fingerprint
from ..results.application import ApplicationVisit
from ..results.results import Results
from ..results.visits import Visit
from ..runtimes.backend import Backend, Executable
from ..runtimes.program import load_program
from ..timing.plan import PlanItem, TimingPlan
from ..timing.probe import Probe
from ..timing.program_part import ProgramPart
from ..timing.protocol import ProbedBlocks, calibrate_loops, take_probed_visit, take_visit
from ..timing.schedule import Step
from .application import steps_due, usual_s, visit_as_application
from .compiled_models import KeptModels
from .due import DueVisits
from .session import Session, require_same
from .time_left import Left
from .time_limit import TimeLimit, VisitLimits, unlimited

Taken = TypeVar("Taken")

MAX_ATTEMPTS = 3  # a model in flight this often when the process hung, or died without a word, is given up
NOTHING = Left(0, 0.0)


class FreshProcessWanted(Exception):
    """This process has made its share of the visits, and one that begins anew is to make its own."""


class PlanExecution:
    """One session of running a plan: it knows what was recorded before and appends to the journal."""

    def __init__(
        self,
        folder: Path,
        plan: TimingPlan,
        *,
        backend: Backend,
        journal: Journal,
        recorded: Results,
        clock: Callable[[], float] = time.monotonic,
        probe: Optional[Probe] = None,
        within: TimeLimit = unlimited,
    ) -> None:
        self._folder = folder
        self._within = within
        self._plan = plan
        self._backend = backend
        self._journal = journal
        self._recorded = recorded
        self._session = Session(journal, recorded, clock=clock)
        self._clock = clock
        self._probe = probe if plan.policy.clean_blocks else None
        self._items: Dict[str, PlanItem] = {item.key: item for item in plan.items}
        self._visits: List[Visit] = list(recorded.visits)
        self._limits = VisitLimits(self._visits, cap_s=plan.policy.time_cap_s)
        self._known_loops = {visit.key: visit.loops for visit in self._visits}
        self._application_visits: List[ApplicationVisit] = list(recorded.application_visits)
        self._failed_in: Dict[str, int] = {failure.key: failure.step.pass_index for failure in recorded.failures}
        self._kept = KeptModels(plan.policy.keep_mib)

    def open(self, crashed: Optional[str]) -> None:
        """Record this session, and a failure for the model an earlier process died of.

        ``crashed`` is the reason the process before this one died, if known: then its last attempt is to blame.
        Otherwise only a model that was in flight `MAX_ATTEMPTS` times is. Raises `EnvironmentChanged`, before anything
        is recorded, if the run began with other versions, on another machine or with other options of the runtime.
        """
        hardware = fingerprint()
        versions = dict(self._backend.versions(), python=platform.python_version())
        if self._recorded.sessions:
            require_same(self._journal, self._recorded, hardware, versions, self._options_now())
        self._session.begin(hardware, versions)
        ended = {visit.step for visit in self._visits} | {failure.step for failure in self._recorded.failures}
        ended |= {visit.step for visit in self._application_visits}
        unfinished = [step for step in self._recorded.attempts if step not in ended]
        if crashed and unfinished and unfinished[-1] == self._recorded.attempts[-1]:
            self._fail(unfinished[-1], crashed)
        for step, count in Counter(unfinished).items():
            if count >= MAX_ATTEMPTS and step.key not in self._failed_in:
                self._fail(step, f"the process died or hung {count} times while timing it")

    def run(
        self, *, is_stopped: Callable[[], bool], report: Callable[[Record], None], may_begin_anew: bool = False
    ) -> bool:
        """Make all visits still due; False when ``is_stopped`` said so between two visits.

        With ``may_begin_anew``, raises `FreshProcessWanted` once this process made its share of them and others are to
        make theirs; the next process goes on, and the last one ends the run.
        """
        due = DueVisits(
            self._plan,
            self._recorded,
            visits=self._visits,
            failed_in=self._failed_in,
            seconds=self._session.seconds,
            has_probe=self._probe is not None,
        )

        def make(
            steps: Iterator[Tuple[Step, Left]], visit: Callable[[Step], None], after: Callable[[Left], Left]
        ) -> bool:
            upcoming = next(steps, None)
            while upcoming is not None:
                step, left = upcoming
                if is_stopped():
                    return False
                visit(step)
                upcoming = next(steps, None)  # known first, so that no pass is taken for the last one before it is
                report(self._progress(step, after(left) if upcoming is None else upcoming[1]))
            return True

        first_pass = None
        with self._kept:
            if may_begin_anew and due.may_be_followed:
                if not make(due.steps(is_last=False), self._visit, _further):
                    return False
                if due.is_followed():
                    self._session.turn(due.next_pass)
                    raise FreshProcessWanted
                first_pass = due.next_pass
            if not make(due.steps(is_last=True, first_pass=first_pass), self._visit, self._left_as_application):
                return False
            if not make(self._due_as_application(), self._visit_as_application, lambda left: NOTHING):
                return False
        self._session.done()
        return True

    def _options_now(self) -> Mapping[str, Any]:
        """Return what the runtime reports for a model it could load before; nothing if there is none, or it fails."""
        if not self._visits:
            return {}
        try:
            with self._loaded(self._items[self._visits[0].key]) as executable:
                options: Dict[str, Any] = json.loads(json.dumps(executable.options))  # as the journal gives them back
                return options
        except Exception:  # the visit of that model will say why
            return {}

    def _attempted(self, step: Step, take: Callable[[Step], Taken]) -> Optional[Taken]:
        """Record that a step begins, and take it; whatever goes wrong with it is recorded, not raised.

        Raises `UnsupportedConfig`, which no other model of the plan would escape, and, once it is recorded,
        `GpuLost`, which no other model would escape in this process.
        """
        self._session.attempt(step)
        try:
            return take(step)
        except (UnsupportedConfig, BackendUnavailable):  # of no model, so of all
            raise
        except GpuLost as exc:
            self._fail(step, f"{type(exc).__name__}: {exc}")
            raise
        except Exception as exc:
            self._fail(step, f"{type(exc).__name__}: {exc}")
            return None
        finally:
            gc.collect(0)  # what this visit made is young; a full collection would take longer than a visit

    def _visit(self, step: Step) -> None:
        """Load, time and record one model."""
        with self._within(self._limits.limit_s(step.key)):
            taken = self._attempted(step, self._timed)
        if taken is None:
            return
        visit, options = taken
        self._session.options(options)
        self._session.visit(visit)
        self._visits.append(visit)
        self._limits.note(visit)
        self._known_loops[visit.key] = visit.loops
        if visit.role == "anchor":
            self._session.conditions(self._backend)

    def _due_as_application(self) -> Iterator[Tuple[Step, Left]]:
        """Yield each step still to make as an application would, and what is left with it."""
        application = self._plan.application
        if application is None:
            return
        keys = [item.key for item in self._plan.items if item.role == "network"]
        for step, left in steps_due(keys, application, self._application_visits, self._failed_in):
            yield step, Left(left, left * usual_s(self._application_visits))

    def _left_as_application(self, _: Left) -> Left:
        return next((left for _, left in self._due_as_application()), NOTHING)

    def _visit_as_application(self, step: Step) -> None:
        """Visit one model as an application would, and record that."""
        visit = self._attempted(step, self._taken_as_application)
        if visit is not None:
            self._session.application_visit(visit)
            self._application_visits.append(visit)

    def _taken_as_application(self, step: Step) -> ApplicationVisit:
        application = self._plan.application
        assert application is not None
        return visit_as_application(
            step,
            application,
            load=lambda key: self._loaded(self._items[key]),
            probe=self._probe,
            session=self._session.id,
            clock=self._session.t_s,
        )

    def _timed(self, step: Step) -> Tuple[Visit, Mapping[str, Any]]:
        item = self._items[step.key]
        start_s = self._clock()
        executable = self._kept.get(step.key) or self._loaded(item)
        try:
            load_ms = (self._clock() - start_s) * 1e3
            options = dict(executable.options)
            loops = self._known_loops.get(step.key) or calibrate_loops(executable, self._plan.policy)
            taken = self._taken(executable, loops)
        except BaseException:
            self._kept.close(step.key, executable)
            raise
        self._kept.keep(step.key, executable)
        session, now_s = self._session.id, self._session.t_s()
        visit = Visit(
            step.key, item.role, step, loops, taken.block_us, load_ms, session, now_s, taken.probe_us, taken.switches
        )
        return visit, options

    def _taken(self, executable: Executable, loops: int) -> ProbedBlocks:
        if self._probe is None:
            return ProbedBlocks(take_visit(executable, self._plan.policy, loops=loops))
        return take_probed_visit(executable, self._plan.policy, loops=loops, probe=self._probe)

    def _loaded(self, item: PlanItem) -> Executable:
        """Compile an item's model, or its program."""
        if not item.parts:
            return self._backend.load((self._folder / item.file).read_bytes(), self._plan.config)
        parts = [ProgramPart(part.name, (self._folder / part.file).read_bytes(), part.runs) for part in item.parts]
        return load_program(self._backend, parts, self._plan.config)

    def _fail(self, step: Step, reason: str) -> None:
        self._session.failure(step, self._items[step.key].role, reason)
        self._failed_in[step.key] = step.pass_index

    def _progress(self, step: Step, left: Left) -> Record:
        done, eta_s = len(self._visits) + len(self._application_visits), left.seconds
        if self._plan.application is None:  # else there are visits that the cap does not end
            eta_s = min(eta_s, max(0.0, self._plan.policy.time_cap_s - self._session.seconds()))
        return {
            "event": "progress",
            "done": done,
            "total": done + left.visits,
            "pass": step.pass_index,
            "eta_s": round(eta_s, 1),
            "key": step.key,
        }


def _further(left: Left) -> Left:
    """Return what is left for other processes after the last visit of this one, which began with ``left``."""
    return Left(max(1, left.visits - 1), left.seconds)
