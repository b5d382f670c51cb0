"""Noise from limits on this process: CPU quotas of its control groups, and the CPUs it may use.

A group inherits the limits of all groups above it, so the whole branch is read, in version 2 of the interface and in
version 1. In a container the path the kernel names may lie outside of what can be seen; then the visible top counts.
"""

from __future__ import annotations

import os
import shlex
from dataclasses import dataclass
from pathlib import Path, PurePosixPath
from typing import Dict, Iterator, List, Optional, Tuple

from ..sysfs import ROOT, fields_from, list_from_numbers, number_from, numbers_from_list, read_int, read_text
from .cause import CPU, NoiseCause

MOUNT = "sys/fs/cgroup"


def quota(root: Path) -> Optional[NoiseCause]:
    """Judge the tightest CPU quota on the branch of control groups this process is in."""
    quotas = [(cpus, group) for group in _branch(root) for cpus in _quota(root, group)]
    if not quotas:
        return None
    online = len(numbers_from_list(read_text(root, f"{CPU}/online") or ""))
    limits = [(cpus, group) for cpus, group in quotas if cpus is not None and not 0 < online <= cpus]
    tightest = min(limits, default=None)
    return NoiseCause(
        "cgroup",
        "bad" if tightest else "ok",
        f"{tightest[0]:.2f} CPUs" if tightest else "no limit",
        "a container that used up its share is stopped for the rest of each period, in the middle of a measurement",
        _quota_fix(tightest[1] if tightest else MOUNT),
    )


def throttled_by_quota(root: Path) -> Optional[NoiseCause]:
    """Judge how often the quota did stop this branch of control groups."""
    stops = [found for group in _branch(root) for found in _stops(root, group)]
    if not stops:
        return None
    count, seconds, share = max(stops)
    return NoiseCause(
        "cgroup throttling",
        "ok" if not count else "bad" if share >= 0.01 else "warn",
        f"stopped {count:.0f} times, for {seconds:.1f} s in all",
        "whenever the quota was used up, everything stood still; it will happen again while measuring",
        "lift the CPU quota, or time with fewer threads than it allows: gnomon profile --threads 1",
    )


@dataclass(frozen=True)
class QuotaUse:
    """A CPU quota on this process: ``slice_ms`` of CPU time in each period, and how often it has stopped so far."""

    cpus: float
    slice_ms: float
    stops: int
    stopped_s: float

    def conditions(self) -> Dict[str, float]:
        """Return the fields as the worker records what holds at a moment."""
        return {
            "cpu_quota_cpus": round(self.cpus, 3),
            "cpu_quota_slice_ms": round(self.slice_ms, 3),
            "cpu_quota_stops": float(self.stops),
            "cpu_quota_stopped_s": round(self.stopped_s, 3),
        }


def quota_use(root: Path = ROOT) -> Optional[QuotaUse]:
    """Return the tightest CPU quota on the branch of control groups this process is in; None where there is none."""
    online = len(numbers_from_list(read_text(root, f"{CPU}/online") or ""))
    limits = [(cpus, group) for group in _branch(root) for cpus in _quota(root, group) if cpus is not None]
    tightest = min(((cpus, group) for cpus, group in limits if not 0 < online <= cpus), default=None)
    if tightest is None:
        return None
    cpus, group = tightest
    words = (read_text(root, f"{group}/cpu.max") or "").split()
    period_us = number_from(words[1]) if len(words) == 2 else read_int(root, f"{group}/cpu.cfs_period_us")
    count, stopped_s, _ = max(_stops(root, group), default=(0.0, 0.0, 0.0))
    return QuotaUse(cpus, cpus * (period_us or 0) / 1e3, int(count), stopped_s)


def affinity(root: Path) -> Optional[NoiseCause]:
    """Tell on how many CPUs this process may run."""
    online = numbers_from_list(read_text(root, f"{CPU}/online") or "")
    allowed = _allowed(root)
    if not allowed or (not online and root != ROOT):
        return None
    cpus = max(len(online), len(allowed))
    return NoiseCause(
        "affinity",
        "ok" if len(allowed) == cpus else "warn",
        f"{len(allowed)} of {cpus} CPUs allowed" + (f": {list_from_numbers(allowed)}" if len(allowed) < cpus else ""),
        "a runtime may start more threads than it is allowed CPUs",
        f"time with at most {len(allowed)} threads (gnomon profile --threads), or start without taskset or cpuset",
    )


def _allowed(root: Path) -> List[int]:
    if root == ROOT and hasattr(os, "sched_getaffinity"):
        return sorted(os.sched_getaffinity(0))
    told = (read_text(root, f"{group}/cpuset.cpus.effective") for group in _branch(root))
    return next((numbers for numbers in map(numbers_from_list, filter(None, told)) if numbers), [])


def _branch(root: Path) -> Iterator[str]:
    """Yield the folders of this process's control groups, each before those above it."""
    own: Dict[str, PurePosixPath] = {"": PurePosixPath("/")}
    for line in (read_text(root, "proc/self/cgroup") or "").splitlines()[:100]:
        _, _, rest = line.partition(":")
        controllers, _, path = rest.partition(":")
        if not controllers or "cpu" in controllers.split(","):
            parts = [part for part in path.split("/")[:64] if part not in ("", ".", "..")]
            own[controllers] = PurePosixPath("/", *parts)
    for controllers, group in own.items():
        mounts = (MOUNT, f"{MOUNT}/unified") if not controllers else (f"{MOUNT}/{controllers}", f"{MOUNT}/cpu")
        for mount in mounts:
            for folder in (group, *group.parents):
                yield f"{mount}{folder}".rstrip("/")
    if len(own) == 1:  # nothing is said about version 1, which may be there all the same
        yield f"{MOUNT}/cpu"


def _quota(root: Path, group: str) -> Iterator[Optional[float]]:
    """Yield the CPUs a group may use, None for no limit; nothing where it does not say."""
    words = (read_text(root, f"{group}/cpu.max") or "").split()
    values: List[Optional[float]] = [number_from(word) for word in words]
    if len(words) == 2 and words[0] == "max":
        yield None
    elif len(values) == 2 and values[0] and values[1]:
        yield values[0] / values[1]
    quota_us, period_us = (read_int(root, f"{group}/cpu.cfs_{name}_us") for name in ("quota", "period"))
    if quota_us is not None and period_us is not None and period_us > 0:
        yield None if quota_us <= 0 else quota_us / period_us


def _stops(root: Path, group: str) -> Iterator[Tuple[float, float, float]]:
    """Yield how often a group was stopped, for how many seconds, and in which share of its periods."""
    told = {name: number_from(value) for name, value in fields_from(read_text(root, f"{group}/cpu.stat")).items()}
    count = told.get("nr_throttled")
    if count is None:
        return
    seconds = (told.get("throttled_usec") or 0.0) / 1e6 + (told.get("throttled_time") or 0.0) / 1e9
    yield count, seconds, count / max(1.0, told.get("nr_periods") or 0.0)


def _quota_fix(group: str) -> str:
    name = shlex.quote(PurePosixPath(group).name)
    if "kubepods" in group:
        return (
            "remove resources.limits.cpu of the pod; or let requests equal limits in whole CPUs, under a static policy"
        )
    if name.endswith((".service", ".slice", ".scope")) and "docker" not in name and "libpod" not in name:
        return f"sudo systemctl set-property --runtime {name} CPUQuota="
    if group in (MOUNT, f"{MOUNT}/cpu") or "docker" in group or "libpod" in group:
        return "start the container without --cpus; use --cpuset-cpus instead"
    if group.startswith(f"{MOUNT}/cpu"):  # version 1
        return f"echo -1 | sudo tee {shlex.quote(f'/{group}/cpu.cfs_quota_us')}"
    return f"echo max | sudo tee {shlex.quote(f'/{group}/cpu.max')}"
