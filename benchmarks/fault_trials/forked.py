"""Runs a verb in a fork of this process, which has imported what the verb will: so a trial costs what the verb does.

A verb may be made to die before its n-th operation on files: those that create, rename, link, lock, remove or start
something, as Python's audit events tell. So every gap between two of them is tried, however short it is.
"""

from __future__ import annotations

import contextlib
import importlib
import os
import signal
import sys
import time
import traceback
from pathlib import Path
from typing import Any

from .command import EXPECTED_CODES, LONGEST_S, ending

WRITES = os.O_WRONLY | os.O_RDWR | os.O_CREAT
EVENTS = frozenset(
    (
        *("open", "os.rename", "os.remove", "os.mkdir", "os.rmdir", "os.link", "os.symlink", "os.truncate", "os.chmod"),
        *("fcntl.flock", "subprocess.Popen", "ctypes.call_function"),
    )
)
POLL_S = 0.002


class Forked:
    """A verb that runs in a fork of this process, in a folder and a process group of its own."""

    def __init__(
        self, arguments: list[str], folder: Path, log: Path, *, dies_before: int = 0, alone: bool = False
    ) -> None:
        """Start it; before its `dies_before`-th operation on files it kills its process, and its group unless alone."""
        self.arguments, self.code = arguments, 0
        self._log = log
        log.mkdir(parents=True, exist_ok=True)
        sys.stdout.flush()
        sys.stderr.flush()
        self.pid = os.fork()
        if not self.pid:
            self._be_it(folder, dies_before, alone)
        with contextlib.suppress(OSError):  # it does so itself, perhaps later
            os.setpgid(self.pid, self.pid)

    def is_alive(self) -> bool:
        """Tell whether it runs still."""
        if not self.pid:
            return False
        pid, status = os.waitpid(self.pid, os.WNOHANG)
        if pid:
            self.pid, self.code = 0, os.waitstatus_to_exitcode(status)
        return not pid

    def kill(self, *, alone: bool) -> None:
        """Kill it, with all of its group unless alone."""
        if self.is_alive():
            (os.kill if alone else os.killpg)(self.pid, signal.SIGKILL)

    def wait(self, longest_s: float = LONGEST_S, *, expected: frozenset[int] = EXPECTED_CODES) -> str:
        """Wait for its end and return what was wrong with it; one that was killed ended as it should."""
        ends_s = time.monotonic() + longest_s
        while self.is_alive():
            if time.monotonic() > ends_s:
                self.kill(alone=False)
                os.waitpid(self.pid, 0)
                return f"no end within {longest_s:g} s: {self.arguments}"
            time.sleep(POLL_S)
        if self.code == -signal.SIGKILL:
            return ""
        return ending(self.arguments, self.code, self.said.encode(), expected)

    @property
    def said(self) -> str:
        """What it wrote to stderr."""
        return (self._log / "stderr").read_text(errors="replace")

    @property
    def operations(self) -> int:
        """How many operations on files it made, once it has ended by itself."""
        return int((self._log / "operations").read_text())

    def import_what_it_imported(self) -> None:
        """Import, here, the modules that it had in the end, so that forks from now on have them."""
        for name in (self._log / "modules").read_text().split():
            with contextlib.suppress(Exception):  # what a library looks for, and does without
                importlib.import_module(name)

    def _be_it(self, folder: Path, dies_before: int, alone: bool) -> None:
        """Run the verb, in the fork, and leave."""
        code = 1
        try:
            os.setpgid(0, 0)
            os.chdir(folder)
            for number, name in enumerate((os.devnull, self._log / "stdout", self._log / "stderr")):
                opened = os.open(name, os.O_RDWR | (os.O_CREAT | os.O_TRUNC if number else 0))
                os.dup2(opened, number)
                os.close(opened)
            code = self._run(dies_before, alone)
            sys.stdout.flush()
            sys.stderr.flush()
        except BaseException:
            traceback.print_exc()
            sys.stderr.flush()
        os._exit(code)

    def _run(self, dies_before: int, alone: bool) -> int:
        from gnomon.cli.main import run

        own, count = os.getpid(), 0

        def watch(event: str, arguments: tuple[Any, ...]) -> None:
            nonlocal count
            if event not in EVENTS or os.getpid() != own or (event == "open" and not arguments[2] & WRITES):
                return
            count += 1
            if count == dies_before:
                (os.kill if alone else os.killpg)(own, signal.SIGKILL)

        sys.addaudithook(watch)
        code = run(self.arguments)
        made = str(count)
        (self._log / "operations").write_text(made)
        (self._log / "modules").write_text("\n".join(sorted(sys.modules)))
        return code
