"""Starts this package in a child process and listens to it: its environment, its progress, how it ended."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import tempfile
from pathlib import Path
from typing import IO, TYPE_CHECKING, Any, Callable, Dict, List, Mapping, Optional, Tuple, Union

from .errors import WorkerCrashed, error_class
from .exits import DONE, FAILED, HUNG, INTERRUPTED
from .journal import warn_torn

if TYPE_CHECKING:
    OnProgress = Callable[[Mapping[str, Any]], None]

STDERR_TAIL_BYTES = 4_000
THREAD_VARIABLES = ("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS", "NUMEXPR_NUM_THREADS")
CLEARED_PREFIXES = ("OMP_", "KMP_", "GOMP_", "MKL_", "OPENBLAS_")


def running_archive() -> Optional[Path]:
    """Return the zip application that this package runs from, if it runs from one."""
    archive = getattr(__spec__.loader, "archive", None)  # of a zipimporter
    return None if archive is None else Path(archive).resolve()


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
                code = child.wait()
                return HUNG if code == 1 and _was_timed_out(stderr) else code, error, _tail(stderr)
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


def event_from_line(line: Union[str, bytes]) -> Dict[str, Any]:
    """Return a line of the worker as an event; runtimes print to stdout too, and that is none."""
    try:
        event = json.loads(line)
    except ValueError:
        return {}
    return event if isinstance(event, dict) else {}


def _was_timed_out(stderr: IO[bytes]) -> bool:
    """Tell whether Python's watch over hanging calls (`faulthandler`) ended the child, as its stderr then says."""
    stderr.seek(0)
    return any(line.startswith(b"Timeout (") for line in stderr)


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
