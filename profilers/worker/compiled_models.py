"""Compiled models kept from one visit to the next, as far as memory allows."""

from __future__ import annotations

from pathlib import Path
from types import TracebackType
from typing import Dict, Optional

from ..machine.sysfs import ROOT, read_text
from ..runtimes.backend import Executable

PAGE_KIB = 4  # statm counts pages; where they are larger, fewer models are kept


class KeptModels:
    """Executables by key. None is evicted: those that no longer fit are closed after their visit, and loaded again.

    So are those that would disturb the others, because they use the processor even when nobody calls them.

    Fitting means that the process has grown by less than ``limit_mib`` since this was made, and by less than half of
    the memory that was available then. Where the system does not tell, none is kept. A context manager that closes
    all.
    """

    def __init__(self, limit_mib: float, root: Path = ROOT) -> None:
        self._root = root
        self._executables: Dict[str, Executable] = {}
        self._start_mib = self._resident_mib() or 0.0
        self._limit_mib = min(limit_mib, _available_mib(root) / 2) if self._start_mib else 0.0

    def get(self, key: str) -> Optional[Executable]:
        """Return the executable kept under ``key``, if any."""
        return self._executables.get(key)

    def keep(self, key: str, executable: Executable) -> None:
        """Keep an executable, or close it when there is no room."""
        if key in self._executables:
            return
        grown_mib = (self._resident_mib() or 0.0) - self._start_mib
        if executable.idles_quietly and self._limit_mib > 0 and grown_mib <= self._limit_mib:
            self._executables[key] = executable
        else:
            executable.close()

    def close(self, key: str, executable: Executable) -> None:
        """Close an executable that failed, kept or not."""
        self._executables.pop(key, None)
        executable.close()

    def __enter__(self) -> KeptModels:
        return self

    def __exit__(
        self,
        kind: Optional[type[BaseException]],
        error: Optional[BaseException],
        traceback: Optional[TracebackType],
    ) -> None:
        for key in list(self._executables):
            self.close(key, self._executables[key])

    def _resident_mib(self) -> Optional[float]:
        fields = (read_text(self._root, "proc/self/statm") or "").split()
        return int(fields[1]) * PAGE_KIB / 1024 if len(fields) > 1 else None


def _available_mib(root: Path) -> float:
    for line in (read_text(root, "proc/meminfo") or "").splitlines():
        if line.startswith("MemAvailable:"):
            return int(line.split()[1]) / 1024
    return 0.0
