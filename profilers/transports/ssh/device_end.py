"""What a line's commands run on the device: one verb each, which answers in JSON on stdout, as an event of its name.

    require BACKEND [PRECISION]
    hardware
    missing | receive | attach | stop | clear PLAN_DIGEST
    fetch PLAN_DIGEST FILE
    graphs

The plan itself is run by a runner that `attach` detaches from the line, so that it lives on when the line drops, and
that starts the worker again when a runtime takes it down. Where files may be is decided here, not by the line.
"""

from __future__ import annotations

import hashlib
import json
import shutil
import signal
import sys
import time
import warnings
from pathlib import Path
from typing import Any, Callable, Dict, Mapping, Optional, Sequence

from ...errors import DeviceUnfit, PlanDamaged, ProfilerError
from ...exits import DONE, FAILED, INTERRUPTED
from ...journal import write_atomically
from ...machine.hardware import fingerprint
from ...run_config import RunConfig
from ...runtimes.availability import require_usable
from ...runtimes.graphs.asking import read_fused_graphs
from ...runtimes.requirements import check_runtime
from ...timing.plan import read_plan
from ..graph_file import AskedGraphs, graphs_to_zip
from ..local import run_plan_locally
from .run_folder import RunFolder

REPORT_EVERY_S = 1.0
FOLLOW_EVERY_S = 0.5
REPLAYED_BYTES = 65_536  # of a run's earlier events, for whoever joins it


def main(arguments: Sequence[str]) -> int:
    """Run one verb and return the exit code; errors are told as the worker tells them."""
    verb, *words = arguments
    try:
        VERBS[verb](*words)
    except ProfilerError as exc:
        _print({"event": "error", "error": type(exc).__name__, "message": str(exc)})
        return FAILED
    except OSError as exc:
        _print({"event": "error", "error": DeviceUnfit.__name__, "message": f"{verb} failed there: {exc}"})
        return FAILED
    return DONE


def require(backend: str, precision: str = "fp32") -> None:
    """Raise unless the runtime of ``backend`` is here and new enough for such models; print its version."""
    version = require_usable(backend)
    check_runtime(backend, version, precision)
    _print({"event": "require", "version": version})


def hardware() -> None:
    """Print this device's fingerprint."""
    _print({"event": "hardware", "hardware": fingerprint().to_json()})


def graphs() -> None:
    """Print the graphs that a runtime here makes of the models that stdin brings: a line on them, then their bytes."""
    stream = sys.stdin.buffer
    asked = json.loads(stream.readline())
    models = [stream.read(size_bytes) for size_bytes in asked["sizes"]]
    backend, config = asked["backend"], RunConfig.from_json(asked["config"])
    require_usable(backend)
    found = read_fused_graphs(models, backend=backend, config=config)
    content = graphs_to_zip(AskedGraphs(backend, config, fingerprint(), models, found))
    _print({"event": "graphs", "sha256": hashlib.sha256(content).hexdigest()})
    sys.stdout.buffer.write(content)
    sys.stdout.buffer.flush()


def missing(digest: str) -> None:
    """Print which of the files named on stdin are not here whole, and how the results here go with those there."""
    folder, asked = RunFolder(digest), json.loads(sys.stdin.buffer.readline())
    is_running = folder.is_running  # then all files are, and reading them would disturb it
    _print(
        {
            "event": "missing",
            "files": [] if is_running else [name for name in asked["files"] if not _is_whole(folder.file(name))],
            "results": _compared(folder.results, asked["results"]),
            "free_bytes": shutil.disk_usage(str(folder.path)).free,
        }
    )


def _is_whole(path: Path) -> bool:
    if not path.is_file():
        return False
    return path.suffix != ".onnx" or hashlib.sha256(path.read_bytes()).hexdigest() == path.stem


def _compared(results: Path, known: Mapping[str, Any]) -> str:
    """Tell whether ``results`` are absent here, go on from what is known there, or are others."""
    if not results.exists():
        return "absent"
    begun = results.read_bytes()[: known["bytes"]]
    return "same" if hashlib.sha256(begun).hexdigest() == known["sha256"] else "others"


def receive(digest: str) -> None:
    """Store the files that stdin brings: a line with their names and sizes, then their bytes, the plan's own last.

    Each is put in place when it is whole, so a line that drops leaves no half a file behind.
    """
    folder, stream = RunFolder(digest), sys.stdin.buffer
    for name, size_bytes in json.loads(stream.readline()):
        path = folder.file(name)
        content = stream.read(size_bytes)
        if len(content) < size_bytes:
            raise PlanDamaged(f"{name} ended after {len(content)} of {size_bytes} bytes; copy it again")
        path.parent.mkdir(parents=True, exist_ok=True)
        write_atomically(path, content)
    _print({"event": "receive"})


def run(digest: str) -> None:
    """Be the runner: run the plan to its end, and print progress and how it ended."""
    folder = RunFolder(digest)
    signal.signal(signal.SIGINT, _interrupt)  # whoever started this may have had it ignored
    signal.signal(signal.SIGTERM, _interrupt)
    code = FAILED
    warnings.showwarning = lambda message, *where: _print({"event": "warning", "message": str(message)})
    try:
        folder.enter()
        found = read_plan(folder.plan).digest
        if found != digest:
            raise PlanDamaged(f"{folder.plan} holds the plan {found[:12]}, not {digest[:12]}; copy it again")
        run_plan_locally(folder.plan, folder.results, on_progress=_throttled())
        code = DONE
    except KeyboardInterrupt:
        code = INTERRUPTED
    except ProfilerError as exc:
        _print({"event": "error", "error": type(exc).__name__, "message": str(exc)})
    _print({"event": "ended", "code": code})


def attach(digest: str) -> None:
    """Start the runner unless it is running, and print what it prints until it ends.

    Prints `lost` and its last words when it ended without saying how.
    """
    folder, root = RunFolder(digest), Path(__file__).parents[4]
    folder.start([sys.executable, "-m", __name__, "run", digest], str(root))
    with folder.events.open("rb") as events:
        events.seek(max(0, folder.events.stat().st_size - REPLAYED_BYTES))
        tail = b""
        while True:
            is_running = folder.is_running  # asked first: what it printed before its end is then read below
            printed = events.read()
            tail = (tail + printed)[-REPLAYED_BYTES:]
            sys.stdout.buffer.write(printed)
            sys.stdout.buffer.flush()
            if not is_running:
                break
            time.sleep(FOLLOW_EVERY_S)
    if b'"event": "ended"' not in tail:
        _print({"event": "lost", "last_words": folder.last_words})


def stop(digest: str) -> None:
    """Stop the runner after the visit in flight."""
    RunFolder(digest).stop()
    _print({"event": "stop"})


def fetch(digest: str, name: str) -> None:
    """Print size and SHA-256 of a file (of an absent one: of nothing), and on the next line its content."""
    path = RunFolder(digest).file(name)
    content = path.read_bytes() if path.exists() else b""
    _print({"event": "fetch", "bytes": len(content), "sha256": hashlib.sha256(content).hexdigest()})
    sys.stdout.buffer.write(content)
    sys.stdout.buffer.flush()


def clear(digest: str) -> None:
    """Remove the plan and its results."""
    RunFolder(digest).clear()
    _print({"event": "clear"})


VERBS: Dict[str, Callable[..., None]] = {
    verb.__name__: verb for verb in (require, hardware, graphs, missing, receive, run, attach, stop, fetch, clear)
}


def _throttled() -> Callable[[Mapping[str, Any]], None]:
    """Return a function that prints events, but at most one a second, and the last one always."""
    printed_s: Optional[float] = None

    def report(event: Mapping[str, Any]) -> None:
        nonlocal printed_s
        now_s = time.monotonic()
        if printed_s is None or now_s - printed_s >= REPORT_EVERY_S or event["done"] == event["total"]:
            printed_s = now_s
            _print(event)

    return report


def _interrupt(number: int, frame: Any) -> None:
    raise KeyboardInterrupt


def _print(event: Mapping[str, Any]) -> None:
    print(json.dumps(event, sort_keys=True), flush=True)


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
