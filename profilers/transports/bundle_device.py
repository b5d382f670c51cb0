"""The command line of a bundle, on a device that has Python 3.8, numpy and a runtime, and no Gnomon.

    python3 gnomon-worker.pyz --backend onnxruntime --threads 4
    python3 gnomon-worker.pyz --list

It runs the bundle that it lies in: the same child process, restarts and journal as a run under Gnomon. Whatever stops
it (Ctrl-C, a crash, a power cut), the same command goes on. With ``--results`` it is the worker itself
(`worker.py`): that is how it starts its child, and how a device over SSH is driven.

Exit codes: 0 done, 2 usage, 3 an error of this package, 130 interrupted.
"""

from __future__ import annotations

import argparse
import importlib.util
import shutil
import sys
import time
from pathlib import Path
from typing import TYPE_CHECKING, Any, List, Mapping, Optional, Sequence, Tuple

from ..child import running_archive
from ..errors import BackendUnavailable, BackendUnusable, ProfilerError, ResultsUnwritable, RuntimeTooOld
from ..exits import DONE, FAILED, INTERRUPTED
from ..interrupts import why_not_interruptible
from ..journal import write_atomically
from ..machine.hardware import fingerprint
from ..results.parsing import read_results
from ..runtimes.availability import ASK, Availability, availabilities, require_usable
from ..runtimes.availability import main as answer
from ..runtimes.graphs.asking import ASK as ASK_GRAPHS
from ..runtimes.graphs.asking import main as tell_graphs
from ..runtimes.graphs.asking import read_fused_graphs
from ..runtimes.registry import device_of
from ..runtimes.requirements import check_runtime, install_command
from ..timing.plan import read_plan, store_plan
from .graph_file import AskedGraphs, graphs_to_zip
from .local import run_plan_locally
from .manifest import GRAPHS, WORKER, graphs_file, plan_file, read_bundle_folder, results_file

if TYPE_CHECKING:
    from ..timing.plan import TimingPlan
    from .transport import OnProgress

LINE_EVERY_S = 10.0  # between two lines of progress where no terminal shows them
MINUTE_S = 60.0
SHOWN_FAILURES = 3


def run_bundle(folder: Path, backend: str, *, threads: int, on_progress: Optional[OnProgress] = None) -> Path:
    """Run the bundle unpacked in ``folder`` to its end, or go on with it, and return where its results are.

    Those of a bundle that asks for graphs are a zip file (`graph_file.py`). Raises `BundleDamaged`,
    `BackendUnavailable`, `RuntimeTooOld`, or `PlanMismatch` for a bundle of other kernels, before anything is measured,
    ValueError for threads that no plan can have, and what `run_plan_locally` and `read_fused_graphs` raise.
    """
    bundle = read_bundle_folder(folder)
    plan = bundle.plan(backend, device=device_of(backend), threads=threads)
    check_runtime(backend, require_usable(backend), bundle.precision)
    place, results = plan_file(folder, backend, threads), results_file(folder, backend, threads)
    try:
        store_plan(place, plan)
    except OSError as exc:
        raise ResultsUnwritable.because(results, exc) from exc
    if bundle.asks == GRAPHS:
        return _told_graphs(folder, plan)
    run_plan_locally(place, results, on_progress=on_progress)
    return results


def _told_graphs(folder: Path, plan: TimingPlan) -> Path:
    """Ask a backend for the graphs of a bundle's models, and return the file of them."""
    backend, config, place = plan.backend, plan.config, plan_file(folder, plan.backend, plan.config.threads)
    models = [(folder / file).read_bytes() for item in read_plan(place).items for file in item.files]
    graphs = read_fused_graphs(models, backend=backend, config=config)
    out = graphs_file(folder, backend, config.threads)
    write_atomically(out, graphs_to_zip(AskedGraphs(backend, config, fingerprint(), models, graphs)))
    return out


def main(arguments: Optional[Sequence[str]] = None) -> int:
    """Run what the command line asks for and return the exit code."""
    arguments = sys.argv[1:] if arguments is None else list(arguments)
    if importlib.util.find_spec("numpy") is None:
        return _failed(f"this needs numpy, which {sys.executable} does not have: {install_command('numpy')}")
    if any(word.partition("=")[0] == "--results" for word in arguments):
        from ..worker.worker import main as work

        return work(arguments)
    if arguments[:1] == [ASK]:
        return answer(arguments[1:])
    if arguments[:1] == [ASK_GRAPHS]:
        return tell_graphs(arguments[1:])
    options = _parser().parse_args(arguments)
    if options.list:
        return _list()
    if options.backend is None:
        _parser().error("--backend is missing; --list shows those that this device has")
    try:
        return _run(_own_folder(), options.backend, options.threads)
    except (ProfilerError, ValueError) as exc:
        return _failed(str(exc))


def _run(folder: Path, backend: str, threads: int) -> int:
    results = results_file(folder, backend, threads)
    is_timed = read_bundle_folder(folder).asks != GRAPHS
    if told := why_not_interruptible():
        print(told, file=sys.stderr, flush=True)
    line = ProgressLine(f"{backend}, {threads} thread{'s' if threads > 1 else ''}")
    try:
        results = run_bundle(folder, backend, threads=threads, on_progress=line)
    except KeyboardInterrupt:
        line.end()
        print(f"interrupted; what was measured is in {results}, and the same command goes on", file=sys.stderr)
        return INTERRUPTED
    finally:
        line.end()
    for failure in read_results(results).failures[:SHOWN_FAILURES] if is_timed else ():
        print(f"not timed: {failure.key[:40]}: {failure.reason.strip().splitlines()[0][:200]}", file=sys.stderr)
    print(f"done. Carry this one file back: {results}")
    print(f"There: gnomon bundle import {folder.name}.zip {results.name}")
    return DONE


def _list() -> int:
    """Print every backend, its kind of processor, and its version here or how to get it."""
    for name, device, found in backends_here():
        print(f"{name:<24} {device:<4} {found}")
    return DONE


def backends_here() -> List[Tuple[str, str, str]]:
    """Return name, kind of processor and version of every backend; or, for one that cannot be used, what to do."""
    return [(found.name, found.device, _told(found)) for found in availabilities()]


def _told(found: Availability) -> str:
    if found.cause is None:
        return found.version
    if isinstance(found.cause, RuntimeTooOld):
        return f"too old: {found.install_command}"
    if isinstance(found.cause, BackendUnavailable) and not isinstance(found.cause, BackendUnusable):
        return f"not here: {found.install_command}"
    return f"{found.state}: {found.reason}"


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog=f"python3 {WORKER}",
        description="Time the models of this bundle on this device. Repeat the command to go on after an interruption.",
        epilog="It ends by naming the one file to carry back.",
        allow_abbrev=False,
    )
    parser.add_argument("--backend", help="runtime to time; --list shows those that this device has")
    parser.add_argument("--threads", type=int, default=1, help="threads of the runtime (default: 1)")
    parser.add_argument("--list", action="store_true", help="list the runtimes, and whether this device has them")
    return parser


def _own_folder() -> Path:
    """Return the folder that this zip application lies in."""
    archive = running_archive()
    if archive is None:
        raise ProfilerError(f"This is the command line of a bundle: run the {WORKER} in its folder")
    return archive.parent


def _failed(message: str) -> int:
    print(f"error: {message}", file=sys.stderr)
    return FAILED


class ProgressLine:
    """Shows how far a run is, and when it will end, on stderr: one line that is rewritten, or one every ten seconds."""

    def __init__(self, title: str) -> None:
        self._title = title
        self._is_terminal = sys.stderr.isatty()
        self._shown_s = float("-inf")
        self._is_open = False

    def __call__(self, event: Mapping[str, Any]) -> None:
        """Show what the worker reports."""
        text = f"{self._title}: {event['done']} of {event['total']} visits, {left(float(event['eta_s']))}"
        if self._is_terminal:
            width = shutil.get_terminal_size().columns - 1
            print(f"\r{text[:width]:<{width}}", end="", file=sys.stderr, flush=True)
            self._is_open = True
        elif time.monotonic() - self._shown_s >= LINE_EVERY_S or event["done"] == event["total"]:
            self._shown_s = time.monotonic()
            print(text, file=sys.stderr, flush=True)

    def end(self) -> None:
        """Leave the line, so that what is printed next has its own."""
        if self._is_open:
            print(file=sys.stderr)
            self._is_open = False


def left(eta_s: float) -> str:
    """Say how long a run will take."""
    return f"{eta_s / MINUTE_S:.0f} min left" if eta_s >= 2 * MINUTE_S else f"{eta_s:.0f} s left"
