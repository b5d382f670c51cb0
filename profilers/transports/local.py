"""Runs a plan on this machine, in a child process.

A child, because a runtime may take its process down, keeps threads and memory, and must be imported under the right
environment. This process sleeps while the child measures; it wakes only to pass progress on.
"""

from __future__ import annotations

import contextlib
import os
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Any, Callable, Iterator, List, Mapping, Optional, Sequence, Union

from ..child import cause_of, child_environment, run_child, running_archive
from ..errors import AddressInvalid, WorkerCrashed, error_class
from ..exits import DONE, FAILED, FRESH, HUNG, INTERRUPTED, USAGE
from ..machine.hardware import Hardware, fingerprint
from ..results.parsing import read_results
from ..runtimes.graphs.asking import read_fused_graphs
from ..timing.plan import read_plan

if TYPE_CHECKING:
    from ..run_config import RunConfig
    from ..runtimes.graphs.fused_graph import FusedGraph

    PathLike = Union[str, "os.PathLike[str]"]

    OnProgress = Callable[[Mapping[str, Any]], None]

MAX_RESTARTS = 10
KILLED = -9  # the exit code of a process ended by SIGKILL


class LocalDevice:
    """The machine that this runs on, as a `Transport`."""

    def require(self, backend: str) -> str:
        """Return the runtime's version; raises `UnknownBackend`, or `BackendBroken` or `BackendUnavailable` here."""
        from ..runtimes.availability import require_usable  # which asks in a child, by what is below

        return require_usable(backend)

    def hardware(self) -> Hardware:
        """Return this machine's fingerprint."""
        return fingerprint()

    def fused_graphs(self, models: Sequence[bytes], *, backend: str, config: RunConfig) -> Sequence[FusedGraph]:
        """Ask the runtime in a child process."""
        return read_fused_graphs(models, backend=backend, config=config)

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
    becomes a failure and the worker is started again, up to ``max_restarts`` times; then `WorkerCrashed` is raised. So
    does a model that hangs, or is killed, each time that it is tried.
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
        while code == FRESH:  # a process fewer each time, and nobody's fault
            code, error, stderr_tail = run_child(command, environment, on_progress)
        if code == DONE and read_results(results).is_complete:
            return
        if code == INTERRUPTED:
            raise KeyboardInterrupt
        if error is not None:
            raise error_class(error["error"])(error["message"])
        if code in (1, USAGE, FAILED):  # a Python error, not a crash: it would only happen again
            break
        # Killed from outside (or for memory), or hung: nobody is to blame yet, the worker counts how often that is.
        blames = code not in (KILLED, HUNG)
        crashed = ["--crashed", f"the process died with {cause_of(code)} while timing it"] if blames else []
    raise WorkerCrashed(
        f"The worker for {plan_place} died with {cause_of(code)} and was not restarted again. What is measured is "
        f"kept in {results}; run the same plan again to continue. Its last words:\n{stderr_tail or '(none)'}",
        exit_code=code,
        stderr_tail=stderr_tail,
    )


def worker_command() -> List[str]:
    """Return what starts a worker: this package's module, or the zip application that this runs from."""
    archive = running_archive()
    if archive is not None:
        return [sys.executable, str(archive)]
    return [sys.executable, "-m", __name__.rpartition(".transports.")[0] + ".worker.worker"]
