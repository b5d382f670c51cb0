"""Runs a verb in a fork of this process, which has imported what the verb will: so a trial costs what the verb does.

A verb may be made to die, or to do something else, before its n-th operation on files: those that create, rename, link,
lock, remove or start something, as Python's audit events tell. So every gap between two of them is tried, however short
it is.
"""

from __future__ import annotations

import contextlib
import importlib
import os
import signal
import sys
import time
import traceback
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import psutil

from .command import EXPECTED_CODES, LONGEST_S, ending
from .forked_children import fork_children

WRITES = os.O_WRONLY | os.O_RDWR | os.O_CREAT
EVENTS = frozenset(
    (
        *("open", "os.rename", "os.remove", "os.mkdir", "os.rmdir", "os.link", "os.symlink", "os.truncate", "os.chmod"),
        *("fcntl.flock", "subprocess.Popen", "ctypes.call_function"),
    )
)
POLL_S = 0.002


def is_at_work(process: psutil.Process) -> bool:
    """Tell whether a process lives, and is no zombie."""
    try:
        return bool(process.status() != psutil.STATUS_ZOMBIE)
    except psutil.NoSuchProcess:
        return False


def die(*, alone: bool) -> None:
    """Kill this process, with all of its group unless alone."""
    (os.kill if alone else os.killpg)(os.getpid(), signal.SIGKILL)


class Forked:
    """A verb that runs in a fork of this process, in a folder and a process group of its own."""

    def __init__(
        self,
        arguments: list[str],
        folder: Path,
        log: Path,
        *,
        at_first: Callable[[], None] | None = None,
        at: tuple[int, Callable[[], None]] | None = None,
    ) -> None:
        """Start it; what it calls at first, and before its n-th operation on files, is given with that number."""
        self.arguments, self.code = arguments, 0
        self._log = log
        log.mkdir(parents=True, exist_ok=True)
        sys.stdout.flush()
        sys.stderr.flush()
        self.pid = os.fork()
        if not self.pid:
            self._be_it(folder, at_first, at)
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

    def kill_child(self, rng: np.random.Generator) -> bool:
        """Kill one of the processes that it started, and they; False where none lives."""
        if not self.is_alive():
            return False
        children = [one for one in psutil.Process(self.pid).children(recursive=True) if is_at_work(one)]
        if children:
            with contextlib.suppress(psutil.NoSuchProcess):
                children[int(rng.integers(len(children)))].kill()
                return True
        return False

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
        """Import, here, the modules that it and its children had in the end, so that forks from now on have them."""
        for listed in self._log.glob("modules*"):
            for name in listed.read_text().split():
                with contextlib.suppress(Exception):  # what a library looks for, and does without
                    importlib.import_module(name)
            listed.unlink()

    def _be_it(
        self, folder: Path, at_first: Callable[[], None] | None, at: tuple[int, Callable[[], None]] | None
    ) -> None:
        """Run the verb, in the fork, and leave."""
        code = 1
        try:
            os.setpgid(0, 0)
            os.chdir(folder)
            for number, name in enumerate((os.devnull, self._log / "stdout", self._log / "stderr")):
                opened = os.open(name, os.O_RDWR | (os.O_CREAT | os.O_TRUNC if number else 0))
                os.dup2(opened, number)
                os.close(opened)
            if at_first is not None:
                at_first()
            code = self._run(at)
            sys.stdout.flush()
            sys.stderr.flush()
        except BaseException:
            traceback.print_exc()
            sys.stderr.flush()
        os._exit(code)

    def _run(self, at: tuple[int, Callable[[], None]] | None) -> int:
        from gnomon.cli.main import run

        own, count = os.getpid(), 0

        def watch(event: str, arguments: tuple[Any, ...]) -> None:
            nonlocal count
            if event not in EVENTS or os.getpid() != own or (event == "open" and not arguments[2] & WRITES):
                return
            count += 1
            if at is not None and count == at[0]:
                at[1]()

        fork_children(self._log)
        sys.addaudithook(watch)
        code = run(self.arguments)
        made = str(count)
        (self._log / "operations").write_text(made)
        (self._log / "modules").write_text("\n".join(sorted(sys.modules)))
        return code
