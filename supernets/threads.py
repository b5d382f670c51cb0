"""How torch's threads wait, and how many there are.

OpenMP's threads spin at the end of every parallel part, until the last one is there. On a machine with other work that
one is waiting for a processor, which the others keep busy: a validation takes several times as long. So they are told
to sleep instead (`OMP_WAIT_POLICY=passive`), which must be said before torch is imported, because OpenMP reads its
environment once. GNU's, which torch's packages for Linux bring, then spins not at all; LLVM's and Intel's neither.
There are as many threads as processors that may be used, by affinity and by quota. Fewer on a busy machine would be
slower: sleeping threads cost nothing, and each gets its share (`benchmarks/busy_validation.py`). A user's own variables
stand.
"""

from __future__ import annotations

import math
import os
import re
import sys
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

ROOT = Path("/")
WAIT_POLICY, PASSIVE = "OMP_WAIT_POLICY", "passive"
WAIT_VARIABLES = (WAIT_POLICY, "GOMP_SPINCOUNT", "KMP_BLOCKTIME", "KMP_LIBRARY")  # any of them says how threads wait
COUNT = "OMP_NUM_THREADS"
COUNT_VARIABLES = (COUNT, "MKL_NUM_THREADS")
SLOW = 1.25  # times as slow as on an idle machine, from where it is worth a word
GROUPS = "sys/fs/cgroup"


@dataclass(frozen=True, slots=True)
class Processors:
    """Those of this machine: `online`; `allowed` by affinity; `usable` by the CPU quota too; and how `busy` they are.

    busy: how many other programs want to run, the smaller of the last minute's average and this moment's number.
    """

    online: int
    allowed: int
    usable: int
    busy: float


@dataclass(frozen=True, slots=True)
class Threads:
    """How sub-networks are validated: by how many threads, from what that follows, and how they wait."""

    count: int
    count_because: str
    waits: str
    busy: str

    def __str__(self) -> str:
        """Say it in one line, without what makes it slow."""
        return f"{self.count} thread{'s' if self.count > 1 else ''} ({self.count_because}), waiting {self.waits}"


def processors(root: Path = ROOT) -> Processors:
    """Ask the operating system; `root` is where /proc and /sys are looked for."""
    online = os.cpu_count() or 1
    allowed = len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else online
    usable = max(1, min([allowed, *(math.ceil(cpus) for cpus in _quotas(root))]))
    return Processors(online, allowed, usable, _busy(root))


def validation_threads(found: Processors, environment: Mapping[str, str]) -> Threads:
    """Say how validations run in such an environment, and in `busy` how much slower other work makes them."""
    waits = next((f"as {name}={environment[name]} says" for name in WAIT_VARIABLES if name in environment), "asleep")
    count, because = found.usable, f"CPUs usable, of {found.online}"
    for name in reversed(COUNT_VARIABLES):
        if environment.get(name, "").isdigit():
            count, because = int(environment[name]), f"{name} is set"
    slower = (found.busy + count) / found.online
    busy = f"{found.busy:.1f} other programs want to run: about {slower:.1f} times as slow" if slower > SLOW else ""
    return Threads(count, because, waits, busy)


def thread_variables(found: Processors, environment: Mapping[str, str]) -> dict[str, str]:
    """Return what to add to an environment for as many threads as a quota allows, asleep while they wait."""
    is_chosen = found.usable == found.allowed or any(name in environment for name in COUNT_VARIABLES)
    return wait_variables(environment) | ({} if is_chosen else {COUNT: str(found.usable)})


def wait_variables(environment: Mapping[str, str]) -> dict[str, str]:
    """Return what to add to an environment so that threads sleep; nothing where it says already how they wait."""
    return {} if any(name in environment for name in WAIT_VARIABLES) else {WAIT_POLICY: PASSIVE}


def import_torch() -> None:
    """Import torch so that its threads sleep while they wait, and leave the environment as it was.

    Does nothing where torch is imported already: whoever did that has decided. The number of threads is left alone.
    """
    if "torch" in sys.modules:
        return
    added = wait_variables(os.environ)
    os.environ.update(added)
    try:
        import torch

        torch.get_num_threads()  # LLVM's OpenMP reads its environment when it is first used
    finally:
        for name in added:
            del os.environ[name]


def _busy(root: Path) -> float:
    """Return how many other programs want to run: this process is one of those counted now, not of the average."""
    try:
        words = (root / "proc/loadavg").read_text().split()
        return max(0.0, min(float(words[0]), int(words[3].partition("/")[0]) - 1.0))
    except (OSError, ValueError, IndexError):
        return os.getloadavg()[0] if root == ROOT and hasattr(os, "getloadavg") else 0.0


def _quotas(root: Path) -> list[float]:
    """Return the CPU quotas of this process's control group and those above it, in CPUs; of either version."""
    try:
        lines = (root / "proc/self/cgroup").read_text().splitlines()
    except OSError:
        return []
    quotas = []
    for line in lines:
        _, _, rest = line.partition(":")
        controllers, _, path = rest.partition(":")
        if controllers and "cpu" not in controllers.split(","):
            continue
        parts = [part for part in path.split("/") if part not in ("", ".", "..")]
        mount = root / GROUPS / controllers if controllers else root / GROUPS
        for depth in range(len(parts) + 1):
            quotas += _quota(mount.joinpath(*parts[:depth]))
    return quotas


def _quota(group: Path) -> list[float]:
    names = ("cpu.max",), ("cpu.cfs_quota_us", "cpu.cfs_period_us")
    for files in names:
        try:
            words = " ".join((group / name).read_text() for name in files).split()
        except (OSError, ValueError):
            continue
        if len(words) == 2 and all(re.fullmatch(r"[1-9][0-9]{0,15}", word) for word in words):
            return [int(words[0]) / int(words[1])]
    return []
