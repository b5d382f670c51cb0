"""Noise from other work: programs, virtual machines and containers that share the processor."""

from __future__ import annotations

import re
import time
from pathlib import Path
from typing import List, Optional

from ..sysfs import cpuinfo, list_from_numbers, number_from, numbers_from_list, read_int, read_text
from .cause import CPU, NoiseCause, severity_of


def load(root: Path) -> Optional[NoiseCause]:
    """Judge how many programs want to run, a CPU."""
    wanting = number_from((read_text(root, "proc/loadavg") or "").partition(" ")[0])
    if wanting is None:
        return None
    cpus = max(1, len(numbers_from_list(read_text(root, f"{CPU}/online") or "")))
    return NoiseCause(
        "load",
        severity_of(wanting / cpus, warn=0.25, bad=0.75),
        f"{wanting:.2f} over {cpus} CPUs",
        "other programs take turns with the timed one and empty its caches",
        "stop other programs; list them with: top -o %CPU",
    )


def pressure(root: Path) -> Optional[NoiseCause]:
    """Judge how long work had to wait for a CPU, over the last ten seconds."""
    match = re.search(r"^some avg10=([0-9.]+)", read_text(root, "proc/pressure/cpu") or "")
    percent = number_from(match.group(1)) if match else None
    if percent is None:
        return None
    return NoiseCause(
        "pressure",
        severity_of(percent, warn=2.0, bad=20.0),
        f"{percent:.1f} % of the time something waited for a CPU",
        "there is more work than CPUs, so the timed program waits in the middle of a measurement",
        "stop other programs or containers; list them with: systemd-cgtop --order=cpu",
    )


def steal(root: Path, pause_s: float = 0.2) -> Optional[NoiseCause]:
    """Judge the share of time the host gave to others, in the next moment."""
    before = _cpu_ticks(root)
    if before is None:
        return None
    time.sleep(pause_s)
    after = _cpu_ticks(root)
    if after is None:
        return None
    ticks = [max(0, end - start) for start, end in zip(before, after)]
    share = ticks[7] / max(1, sum(ticks[:8]))
    return NoiseCause(
        "steal",
        severity_of(share, warn=0.005, bad=0.05),
        f"{share:.1%} of CPU time",
        "the host runs other machines and containers in this one's time; from in here nothing else of them can be seen",
        "use a dedicated machine or instance type; or measure at a quieter hour",
    )


def _cpu_ticks(root: Path) -> Optional[List[float]]:
    words = (read_text(root, "proc/stat") or "").partition("\n")[0].split()[1:9]
    ticks = [number_from(word) for word in words]
    known = [tick for tick in ticks if tick is not None]
    return known if len(known) == 8 else None


def hypervisor(root: Path) -> Optional[NoiseCause]:
    """Tell whether this is a virtual machine."""
    info = cpuinfo(root)
    told = read_text(root, "sys/hypervisor/type") or read_text(root, "proc/device-tree/hypervisor/compatible")
    if "flags" not in info and not told:
        return None
    is_virtual = bool(told) or "hypervisor" in info["flags"].split()
    return NoiseCause(
        "virtual machine",
        "warn" if is_virtual else "ok",
        "yes" if is_virtual else "no",
        "neighbours on the same host share its caches, memory and clock, and are invisible from here",
        "expect drift; the anchors will show it. For publishable numbers use a bare machine",
    )


def smt(root: Path) -> Optional[NoiseCause]:
    """Tell whether two threads share a core."""
    active = read_int(root, f"{CPU}/smt/active")
    if active is None:
        return None
    control = read_text(root, f"{CPU}/smt/control")
    fix = f"echo off | sudo tee /{CPU}/smt/control"
    if control not in (None, "on"):  # the kernel will not switch it
        fix = f"leave the second thread of each core alone: taskset -c {_first_threads(root)} gnomon profile"
    return NoiseCause(
        "smt",
        "warn" if active else "ok",
        "on" if active else "off",
        "two threads share one core, and the other one slows the timed one",
        fix,
    )


def _first_threads(root: Path) -> str:
    """Return the list of the CPUs that are the first thread of their core; all known ones if that is not said."""
    online = numbers_from_list(read_text(root, f"{CPU}/online") or "0")
    siblings = {cpu: read_text(root, f"{CPU}/cpu{cpu}/topology/thread_siblings_list") or "" for cpu in online}
    return list_from_numbers([cpu for cpu in online if (numbers_from_list(siblings[cpu]) or [cpu])[0] == cpu])


def isolated(root: Path) -> Optional[NoiseCause]:
    """Tell which CPUs the kernel keeps free of other work; never more than information."""
    kept = numbers_from_list(read_text(root, f"{CPU}/isolated") or "")
    tickless = numbers_from_list(read_text(root, f"{CPU}/nohz_full") or "")
    if not kept and not tickless:
        return None
    return NoiseCause(
        "isolated CPUs",
        "ok",
        f"isolated {list_from_numbers(kept) or 'none'}, without timer tick {list_from_numbers(tickless) or 'none'}",
        "on these nothing runs that was not put there, so they are the best ones to measure on",
        f"taskset -c {list_from_numbers(kept or tickless)} gnomon profile",
    )
