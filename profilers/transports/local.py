"""Runs a plan on this machine, in a child process.

A child, because a runtime may take its process down, keeps threads and memory, and must be imported under the right
environment. This process sleeps while the child measures; it wakes only to pass progress on.
"""

from __future__ import annotations

import contextlib
import json
import os
import signal
import subprocess
import sys
import tempfile
from pathlib import Path
from typing import IO, TYPE_CHECKING, Any, Callable, Dict, Iterator, List, Mapping, Optional, Tuple, Union

from ..archive import running_archive
from ..errors import AddressInvalid, WorkerCrashed, error_class
from ..exits import DONE, FAILED, INTERRUPTED, USAGE
from ..hardware import Hardware, fingerprint
from ..journal import warn_torn
from ..plan import read_plan

if TYPE_CHECKING:
    PathLike = Union[str, "os.PathLike[str]"]

    OnProgress = Callable[[Mapping[str, Any]], None]

MAX_RESTARTS = 10
KILLED = -9  # the exit code of a process ended by SIGKILL
STDERR_TAIL_BYTES = 4_000
THREAD_VARIABLES = ("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS", "NUMEXPR_NUM_THREADS")
CLEARED_PREFIXES = ("OMP_", "KMP_", "GOMP_", "MKL_", "OPENBLAS_")


class LocalDevice:
    """The machine that this runs on, as a `Transport`."""

    def require(self, backend: str) -> None:
        """Raise `UnknownBackend`, `BackendBroken`, or `BackendUnavailable` when it does not work here."""
        from ..availability import require_usable  # which asks in a child, by what is below

        require_usable(backend)

    def hardware(self) -> Hardware:
        """Return this machine's fingerprint."""
        return fingerprint()

    def run(self, plan_folder: Path, results: Path, *, on_progress: Optional[OnProgress] = None) -> None:
        """Run a plan as `run_plan_locally` does."""
        run_plan_locally(plan_folder, results, on_progress=on_progress)


@contextlib.contextmanager
def open_device(address: str, *, say: Callable[[str], None], show: Callable[[str], None]) -> Iterator[LocalDevice]:
    """Yield this machine, whose address is ``local``; there is nothing to say, show or close."""
    if address != "local":
        raise AddressInvalid(f"{address!r} is no address of a device; this machine's is 'local'")
    yield LocalDevice()


def run_plan_locally(
    plan_place: PathLike,
    results: PathLike,
    *,
    on_progress: Optional[OnProgress] = None,
    max_restarts: int = MAX_RESTARTS,
) -> None:
    """Run the plan at ``plan_place``, a folder or a plan's file, to its end, or go on with one that was interrupted.

    ``on_progress`` is called with the fields done, total, pass, eta_s and key. A model that takes the worker down
    becomes a failure and the worker is started again, up to ``max_restarts`` times; then `WorkerCrashed` is raised.
    Errors of the worker are raised here as themselves. Ctrl-C stops the worker after the visit in flight and is then
    raised; call again to continue.
    """
    plan = read_plan(plan_place)
    environment = child_environment(os.environ, plan.config.threads)
    command = [*worker_command(), str(plan_place), "--results", str(results)]
    command += ["--parent", str(os.getpid())]  # killed alone, this process must not leave a worker measuring
    crashed: List[str] = []
    for _ in range(max_restarts + 1):
        code, error, stderr_tail = run_child(command + crashed, environment, on_progress)
        if code == DONE:
            return
        if code == INTERRUPTED:
            raise KeyboardInterrupt
        if error is not None:
            raise error_class(error["error"])(error["message"])
        if code in (1, USAGE, FAILED):  # a Python error, not a crash: it would only happen again
            break
        # Killed from outside (or for memory): nobody is to blame yet, the worker counts how often that happens.
        crashed = [] if code == KILLED else ["--crashed", f"the process died with {cause_of(code)} while timing it"]
    raise WorkerCrashed(
        f"The worker for {plan_place} died with {cause_of(code)} and was not restarted again. What is measured is "
        f"kept in {results}; run the same plan again to continue. Its last words:\n{stderr_tail or '(none)'}",
        exit_code=code,
        stderr_tail=stderr_tail,
    )


def run_child(
    command: List[str], environment: Dict[str, str], on_progress: Optional[OnProgress]
) -> Tuple[int, Optional[Dict[str, Any]], str]:
    """Run one child to its end and return its exit code, the error it reported, and the end of its stderr."""
    with tempfile.TemporaryFile() as stderr:
        child = subprocess.Popen(
            command, env=environment, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=stderr, encoding="utf-8"
        )
        with child:
            try:
                error = _followed(child, on_progress)
                return child.wait(), error, _tail(stderr)
            except BaseException:  # Ctrl-C, or a failing on_progress: either way, stop the child where it can resume
                _stop(child)
                raise


def require_done(ended: Tuple[int, Optional[Dict[str, Any]], str], doing: str) -> None:
    """Raise what a child's end, as `run_child` returns it, means: its own error, Ctrl-C, or `WorkerCrashed`.

    ``doing`` says what died with it, to begin a sentence.
    """
    code, error, stderr_tail = ended
    if code == DONE:
        return
    if code == INTERRUPTED:
        raise KeyboardInterrupt
    if code == FAILED and error is not None:
        raise error_class(error["error"])(error["message"])
    raise WorkerCrashed(
        f"{doing} died with {cause_of(code)}. Its last words:\n{stderr_tail or '(none)'}",
        exit_code=code,
        stderr_tail=stderr_tail,
    )


def _followed(child: subprocess.Popen[str], on_progress: Optional[OnProgress]) -> Optional[Dict[str, Any]]:
    """Pass the child's progress on until it closes its stdout; return the error it reported, if any."""
    error: Optional[Dict[str, Any]] = None
    for line in child.stdout or ():
        event = event_from_line(line)
        if event.get("event") == "progress" and on_progress is not None:
            on_progress(event)
        elif event.get("event") == "error":
            error = event
        elif event.get("event") == "warning":
            warn_torn([str(event.get("message"))])
    return error


def _stop(child: subprocess.Popen[str]) -> None:
    """Ask the child to stop after the visit in flight and wait for it; a second Ctrl-C kills it."""
    try:
        if os.name != "nt":  # there, the console has told the child already
            child.send_signal(signal.SIGINT)
        child.communicate()
    except BaseException:
        child.kill()
        child.wait()
        raise


def child_environment(inherited: Mapping[str, str], threads: int) -> Dict[str, str]:
    """Return the environment of the child: nothing that tunes threads but the number asked for."""
    environment = {name: value for name, value in inherited.items() if not name.startswith(CLEARED_PREFIXES)}
    environment.update({name: str(threads) for name in THREAD_VARIABLES})
    environment["PYTHONSAFEPATH"] = "1"  # modules in the current folder must not shadow a runtime (3.11 and later)
    return environment


def worker_command() -> List[str]:
    """Return what starts a worker: this package's module, or the zip application that this runs from."""
    archive = running_archive()
    if archive is not None:
        return [sys.executable, str(archive)]
    return [sys.executable, "-m", __name__.rpartition(".transports.")[0] + ".worker"]


def event_from_line(line: Union[str, bytes]) -> Dict[str, Any]:
    """Return a line of the worker as an event; runtimes print to stdout too, and that is none."""
    try:
        event = json.loads(line)
    except ValueError:
        return {}
    return event if isinstance(event, dict) else {}


def _tail(stderr: IO[bytes]) -> str:
    size = stderr.seek(0, os.SEEK_END)
    stderr.seek(max(0, size - STDERR_TAIL_BYTES))
    return stderr.read().decode("utf-8", errors="replace").strip()


def cause_of(code: int) -> str:
    """Say what ended a child: the signal's name, or its exit code."""
    try:
        return signal.Signals(-code).name
    except ValueError:
        return f"exit code {code}"
