"""One line to a device: a master connection of OpenSSH, and the commands that run over it.

The user authenticates once, when the line opens; ssh itself asks on the terminal if there is one, and otherwise
nothing ever asks. The configuration, keys, agent, jump hosts and known hosts are the user's own: the only options set
are those that keep this connection to itself and notice when it drops.

The master runs `cat` on a pipe of ours. So whatever ends this process, SIGKILL too, ends the connection with it.
"""

from __future__ import annotations

import contextlib
import os
import shlex
import sys
from typing import Callable, Generator, Iterable, List, NamedTuple, Optional, Sequence

from ....temporary import temporary_folder
from ...errors import DeviceUnreachable
from ...runtimes.closing import Closing
from .address import SshAddress
from .command import Command
from .failures import printable, unreachable

READY = "gnomon-line-is-open"
MASTER = f"echo {READY}; exec cat > /dev/null"
SSH_FAILED = 255  # ssh's exit code when it failed, not the command
OPTIONS = (
    *("-T", "-x"),
    *("-o", "ClearAllForwardings=yes"),  # those are for the user's own sessions, and their ports would clash
    *("-o", "RemoteCommand=none"),
    *("-o", "PermitLocalCommand=no"),
    *("-o", "ConnectTimeout=30"),
    *("-o", "ServerAliveInterval=10"),
    *("-o", "ServerAliveCountMax=3"),
    *("-o", "ControlPersist=no"),
)


class Answer(NamedTuple):
    """How a command on the device ended; ``last_words``: the end of its stderr."""

    code: int
    stdout: bytes
    last_words: str


class Line(Closing):
    """A connection to the device at ``address``, made when first needed; ``show`` is told every command."""

    def __init__(self, address: SshAddress, show: Callable[[str], None]) -> None:
        self.address = address
        self._show = show
        self._stack = contextlib.ExitStack()
        self._folder = self._stack.enter_context(temporary_folder())
        self._master: Optional[Command] = None

    def run(self, words: Sequence[str], stdin: Iterable[bytes] = ()) -> Answer:
        """Run a command on the device to its end; `DeviceUnreachable` if there is no line, or it drops."""
        with self._started(words) as command:
            code, stdout = command.ended(stdin)
            self._check(code, command)
            return Answer(code, stdout, printable(command.last_words))

    def follow(self, words: Sequence[str]) -> Generator[bytes, None, None]:
        """Yield the lines that a command on the device prints, as they come; raises as `run` does."""
        with self._started(words) as command:
            yield from command.lines()
            self._check(command.ended()[0], command)

    def close(self) -> None:
        """Hang up; what runs detached on the device goes on."""
        self._hang_up()
        self._stack.close()

    def _started(self, words: Sequence[str]) -> Command:
        self._open()
        remote = "exec " + " ".join(shlex.quote(word) for word in words)
        return Command(self._shown("-o", "ControlMaster=no", "-o", "BatchMode=yes", remote=remote))

    def _open(self) -> None:
        """Connect, unless connected."""
        if self._master is not None and self._master.is_running:
            return
        self._hang_up()
        batch = "no" if can_ask() else "yes"
        master = Command(self._shown("-o", "ControlMaster=yes", "-o", f"BatchMode={batch}", remote=MASTER))
        try:
            if not any(line.strip() == READY.encode() for line in master.lines()):
                master.ended()
                raise unreachable(self.address, master.last_words)
        except BaseException:
            master.close()
            raise
        self._master = master

    def _shown(self, *options: str, remote: str) -> List[str]:
        port = () if self.address.port is None else ("-p", str(self.address.port))
        path = str(self._folder / "line").replace("%", "%%")  # ssh expands %h and its like
        options = (*OPTIONS, "-o", f"ControlPath={path}", *options)
        command = ["ssh", *options, *port, "--", self.address.destination, remote]
        self._show(shlex.join(command))
        return command

    def _check(self, code: int, command: Command) -> None:
        """Raise `DeviceUnreachable` if it was ssh that failed, or was killed."""
        if code == SSH_FAILED or code < 0:
            words = command.last_words + (self._master.last_words if self._master is not None else "")
            self._hang_up()
            raise DeviceUnreachable(str(unreachable(self.address, words)), may_pass=True)

    def _hang_up(self) -> None:
        if self._master is not None:
            self._master.close()
            self._master = None


def can_ask() -> bool:
    """Whether ssh may ask for a password: on a terminal, in the foreground; elsewhere it would wait for ever."""
    with contextlib.suppress(OSError, ValueError):
        return sys.stdin.isatty() and os.tcgetpgrp(sys.stdin.fileno()) == os.getpgrp()
    return False
