"""Where one plan is run on a device, and who runs it: files only, so that any later line finds its way.

~/.cache/gnomon/plans/<digest of the plan>/
    plan/            the plan folder, copied
    results.jsonl    what is measured, and beside it the runtime's cache, if it keeps one
    events.jsonl     progress, and how the run ended
    runner.log       the runner's stderr
    runner.pid       the runner's process, worth something only while the lock is held
    run.lock         held by the runner as long as it lives, however it dies
"""

from __future__ import annotations

import contextlib
import os
import re
import shutil
import signal
import subprocess
import time
from pathlib import Path
from typing import IO, ContextManager, Sequence

from ...errors import PlanDamaged, ResultsLocked
from ...timing.plan import MODEL_FILE, PLAN_FILE
from ...worker.cache import cache_path
from ...worker.lock import locked
from .bootstrap import FOLDER

DIGEST = re.compile(r"[0-9a-f]{64}")
RESULTS = "results.jsonl"
CACHE = cache_path(Path(RESULTS)).name
POLL_S = 0.1
START_WAIT_S = 3.0  # for what began a moment before


class RunFolder:
    """The folder of the plan with ``digest`` on this device."""

    def __init__(self, digest: str) -> None:
        if not DIGEST.fullmatch(digest):
            raise PlanDamaged(f"{digest!r} is no digest of a plan; expected 64 hexadecimal digits")
        self.path = Path(FOLDER).expanduser() / "plans" / digest
        self.path.mkdir(mode=0o700, parents=True, exist_ok=True)
        self.plan = self.path / "plan"
        self.results = self.path / RESULTS
        self.events = self.path / "events.jsonl"
        self._log = self.path / "runner.log"
        self._pid = self.path / "runner.pid"

    def file(self, name: str) -> Path:
        """Return where a file of a plan, its results or their cache is; `PlanDamaged` for any other name."""
        if name in (RESULTS, CACHE):
            return self.path / name
        if name != PLAN_FILE and not MODEL_FILE.fullmatch(name):
            raise PlanDamaged(f"{name!r} is no file of a plan")
        return self.plan / name

    @property
    def is_running(self) -> bool:
        """Whether a runner lives."""
        try:
            with self._locked(wait_s=POLL_S):  # others who ask this hold the lock for a moment
                return False
        except ResultsLocked:
            return True

    @property
    def last_words(self) -> str:
        """What the last runner wrote to stderr, at most its end."""
        with contextlib.suppress(OSError):
            return self._log.read_text(encoding="utf-8", errors="replace")[-1_000:].strip()
        return ""

    def start(self, command: Sequence[str], root: str) -> None:
        """Start ``command`` as the runner, unless one lives: detached from the line, with ``root`` to import from.

        It inherits the lock, so there is no moment at which a second one could start.
        """
        environment = dict(os.environ)
        environment["PYTHONPATH"] = os.pathsep.join([root, environment.get("PYTHONPATH", "")]).rstrip(os.pathsep)
        with contextlib.suppress(ResultsLocked), self._locked(wait_s=START_WAIT_S) as lock:
            self._remove(self._pid)
            with self.events.open("wb") as events, self._log.open("wb") as log:
                subprocess.Popen(
                    command,
                    cwd=str(self.path),
                    env=environment,
                    stdin=subprocess.DEVNULL,
                    stdout=events,
                    stderr=log,
                    start_new_session=True,
                    pass_fds=(lock.fileno(),),
                )

    def enter(self) -> None:
        """Say that this process is the runner, which `stop` may send SIGINT."""
        self._pid.write_text(str(os.getpid()))

    def stop(self) -> None:
        """Have the runner stop after the visit in flight, and wait for that; one about to start is waited for too."""
        deadline_s = time.monotonic() + START_WAIT_S
        while not self.is_running and time.monotonic() < deadline_s:
            time.sleep(POLL_S)
        is_told = False
        while self.is_running:
            with contextlib.suppress(OSError, ValueError):  # it is being started, and has not entered yet
                if not is_told:
                    os.kill(int(self._pid.read_text()), signal.SIGINT)
                    is_told = True
            time.sleep(POLL_S)

    def clear(self) -> None:
        """Remove all but the locks, which another process may have open; `ResultsLocked` while a runner lives."""
        with self._locked(wait_s=START_WAIT_S):
            shutil.rmtree(self.plan, ignore_errors=True)
            self._remove(self.results, self.path / CACHE, self.events, self._log, self._pid)

    def _locked(self, *, wait_s: float) -> ContextManager[IO[bytes]]:
        return locked(self.path / "run", wait_s=wait_s)

    def _remove(self, *paths: Path) -> None:
        for path in paths:
            with contextlib.suppress(FileNotFoundError):
                path.unlink()
