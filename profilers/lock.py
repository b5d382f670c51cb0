"""One writer a results file: a lock the operating system releases when its holder dies, however it dies.

The lock file stays behind on purpose; removing it would let two processes hold "the" lock at once.
"""

from __future__ import annotations

import contextlib
import sys
import time
from pathlib import Path
from typing import IO, Iterator

from .errors import ResultsLocked


@contextlib.contextmanager
def locked(results: Path, *, wait_s: float = 0.0) -> Iterator[IO[bytes]]:
    """Hold the lock of ``results`` (a file beside it), or raise `ResultsLocked` if it stays taken for ``wait_s``."""
    path = results.with_name(results.name + ".lock")
    deadline_s = time.monotonic() + wait_s
    with path.open("a+b") as file:
        while True:
            try:
                _lock(file)
                break
            except OSError as exc:
                if time.monotonic() >= deadline_s:
                    raise ResultsLocked(
                        f"Another worker is writing {results} (it holds {path}); wait for it, or stop it first"
                    ) from exc
            time.sleep(min(0.05, wait_s))
        yield file


if sys.platform == "win32":

    def _lock(file: IO[bytes]) -> None:
        import msvcrt

        file.seek(0)
        msvcrt.locking(file.fileno(), msvcrt.LK_NBLCK, 1)

else:

    def _lock(file: IO[bytes]) -> None:
        import fcntl

        fcntl.flock(file.fileno(), fcntl.LOCK_EX | fcntl.LOCK_NB)
