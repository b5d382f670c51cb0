"""Lets the child processes that a forked verb starts be forks too, with all modules imported, where Python would start.

A child that would be `python -m MODULE ...` runs that module instead of starting a Python of its own. All else is as
for a child: its pipes, environment, session and exit code are those it was to have, and no file of its parent is open.
"""

from __future__ import annotations

import contextlib
import gc
import os
import runpy
import signal
import subprocess
import sys
import traceback
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

MOST_FILES = 1 << 20
SIGNALS: Mapping[int, Any] = {signal.SIGINT: signal.default_int_handler, signal.SIGTERM: signal.SIG_DFL}


def fork_children(log: Path) -> None:
    """Let all children of this process, from now on, be forks; each leaves in `log` which modules it had in the end."""

    class Child(subprocess.Popen[Any]):
        """A child process, a fork where it would be a Python that runs a module."""

        def __init__(self, args: Any, **options: Any) -> None:
            words = [os.fspath(word) for word in args] if isinstance(args, (list, tuple)) else []
            if words[:2] == [sys.executable, "-m"]:
                sys.stdout.flush()
                sys.stderr.flush()
                environment = dict(os.environ if options.get("env") is None else options["env"])
                options["preexec_fn"] = lambda: be_module(words[2:], environment, log)
            super().__init__(args, **options)

    subprocess.Popen = Child  # type: ignore[misc,assignment]


def be_module(words: Sequence[str], environment: Mapping[str, str], log: Path) -> None:
    """Run a module as `python -m` would, in a child that has its pipes already, and end the process."""
    code = 1
    try:
        gc.freeze()  # files of the parent that Python knows are not to be closed: their numbers will be others'
        os.closerange(3, MOST_FILES)
        os.environ.clear()
        os.environ.update(environment)
        for number, handler in SIGNALS.items():
            signal.signal(number, handler)
        sys.stdin, sys.stdout, sys.stderr = (
            os.fdopen(number, "w" if number else "r", encoding="utf-8", closefd=False) for number in range(3)
        )
        code = run_module(words)
        (log / f"modules-{os.getpid()}").write_text("\n".join(sorted(sys.modules)))
    except BaseException:
        traceback.print_exc()
    with contextlib.suppress(OSError):
        sys.stdout.flush()
        sys.stderr.flush()
    os._exit(code)


def run_module(words: Sequence[str]) -> int:
    """Run a module with arguments, and return the exit code that its process would have."""
    sys.argv = list(words)
    sys.modules.pop(words[0], None)
    try:
        runpy.run_module(words[0], run_name="__main__", alter_sys=True)
    except SystemExit as ended:
        if isinstance(ended.code, str):
            print(ended.code, file=sys.stderr)
            return 1
        return ended.code or 0
    return 0
