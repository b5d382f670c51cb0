"""One writer a results file, and one plan a device: locks the operating system releases when their holder dies.

The lock files stay behind on purpose; removing one would let two processes hold "the" lock at once. The device's lock
lies in the folder for temporary files and is shared by all users, because their runs disturb each other too. Where
two runs cannot (on CPUs set apart, say), the environment variable GNOMON_DEVICE_LOCK gives each a file of its own.
"""

from __future__ import annotations

import contextlib
import os
import re
import sys
import tempfile
import time
from pathlib import Path
from typing import IO, Callable, Iterator

from ..errors import DeviceBusy, ProfilerError, ResultsLocked
from ..files import open_to_write

DEVICE_LOCK = "GNOMON_DEVICE_LOCK"  # the environment variable
DEVICE_LOCK_NAME = "gnomon-device.lock"
HOLDER = re.compile(r"plan ([0-9a-f]{12}) process (\d{1,10})\n")  # what the file says; anybody could have written it
POLL_S = 0.05
WAIT_POLL_S = 0.5
TOLD_BYTES = 100


@contextlib.contextmanager
def locked(results: Path, *, wait_s: float = 0.0) -> Iterator[IO[bytes]]:
    """Hold the lock of ``results`` (a file beside it), or raise `ResultsLocked` if it stays taken for ``wait_s``."""
    path = results.with_name(results.name + ".lock")
    with open_to_write(path) as file:
        if not _taken(file, wait_s):
            raise ResultsLocked(f"Another worker is writing {results} (it holds {path}); wait for it, or stop it first")
        yield file


@contextlib.contextmanager
def device_locked(plan: str, *, wait_s: float = 0.0) -> Iterator[None]:
    """Hold this device for the plan of that digest, or raise `DeviceBusy` if another has it for ``wait_s``."""
    path = device_lock_path()
    with _opened(path) as file:
        if not _taken(file, wait_s):
            raise DeviceBusy(
                f"This device is measuring {_holder(file)}, which holds {path}; two at once would disturb each other. "
                f"Wait for it, or stop it; where they cannot, as on CPUs set apart, set {DEVICE_LOCK} to another file"
            )
        file.seek(0)
        if not file.read(TOLD_BYTES).startswith(b"plan ") and file.tell():
            raise ProfilerError(
                f"{path} holds something else than the lock of a device, and would be overwritten; set {DEVICE_LOCK} "
                f"to a file of its own"
            )
        _write(file, f"plan {plan[:12]} process {os.getpid()}\n")
        try:
            yield
        finally:
            _write(file, "")


def wait_for_device(tell: Callable[[str], None]) -> None:
    """Return when no plan is being measured on this device; ``tell`` is told what is waited for, whenever it changes.

    Whoever comes first then holds it: `DeviceBusy` is still possible. Looking costs nothing that a measurement notices.
    """
    told = ""
    with _opened(device_lock_path()) as file:
        while not _taken(file, 0.0):
            holder = _holder(file)
            if holder != told:
                told = holder
                tell(f"waiting for this device, which is measuring {holder} (it holds {device_lock_path()})")
            time.sleep(WAIT_POLL_S)


def device_lock_path() -> Path:
    """Return the file whose lock is the device's."""
    return Path(os.environ.get(DEVICE_LOCK) or Path(tempfile.gettempdir()) / DEVICE_LOCK_NAME)


def _opened(path: Path) -> IO[bytes]:
    """Open the device's lock file, which another user may own; raises ProfilerError if that is not possible."""
    no_follow = getattr(os, "O_NOFOLLOW", 0)  # the folder is everybody's, so a link there is nobody's wish
    try:
        try:
            descriptor = os.open(str(path), os.O_RDWR | os.O_CREAT | os.O_EXCL | no_follow, 0o666)
            if hasattr(os, "fchmod"):
                os.fchmod(descriptor, 0o666)
        except FileExistsError:  # then without O_CREAT, which Linux refuses there for files of others
            descriptor = os.open(str(path), os.O_RDWR | no_follow)
    except OSError as exc:
        raise ProfilerError(
            f"The lock of this device, {path}, cannot be opened: {exc.strerror or exc}. "
            f"Set {DEVICE_LOCK} to a file that can be written"
        ) from exc
    return os.fdopen(descriptor, "r+b")


def _taken(file: IO[bytes], wait_s: float) -> bool:
    """Take the lock of an open file, or return False if somebody else holds it for ``wait_s``."""
    deadline_s = time.monotonic() + wait_s
    while True:
        try:
            _lock(file)
            return True
        except OSError:
            if time.monotonic() >= deadline_s:
                return False
        time.sleep(min(POLL_S, wait_s))


def _holder(file: IO[bytes]) -> str:
    """Say which plan and process hold the lock, as far as the file tells."""
    try:
        match = HOLDER.fullmatch(os.pread(file.fileno(), 100, 0).decode("ascii"))
    except (AttributeError, OSError, ValueError):  # Windows has no pread, and a locked file is not read there
        match = None
    return f"the plan {match.group(1)}, in process {match.group(2)}" if match else "another plan"


def _write(file: IO[bytes], text: str) -> None:
    """Replace what the lock file says; a full disk must not stop a run for that."""
    with contextlib.suppress(OSError):
        file.seek(0)
        file.truncate()
        file.write(text.encode("ascii"))
        file.flush()


if sys.platform == "win32":

    def _lock(file: IO[bytes]) -> None:
        import msvcrt

        file.seek(0)
        msvcrt.locking(file.fileno(), msvcrt.LK_NBLCK, 1)

else:

    def _lock(file: IO[bytes]) -> None:
        import fcntl

        fcntl.flock(file.fileno(), fcntl.LOCK_EX | fcntl.LOCK_NB)
