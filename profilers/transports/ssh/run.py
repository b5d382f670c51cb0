"""One plan, run on a device: copy what is missing there, start, follow, fetch, clear.

The plan runs detached, so the line is only for watching. When it drops, a new one finds the run; when this process is
killed, a later one does. Every step can be repeated, so after any trouble all are, from the first.
"""

from __future__ import annotations

import hashlib
import json
import time
from contextlib import closing, suppress
from itertools import chain
from pathlib import Path
from typing import TYPE_CHECKING, Any, Callable, Dict, Iterator, Mapping, Optional

from ...errors import DeviceUnfit, DeviceUnreachable, EnvironmentChanged, PlanMismatch, ProfilerError, WorkerCrashed
from ...exits import DONE, INTERRUPTED
from ...journal import write_atomically
from ...results.parsing import read_results
from ...timing.plan import PLAN_FILE, read_plan
from ...worker.cache import cache_path
from .failures import printable
from .remote import RemoteWorker
from .run_folder import CACHE, RESULTS

if TYPE_CHECKING:
    OnProgress = Callable[[Mapping[str, Any]], None]

RETRY_WAITS_S = (1.0, 2.0, 4.0, 8.0, 16.0, 32.0, 32.0)  # a board restarts in about a minute
RESERVE_BYTES = 32 * 2**20  # kept free on the device: the results grow
PROGRESS_FIELDS = {"done", "total", "pass", "eta_s", "key"}


class RemoteRun:
    """The run of the plan in ``folder`` by ``worker``; what it measures is fetched to ``results``."""

    def __init__(self, worker: RemoteWorker, folder: Path, results: Path) -> None:
        self._worker = worker
        self._folder = folder
        self._plan = read_plan(folder)
        self._results = results
        self._is_started = False
        self._is_over = False
        self._has_progressed = True

    def to_end(self, on_progress: Optional[OnProgress]) -> None:
        """Run the plan to its end, over as many lines as it takes, and leave nothing of it on the device."""
        try:
            self._persistently(on_progress)
        except DeviceUnreachable as error:
            if not self._is_started:
                raise
            raise DeviceUnreachable(f"{error}. The run goes on there; run the same again to find it") from error
        except EnvironmentChanged as error:  # then one place has to be removed to measure anew, not two
            if self._has_left():
                with suppress(DeviceUnreachable):
                    self._worker.ask("clear", self._plan.digest)
            raise EnvironmentChanged(f"{error}: that is {self._results}, where they are now") from error
        except BaseException:  # Ctrl-C, an error over there, a failing on_progress: stop it where it can resume
            if self._is_started:
                self._has_left()
            raise

    def _persistently(self, on_progress: Optional[OnProgress]) -> None:
        """Try again, with longer and longer waits, as long as the line drops or the runner is killed."""
        waits: Iterator[float] = iter(())
        while True:
            error: ProfilerError
            try:
                last_words = self._once(on_progress)
                if last_words is None:
                    return
                said = f"; its last words: {last_words}" if last_words else ""
                error = WorkerCrashed(f"The run on {self._worker.address} was killed{said}", stderr_tail=last_words)
            except DeviceUnreachable as exc:
                error = exc
                if not exc.may_pass:
                    raise
            if self._has_progressed:
                waits, self._has_progressed = iter(RETRY_WAITS_S), False
            wait_s = next(waits, None)
            if wait_s is None:
                raise error
            self._worker.say(f"{error}. Trying again in {wait_s:g} s")
            time.sleep(wait_s)

    def _once(self, on_progress: Optional[OnProgress]) -> Optional[str]:
        """Take every step that is still to take; return the runner's last words if it was killed, else None."""
        if not self._is_complete():
            self._copy()
            self._is_started, self._is_over = True, False
            last_words = self._watch(on_progress)
            if last_words is not None:
                return last_words
            self._fetch()
        self._worker.ask("clear", self._plan.digest)
        return None

    def _is_complete(self) -> bool:
        if not self._results.exists():
            return False
        known = read_results(self._results)
        if known.plan != self._plan.digest:
            raise PlanMismatch(
                f"{self._results} holds results of the plan {known.plan[:12]}, not of {self._plan.digest[:12]}; "
                f"choose another results file"
            )
        return known.is_complete

    def _copy(self) -> None:
        """Copy what the device lacks, and results that it has lost; nothing if it is not fit for that."""
        known, here = self._known_results(), self._files()
        asked = {"files": [*here], "results": _summary(known)}
        found, _ = self._worker.ask("missing", self._plan.digest, stdin=[_line(asked)])
        if found["results"] == "others":
            raise PlanMismatch(
                f"{self._worker.address} holds results of this plan that {self._results} is no part of. To go on with "
                f"those, remove {self._results}; to go on with it, remove there: ~/.cache/gnomon/plans/"
                f"{self._plan.digest}"
            )
        lacking = {name: path for name, path in here.items() if name in found["files"]}
        if found["results"] == "absent" and known:
            write_atomically(self._results, known)
            lacking[RESULTS] = self._results
        if lacking:
            self._worker.ask("require", self._plan.backend, self._plan.config.precision)
            self._send(lacking, free_bytes=int(found["free_bytes"]))

    def _files(self) -> Dict[str, Path]:
        """Return what the device needs by name, the plan itself after its models: then it is whole there."""
        names = sorted({file for item in self._plan.items for file in item.files})
        files = {name: self._folder / name for name in (*names, PLAN_FILE)}
        cache = cache_path(self._results)
        return {CACHE: cache, **files} if cache.exists() else files

    def _known_results(self) -> bytes:
        """Return the whole lines of what was fetched before."""
        content = self._results.read_bytes() if self._results.exists() else b""
        return content[: content.rfind(b"\n") + 1]

    def _send(self, files: Mapping[str, Path], *, free_bytes: int) -> None:
        sizes = [(name, path.stat().st_size) for name, path in files.items()]
        address, total_bytes = self._worker.address, sum(size_bytes for _, size_bytes in sizes)
        described = f"{len(files)} files, {total_bytes / 2**20:.1f} MiB"
        if total_bytes + RESERVE_BYTES > free_bytes:
            raise DeviceUnfit(
                f"{address} has {free_bytes / 2**20:.1f} MiB free for a plan of {described}, and its results take some "
                f"too ({RESERVE_BYTES / 2**20:.0f} MiB are kept). Make room in ~/.cache of the device"
            )
        self._worker.say(f"copying the plan to {address} ({described})")
        stream = chain([_line(sizes)], (path.read_bytes() for path in files.values()))
        self._worker.ask("receive", self._plan.digest, stdin=stream)

    def _watch(self, on_progress: Optional[OnProgress]) -> Optional[str]:
        """Start the run or find it, and pass its progress on until it ends.

        Returns its last words if it was killed, else None. Raises its error, and KeyboardInterrupt if it was stopped.
        """
        error: Optional[ProfilerError] = None
        with closing(self._worker.follow("attach", self._plan.digest)) as events:
            for event in events:
                kind = event.get("event")
                self._is_over = self._is_over or kind in ("ended", "lost")
                if kind == "progress" and event.keys() >= PROGRESS_FIELDS:
                    self._has_progressed = True
                    if on_progress is not None:
                        on_progress(event)
                elif kind == "warning":
                    self._worker.say(printable(str(event.get("message"))))
                elif kind == "error":
                    error = self._worker.error(event)
                elif kind == "lost":
                    return printable(str(event.get("last_words")))
                elif kind == "ended" and event.get("code") == DONE:
                    return None
                elif kind == "ended" and event.get("code") == INTERRUPTED:
                    raise KeyboardInterrupt
        raise error or DeviceUnfit(f"{self._worker.address} broke off without saying how the run ended")

    def _fetch(self) -> None:
        """Replace ``results`` and their cache by those of the device, which go on from them."""
        for name, path in ((CACHE, cache_path(self._results)), (RESULTS, self._results)):
            summary, content = self._worker.ask("fetch", self._plan.digest, name)
            if _summary(content) != {key: summary.get(key) for key in ("bytes", "sha256")}:
                raise DeviceUnreachable(f"{name} of {self._worker.address} came in part only", may_pass=True)
            if content:
                write_atomically(path, content)

    def _has_left(self) -> bool:
        """Stop the run and fetch what it measured; if that fails, say so: it is on the device still."""
        try:
            if not self._is_over:
                self._worker.ask("stop", self._plan.digest)
            self._fetch()
        except ProfilerError as error:
            self._worker.say(f"{error}. What was measured is on the device; run the same again to go on with it")
            return False
        return True


def _summary(content: bytes) -> Mapping[str, Any]:
    return {"bytes": len(content), "sha256": hashlib.sha256(content).hexdigest()}


def _line(value: Any) -> bytes:
    return json.dumps(value).encode("utf-8") + b"\n"
