"""What on this machine may make timings noisy, why, and which command fixes it; and how noisy they are right now.

Each check looks at one cause and answers None where the system does not say. `timer_noise` measures instead of
asking. Nothing here changes the machine.
"""

from __future__ import annotations

import os
import time
from dataclasses import dataclass
from pathlib import Path
from statistics import median
from typing import List, Optional, Tuple

from .sysfs import ROOT, cpuinfo, numbers_from_list, read_int, read_text

CPU = "sys/devices/system/cpu"


@dataclass(frozen=True)
class NoiseCause:
    """One possible cause of noise: ``severity`` is ok, warn or bad; ``fix`` is a command or a sentence, "" if ok."""

    name: str
    severity: str
    value: str
    why: str
    fix: str


@dataclass(frozen=True)
class TimerNoise:
    """How repeatable a fixed workload is now.

    block_us: microseconds a repetition, for each block. verdict: ok, warn or bad, by relative IQR (2 %, 10 %).
    """

    block_us: Tuple[float, ...]

    @property
    def value_us(self) -> float:
        """The median block."""
        return median(self.block_us)

    @property
    def relative_iqr(self) -> float:
        """The interquartile range as a share of the median."""
        ordered = sorted(self.block_us)
        return (ordered[(3 * len(ordered)) // 4] - ordered[len(ordered) // 4]) / self.value_us

    @property
    def verdict(self) -> str:
        """How good the machine is for timing at this moment."""
        return _severity(self.relative_iqr, warn=0.02, bad=0.10)


def noise_causes(root: Path = ROOT) -> Tuple[NoiseCause, ...]:
    """Return every cause this system tells about, harmless ones included; ``root`` holds /proc and /sys.

    Takes about a fifth of a second, to see how much time the hypervisor takes away.
    """
    checks = (_load, _steal, _governor, _turbo, _smt, _affinity, _cgroup, _throttling, _battery, _hypervisor)
    return tuple(cause for cause in (check(root) for check in checks) if cause is not None)


def timer_noise(*, blocks: int = 40, block_us: float = 20_000.0) -> TimerNoise:
    """Time a fixed numpy workload in ``blocks`` blocks of about ``block_us``; under a second with the defaults."""
    import numpy as np

    values = np.linspace(-1.0, 1.0, 16_384, dtype=np.float32)  # 64 KiB: stays in the cache, uses one thread
    scratch = np.empty_like(values)

    def elapsed_ns(loops: int) -> int:
        start = time.perf_counter_ns()
        for _ in range(loops):
            np.multiply(values, values, out=scratch)
            np.add(scratch, values, out=scratch)
        return time.perf_counter_ns() - start

    elapsed_ns(200)
    loops = max(1, round(200 * block_us * 1e3 / elapsed_ns(200)))
    return TimerNoise(tuple(elapsed_ns(loops) / loops / 1e3 for _ in range(blocks)))


def _load(root: Path) -> Optional[NoiseCause]:
    text = read_text(root, "proc/loadavg")
    if text is None:
        return None
    load = float(text.split()[0])
    cpus = max(1, len(numbers_from_list(read_text(root, f"{CPU}/online") or "")))
    return NoiseCause(
        "load",
        _severity(load / cpus, warn=0.25, bad=0.75),
        f"{load:.2f} over {cpus} CPUs",
        "other programs take turns with the timed one and empty its caches",
        "stop other programs; list them with: top -o %CPU",
    )


def _steal(root: Path, pause_s: float = 0.2) -> Optional[NoiseCause]:
    before = _cpu_ticks(root)
    time.sleep(pause_s)
    after = _cpu_ticks(root)
    if before is None or after is None:
        return None
    ticks = [end - start for start, end in zip(before, after)]
    share = ticks[7] / max(1, sum(ticks[:8]))
    return NoiseCause(
        "steal",
        _severity(share, warn=0.005, bad=0.05),
        f"{share:.1%} of CPU time",
        "the host runs other machines in this one's time",
        "use a dedicated machine or instance type; or measure at a quieter hour",
    )


def _cpu_ticks(root: Path) -> Optional[List[int]]:
    fields = (read_text(root, "proc/stat") or "").partition("\n")[0].split()
    return [int(value) for value in fields[1:]] if len(fields) > 8 else None


def _governor(root: Path) -> Optional[NoiseCause]:
    governor = read_text(root, f"{CPU}/cpu0/cpufreq/scaling_governor")
    if governor is None:
        return None
    return NoiseCause(
        "governor",
        "ok" if governor == "performance" else "warn",
        governor,
        "the clock rises and falls with the load, so short measurements see another speed than long ones",
        "sudo cpupower frequency-set -g performance",
    )


def _turbo(root: Path) -> Optional[NoiseCause]:
    no_turbo = read_int(root, f"{CPU}/intel_pstate/no_turbo")
    boost = read_int(root, f"{CPU}/cpufreq/boost")
    if no_turbo is None and boost is None:
        return None
    is_on = no_turbo == 0 if no_turbo is not None else boost == 1
    file, value = (f"/{CPU}/intel_pstate/no_turbo", 1) if no_turbo is not None else (f"/{CPU}/cpufreq/boost", 0)
    return NoiseCause(
        "turbo",
        "warn" if is_on else "ok",
        "on" if is_on else "off",
        "the boosted clock depends on temperature and on what the other cores do",
        f"echo {value} | sudo tee {file}",
    )


def _smt(root: Path) -> Optional[NoiseCause]:
    active = read_int(root, f"{CPU}/smt/active")
    if active is None:
        return None
    return NoiseCause(
        "smt",
        "warn" if active else "ok",
        "on" if active else "off",
        "two threads share one core, and the other one slows the timed one",
        f"echo off | sudo tee /{CPU}/smt/control",
    )


def _affinity(root: Path) -> Optional[NoiseCause]:
    if root != ROOT or not hasattr(os, "sched_getaffinity"):
        return None
    allowed, cpus = len(os.sched_getaffinity(0)), os.cpu_count() or 1
    return NoiseCause(
        "affinity",
        "ok" if allowed == cpus else "warn",
        f"{allowed} of {cpus} CPUs allowed",
        "a runtime may start more threads than it is allowed CPUs",
        "time with at most that many threads, or start without taskset or cpuset limits",
    )


def _cgroup(root: Path) -> Optional[NoiseCause]:
    quota = (read_text(root, "sys/fs/cgroup/cpu.max") or "").split()
    if not quota:
        values = (read_int(root, f"sys/fs/cgroup/cpu/cpu.cfs_{name}_us") for name in ("quota", "period"))
        quota = ["max" if value is not None and value < 0 else str(value) for value in values if value is not None]
    if len(quota) != 2:
        return None
    is_limited = quota[0] != "max"
    return NoiseCause(
        "cgroup",
        "bad" if is_limited else "ok",
        f"{int(quota[0]) / int(quota[1]):.2f} CPUs" if is_limited else "no limit",
        "a container that used up its share is stopped for the rest of each period, in the middle of a measurement",
        "start the container without --cpus; use --cpuset-cpus instead",
    )


def _throttling(root: Path) -> Optional[NoiseCause]:
    events = read_int(root, f"{CPU}/cpu0/thermal_throttle/core_throttle_count")
    if events is None:
        return None
    return NoiseCause(
        "throttling",
        "warn" if events else "ok",
        f"{events} events since start",
        "a hot processor lowers its clock, so later measurements are slower than earlier ones",
        "cool the machine, and watch: sensors",
    )


def _battery(root: Path) -> Optional[NoiseCause]:
    supplies = root / "sys/class/power_supply"
    states = [read_text(supply, "status") for supply in sorted(supplies.glob("BAT*"))]
    if not states:
        return None
    is_discharging = "Discharging" in states
    return NoiseCause(
        "battery",
        "bad" if is_discharging else "ok",
        ", ".join(state or "unknown" for state in states),
        "on battery the processor saves power and changes its clock",
        "plug the machine in",
    )


def _hypervisor(root: Path) -> Optional[NoiseCause]:
    info = cpuinfo(root)
    if "flags" not in info:
        return None
    is_virtual = "hypervisor" in info["flags"].split()
    return NoiseCause(
        "virtual machine",
        "warn" if is_virtual else "ok",
        "yes" if is_virtual else "no",
        "neighbours on the same host share its caches, memory and clock, and are invisible from here",
        "expect drift; the anchors will show it. For publishable numbers use a bare machine",
    )


def _severity(value: float, *, warn: float, bad: float) -> str:
    if value < warn:
        return "ok"
    return "warn" if value < bad else "bad"
