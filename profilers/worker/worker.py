"""Runs one timing plan and appends what it measures to a results journal.

    python -m gnomon.profilers.worker.worker PLAN_FOLDER --results FILE

Killed at any moment, it loses at most the visit in flight; started again, it goes on where it stopped, in the order
it would have taken. A model that cannot be timed becomes a failure record and the run goes on. Progress is JSON Lines
on stdout. It measures and does nothing else: no predictions, no reports, no other part of gnomon.

A visit that hangs ends this process: `faulthandler` says so on stderr, and its exit code is 1.

Exit codes: 0 done, 2 usage, 3 an error of this package, 5 the GPU is lost to this process (start it again to
continue), 7 this process made its share, and a new one is to go on (likewise), 130 interrupted
(likewise). Any other code means that a runtime took the process down; whoever restarts it then passes ``--crashed
REASON``, and the model that was in flight is recorded as a failure.
"""

from __future__ import annotations

import argparse
import contextlib
import faulthandler
import gc
import json
import os
import signal
import sys
import time
import warnings
from pathlib import Path
from typing import Any, Callable, Iterator, Optional, Sequence

from ..errors import GpuLost, PlanMismatch, ProfilerError, ResultsUnwritable
from ..exits import DONE, FAILED, FRESH, GPU_LOST, INTERRUPTED
from ..journal import Journal, Record, TornLine, read_journal, warn_torn
from ..results.parsing import results_from_records
from ..results.results import header_record
from ..runtimes.backend import Backend, ProbeOpener
from ..runtimes.registry import load_backend
from ..timing.plan import TimingPlan, path_of_plan, read_plan
from ..timing.probe import Probe, open_probe
from .cache import cache_beside
from .execution import FreshProcessWanted, PlanExecution
from .lock import device_locked, locked
from .quota import under_quota
from .time_limit import TimeLimit, unlimited

REPORT_EVERY_S = 0.25
TURN_WAIT_S = 3_600.0  # for whoever came between two processes of a run: the run was there first, and does not end
LOCK_WAIT_S = 10.0  # a worker whose parent was killed holds its locks until its visit in flight is recorded


def run_plan(
    place: Path,
    results: Path,
    *,
    is_stopped: Callable[[], bool],
    report: Callable[[Record], None],
    crashed: Optional[str] = None,
    within: TimeLimit = unlimited,
    may_begin_anew: bool = False,
) -> bool:
    """Run the plan at ``place`` until it is done (True) or ``is_stopped`` says so between two visits (False).

    ``report`` is called after every visit; ``crashed`` says why the process before this one died, if it crashed;
    ``within`` ends a visit that takes longer than its limit. With ``may_begin_anew``, raises `FreshProcessWanted` where
    a new process is to go on.
    Raises `PlanDamaged`, `PlanMismatch`, `EnvironmentChanged`, `ResultsLocked`, `DeviceBusy`, `ResultsUnwritable`,
    `JournalDamaged`, or what `load_backend` raises.
    """
    plan, folder = read_plan(place), path_of_plan(place).parent
    try:
        return _run_plan(
            plan,
            folder,
            results,
            is_stopped=is_stopped,
            report=report,
            crashed=crashed,
            within=within,
            may_begin_anew=may_begin_anew,
        )
    except BrokenPipeError:  # of ``report``
        raise
    except OSError as exc:
        raise ResultsUnwritable.because(results, exc) from exc


def _run_plan(
    plan: TimingPlan,
    folder: Path,
    results: Path,
    *,
    is_stopped: Callable[[], bool],
    report: Callable[[Record], None],
    crashed: Optional[str],
    within: TimeLimit,
    may_begin_anew: bool,
) -> bool:
    with locked(results, wait_s=LOCK_WAIT_S), Journal(results) as journal:
        warn_torn(journal.warnings)
        records, _ = read_journal(results)
        if not records:
            records = [header_record(plan)]
            journal.append(records[0])
        recorded = results_from_records(records, path=str(results))
        if recorded.plan != plan.digest:
            raise PlanMismatch(
                f"{results} holds results of the plan {recorded.plan[:12]}, not of {plan.digest[:12]}; "
                f"choose another results file"
            )
        if recorded.is_complete:
            return True
        with device_locked(plan.digest, wait_s=TURN_WAIT_S if recorded.turns else LOCK_WAIT_S):
            backend = load_backend(plan.backend)
            probe = under_quota(probe_for(backend, plan.config.threads))
            execution = PlanExecution(
                folder, plan, backend=backend, journal=journal, recorded=recorded, probe=probe, within=within
            )
            with cache_beside(results, backend):
                execution.open(crashed)
                return execution.run(is_stopped=is_stopped, report=report, may_begin_anew=may_begin_anew)


def probe_for(backend: Backend, threads: int) -> Optional[Probe]:
    """Return the backend's own probe, or this processor's, which also launches every kernel that a GPU computes."""
    return backend.open_probe() if isinstance(backend, ProbeOpener) else open_probe(threads)


def main(arguments: Optional[Sequence[str]] = None) -> int:
    """Run the plan the command line names and return the exit code."""
    parser = argparse.ArgumentParser(prog="gnomon.profilers.worker.worker", description="Run a timing plan.")
    parser.add_argument("plan", type=Path, help="folder holding plan.json and models/, or a plan beside models/")
    parser.add_argument("--results", type=Path, required=True, help="journal to append to; continued if it exists")
    parser.add_argument("--crashed", default=None, help="why the worker before this one died")
    parser.add_argument("--parent", type=int, default=None, help="process to end with: after the visit in flight")
    options = parser.parse_args(arguments)
    stop = _StopRequest(options.parent)
    warnings.showwarning = _tell_torn_lines
    gc.freeze()
    gc.disable()  # a collection inside a timed block would be measured; visits are collected between
    try:
        is_done = run_plan(
            options.plan,
            options.results,
            is_stopped=stop.is_set,
            report=_Throttled(_print),
            crashed=options.crashed,
            within=ended_after,
            may_begin_anew=True,
        )
    except FreshProcessWanted:
        return FRESH
    except GpuLost as exc:
        print(exc, file=sys.stderr)
        return GPU_LOST
    except ProfilerError as exc:
        _print({"event": "error", "error": type(exc).__name__, "message": str(exc)})
        with contextlib.suppress(OSError):  # a full disk may hold stderr too
            print(f"{type(exc).__name__}: {exc}", file=sys.stderr)
        return FAILED
    except BrokenPipeError:  # whoever read the progress is gone, so nobody wants the rest now
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        return INTERRUPTED
    return DONE if is_done else INTERRUPTED


@contextlib.contextmanager
def ended_after(limit_s: float) -> Iterator[None]:
    """End this process, as `HUNG` tells, should the block take longer: also where a runtime never gives Python back."""
    faulthandler.dump_traceback_later(limit_s, exit=True)
    try:
        yield
    finally:
        faulthandler.cancel_dump_traceback_later()


class _StopRequest:
    """Remembers Ctrl-C (and a polite kill) until the visit in flight is recorded, and notices a parent that is gone.

    Whoever's parent dies gets another one; except on Windows, where only a closed stdout tells.
    """

    def __init__(self, parent: Optional[int]) -> None:
        self._is_set = False
        self._parent = None if os.name == "nt" else parent
        signal.signal(signal.SIGINT, self._handle)
        signal.signal(signal.SIGTERM, self._handle)

    def is_set(self) -> bool:
        return self._is_set or (self._parent is not None and os.getppid() != self._parent)

    def _handle(self, number: int, frame: Any) -> None:
        self._is_set = True


class _Throttled:
    """Passes reports on, but not more often than a reader could use; the last one always."""

    def __init__(self, report: Callable[[Record], None]) -> None:
        self._report = report
        self._reported_s = float("-inf")

    def __call__(self, record: Record) -> None:
        now_s = time.monotonic()
        if now_s - self._reported_s >= REPORT_EVERY_S or record["done"] == record["total"]:
            self._reported_s = now_s
            self._report(record)


def _tell_torn_lines(
    message: Any, category: Any, filename: str, lineno: int, file: Any = None, line: Optional[str] = None
) -> None:
    """Report what this package warns of to whoever started the worker; what runtimes warn of stays in its stderr."""
    if issubclass(category, TornLine):
        _print({"event": "warning", "message": str(message)})
    else:
        print(f"{filename}:{lineno}: {category.__name__}: {message}", file=sys.stderr)


def _print(record: Record) -> None:
    print(json.dumps(record, sort_keys=True), flush=True)


if __name__ == "__main__":
    sys.exit(main())
