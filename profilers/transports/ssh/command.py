"""One running ssh process: bytes in, bytes out, and its last words, kept in a file so that no pipe can fill up.

Ctrl-C on a terminal goes to every process of the foreground group. An ssh must not die of it, because the line is still
needed to stop the device's worker politely; yet it must stay in that group to be able to ask for a password. So it
is started with SIGINT blocked, which it inherits.
"""

from __future__ import annotations

import contextlib
import os
import signal
import subprocess
import tempfile
from typing import Iterable, Iterator, Sequence, Tuple

from ...errors import DeviceUnreachable
from ...runtimes.closing import Closing

STDERR_TAIL_BYTES = 4_000
END_WAIT_S = 5.0


class Command(Closing):
    """A process started with ``words``; closing it ends it. `DeviceUnreachable` if there is no such program."""

    def __init__(self, words: Sequence[str]) -> None:
        self._held = contextlib.ExitStack()
        self._stderr = self._held.enter_context(tempfile.TemporaryFile())  # noqa: SIM115
        try:
            with _ctrl_c_blocked():
                self._process = subprocess.Popen(
                    words, stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=self._stderr
                )
        except FileNotFoundError as exc:
            self._held.close()
            raise DeviceUnreachable(
                f"{words[0]} is not installed here; profiling over SSH takes OpenSSH's client: apt install "
                f"openssh-client, or your system's package of it"
            ) from exc

    @property
    def is_running(self) -> bool:
        """Whether it has not ended yet."""
        return self._process.poll() is None

    @property
    def last_words(self) -> str:
        """The end of what it wrote to stderr so far."""
        size_bytes = os.fstat(self._stderr.fileno()).st_size
        tail = os.pread(self._stderr.fileno(), STDERR_TAIL_BYTES, max(0, size_bytes - STDERR_TAIL_BYTES))
        return tail.decode("utf-8", errors="replace")

    def lines(self) -> Iterator[bytes]:
        """Yield what it prints as it comes, until it closes its stdout."""
        yield from self._process.stdout or ()

    def ended(self, stdin: Iterable[bytes] = ()) -> Tuple[int, bytes]:
        """Write all of ``stdin``, wait for the end, and return the exit code and what was printed after that."""
        with contextlib.suppress(BrokenPipeError):  # it ended early; the exit code tells why
            for chunk in stdin:
                if self._process.stdin is not None:
                    self._process.stdin.write(chunk)
        stdout, _ = self._process.communicate()
        return self._process.returncode, stdout

    def close(self) -> None:
        """End the process, if it has not ended, and release what it held."""
        for pipe in (self._process.stdin, self._process.stdout):
            with contextlib.suppress(OSError):
                if pipe is not None:
                    pipe.close()
        if self.is_running:
            self._process.terminate()
            try:
                self._process.wait(END_WAIT_S)
            except subprocess.TimeoutExpired:
                self._process.kill()
                self._process.wait()
        self._held.close()


@contextlib.contextmanager
def _ctrl_c_blocked() -> Iterator[None]:
    """Hold SIGINT back meanwhile: what is started inherits that, and a Ctrl-C comes right after."""
    before = signal.pthread_sigmask(signal.SIG_BLOCK, {signal.SIGINT})
    try:
        yield
    finally:
        signal.pthread_sigmask(signal.SIG_SETMASK, before)
