"""Watches what this process does while a hostile input is read, by the events that Python itself audits.

Seen are files that are written, made, moved or removed outside the folder of the trial, code that is run from a text,
processes, and connections, whatever part of Gnomon or of another package asks for them.
"""

from __future__ import annotations

import collections
import dataclasses
import inspect
import os
import sys
import tempfile
import typing
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from gnomon.temporary import is_temporary

WRITING = os.O_WRONLY | os.O_RDWR | os.O_CREAT | os.O_TRUNC | os.O_APPEND
PATHS: dict[str, tuple[tuple[int, int | None], ...]] = {
    "os.mkdir": ((0, 2),),
    "os.rename": ((0, 2), (1, 3)),
    "os.remove": ((0, 1),),
    "os.rmdir": ((0, 1),),
    "os.link": ((0, 2), (1, 3)),
    "os.symlink": ((1, 2),),
    "os.truncate": ((0, None),),
    "os.chmod": ((0, 2),),
    "os.chown": ((0, 3),),
    "os.utime": ((0, 3),),
    "os.setxattr": ((0, None),),
}  # events, and which of their arguments are paths, and the open folders that these begin at
STARTS = frozenset(
    (
        *("subprocess.Popen", "os.system", "os.exec", "os.posix_spawn", "os.spawn", "os.fork", "os.forkpty"),
        *("socket.connect", "socket.bind", "socket.getaddrinfo", "urllib.Request", "webbrowser.open"),
        *("pickle.find_class", "code.__new__"),
    )
)
HARMLESS = ("/dev/null", "/dev/tty")
DEFINING = frozenset((typing.__file__, dataclasses.__file__, collections.__file__, inspect.__file__))


class Watch:
    """What was seen in the blocks of `watching`; one of them at a time, for as long as the process lives."""

    def __init__(self, inside: Path) -> None:
        self.inside = str(inside.resolve())
        self.seen: list[str] = []
        self._is_on = False
        self._stops: Callable[[str, tuple[Any, ...]], None] | None = None
        sys.addaudithook(self._hear)

    @contextmanager
    def watching(self, stops: Callable[[str, tuple[Any, ...]], None] | None = None) -> Iterator[None]:
        """Watch a block; `stops` hears every event too, and may raise an exception, which the block then does."""
        self._is_on, self._stops = True, stops
        try:
            yield
        finally:
            self._is_on = False

    def taken(self) -> str:
        """Return what was seen since, in one line, "" for nothing."""
        seen, self.seen = self.seen, []
        return "; ".join(dict.fromkeys(seen))[:300]

    def _hear(self, event: str, arguments: tuple[Any, ...]) -> None:
        if not self._is_on:
            return
        if self._stops is not None:
            self._stops(event, arguments)
        if event == "open":
            path, _, flags = arguments
            if flags & WRITING:
                self._judge("wrote", path)
        elif event in PATHS:
            for path, folder in PATHS[event]:
                self._judge(event, arguments[path], -1 if folder is None else arguments[folder])
        elif event in STARTS:
            self.seen.append(f"{event} {arguments[:2]!r:.100}")
        elif event == "exec" and getattr(arguments[0], "co_filename", "<").startswith("<") and not is_definition():
            self.seen.append(f"ran code: {arguments[0]!r:.100}")

    def _judge(self, what: str, path: Any, folder: int = -1) -> None:
        """Keep a path that lies outside; it begins at an open folder, if that is not -1."""
        if isinstance(path, int):
            return
        self._is_on = False  # looking at it is nothing that the block does
        try:
            begin = Path.cwd() if folder < 0 else Path(f"/proc/self/fd/{folder}")
            place = os.path.realpath(begin / os.fsdecode(path))
            if not (f"{place}/".startswith(f"{self.inside}/") or place in HARMLESS or is_own_temporary(place)):
                self.seen.append(f"{what} {place!r}")
        finally:
            self._is_on = True


def is_own_temporary(place: str) -> bool:
    """Tell whether a path lies in a temporary folder that Gnomon made in the system's, which it removes again.

    A temporary file without a name is opened by its folder.
    """
    folder = os.path.realpath(tempfile.gettempdir())
    inside = place[len(folder) + 1 :].partition("/")[0]
    return place == folder or (place.startswith(f"{folder}/") and is_temporary(inside))


def is_definition() -> bool:
    """Tell whether code is run because a module is imported, or because Python makes a class or reads annotations."""
    frame: Any = sys._getframe(2)
    if frame.f_code.co_filename in DEFINING:
        return True
    while frame is not None:
        if frame.f_code.co_filename.startswith("<frozen importlib"):
            return True
        frame = frame.f_back
    return False
