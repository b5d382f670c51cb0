"""Whether a backend works on this machine: asked of the backend, not assumed because its runtime is installed.

    python -m gnomon.profilers.runtimes.availability NAME

Loading a backend finds the runtime. A backend that has ``require_usable()`` is then asked whether its device is here
and does as it is told. Where asking loads libraries that exclude others or stay for good (``takes_process``), that is
done in a child process; and a runtime that takes its process down takes only that one.
"""

from __future__ import annotations

import json
import os
import subprocess
import sys
from dataclasses import dataclass
from typing import List, Optional, Sequence, Tuple, Type

from ..child import cause_of, child_environment, event_from_line, running_archive
from ..errors import (
    BackendBroken,
    BackendError,
    BackendUnavailable,
    BackendUnusable,
    ProfilerError,
    RuntimeConflict,
    error_class,
)
from ..exits import DONE, FAILED
from .registry import backend_names, device_of, load_backend, origin_of, unbroken

ASK = "--ask"  # the option of the zip application that asks
ANSWER_S = 120.0  # for a child to answer; TensorRT's libraries are gigabytes
LAST_WORDS = 300


@dataclass(frozen=True)
class Availability:
    """Whether a backend works here: its version if so, else why not, as the error that asking for it by name raises."""

    name: str
    device: str
    version: str
    cause: Optional[BackendError] = None

    @property
    def state(self) -> str:
        """Return "available", "not available" or "broken"."""
        if self.cause is None:
            return "available"
        return "broken" if isinstance(self.cause, BackendBroken) else "not available"

    @property
    def reason(self) -> str:
        """Return why it does not work, in one line; "" where it does."""
        return " ".join(str(self.cause or "").split())

    @property
    def install_command(self) -> str:
        """Return the command that installs what is missing; "" where none helps."""
        return self.cause.install_command if isinstance(self.cause, BackendUnavailable) else ""


def availability(name: str) -> Availability:
    """Ask one backend whether it works here; raises `UnknownBackend`."""
    device = device_of(name)
    try:
        return Availability(name, device, require_usable(name))
    except BackendError as exc:
        return Availability(name, device, "", exc)


def availabilities() -> Tuple[Availability, ...]:
    """Ask every backend there is, in the order of their names; one that is broken hides no other."""
    return tuple(availability(name) for name in backend_names())


def require_usable(name: str) -> str:
    """Return the version of a backend that works here.

    Raises `UnknownBackend`, `BackendUnavailable` (`BackendUnusable` for one that is installed and does not work here),
    or `BackendBroken`.
    """
    try:
        backend = load_backend(name)
    except RuntimeConflict:  # with what this process has loaded; a child has loaded nothing
        return _asked_in_subprocess(name)
    ask = getattr(backend, "require_usable", None)
    if ask is None:
        return backend.version()
    if getattr(backend, "takes_process", False):
        return _asked_in_subprocess(name)
    unbroken(name, origin_of(name), ask)
    return backend.version()


def _asked_in_subprocess(name: str) -> str:
    """Ask in a child process and return the version that it tells, or raise what it says."""
    archive = running_archive()
    start = [sys.executable, "-m", __name__] if archive is None else [sys.executable, str(archive), ASK]
    environment = child_environment(os.environ, 1)
    try:
        child = subprocess.run(
            [*start, name], env=environment, stdin=subprocess.DEVNULL, capture_output=True, timeout=ANSWER_S
        )
    except subprocess.TimeoutExpired as exc:
        raise BackendUnusable(f"The backend {name!r} was asked to start, and did not in {ANSWER_S:.0f} s") from exc
    for event in map(event_from_line, child.stdout.splitlines()):
        if event.get("event") == "usable":
            return str(event["version"])
        if event.get("event") == "error":
            raise _error_from(error_class(event["error"]), event["message"], event["install_command"])
    last_words = " ".join(child.stderr.decode("utf-8", errors="replace").split())[-LAST_WORDS:]
    raise BackendUnusable(
        f"The backend {name!r} was asked to start, and the process died with {cause_of(child.returncode)}: "
        f"{last_words or '(no last words)'}"
    )


def _error_from(kind: Type[ProfilerError], message: str, install_command: str) -> ProfilerError:
    if issubclass(kind, BackendUnavailable):
        return kind(message, install_command=install_command)
    return kind(message)


def main(arguments: Optional[Sequence[str]] = None) -> int:
    """Ask the backend that the command line names, in this process, and print its answer as one event."""
    words: List[str] = sys.argv[1:] if arguments is None else list(arguments)
    try:
        (name,) = words
        backend = load_backend(name)
        unbroken(name, origin_of(name), getattr(backend, "require_usable", backend.version))
        print(json.dumps({"event": "usable", "version": backend.version()}), flush=True)
    except ProfilerError as exc:
        told = {"error": type(exc).__name__, "message": str(exc)}
        command = getattr(exc, "install_command", "")
        print(json.dumps({"event": "error", **told, "install_command": command}), flush=True)
        return FAILED
    return DONE


if __name__ == "__main__":
    sys.exit(main())
