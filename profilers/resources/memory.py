"""How much memory this process holds, and held at most: Linux says it in /proc/self/status.

Both count pages of main memory that the process can see, shared libraries included. The kernel sums them up lazily, so
they are a few dozen pages off.
"""

from __future__ import annotations

import re
from pathlib import Path

from ..errors import CounterUnavailable
from ..machine.sysfs import ROOT, read_text

STATUS, RESET = "proc/self/status", "proc/self/clear_refs"
PEAK, NOW = "VmHWM", "VmRSS"


def peak_mib(root: Path = ROOT) -> float:
    """Return the most memory this process has held; raises `CounterUnavailable` where the system does not say."""
    return _told_mib(root, PEAK)


def resident_mib(root: Path = ROOT) -> float:
    """Return the memory that this process holds now; raises `CounterUnavailable` where the system does not say."""
    return _told_mib(root, NOW)


def reset_peak(root: Path = ROOT) -> None:
    """Let the peak begin anew at what is held now; raises `CounterUnavailable` where the kernel cannot."""
    try:
        (root / RESET).write_text("5\n", encoding="ascii")
    except OSError as exc:
        raise CounterUnavailable(
            f"/{RESET} cannot be written ({exc.strerror or exc}), so a model's peak of memory cannot be told from that "
            "of what ran before it; measure on Linux itself, with a kernel that has CONFIG_PROC_PAGE_MONITOR"
        ) from exc


def _told_mib(root: Path, name: str) -> float:
    match = re.search(rf"^{name}:\s+([0-9]{{1,15}}) kB$", read_text(root, STATUS) or "", re.MULTILINE)
    if match is None:
        raise CounterUnavailable(f"/{STATUS} has no {name}; the memory of a process can be measured on Linux only")
    return int(match.group(1)) / 1024
