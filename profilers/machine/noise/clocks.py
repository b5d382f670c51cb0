"""Noise from the clock: what lets it rise and fall, and cores whose clocks differ."""

from __future__ import annotations

import shlex
import time
from pathlib import Path
from typing import Dict, List, Optional

from ...timing.probe import COARSEST_S
from ..sysfs import has_program, list_from_numbers, numbers_from_list, read_int, read_text
from .cause import CPU, NoiseCause

CLOCK_SOURCE = "sys/devices/system/clocksource/clocksource0/current_clocksource"
AVAILABLE_SOURCES = "sys/devices/system/clocksource/clocksource0/available_clocksource"
PLATFORM_PROFILE = "sys/firmware/acpi/platform_profile"
SPREAD = 1.10  # clocks further apart than this differ by more than the noise of reading them


def governor(root: Path) -> Optional[NoiseCause]:
    """Judge who sets the clock."""
    found = sorted(set(_of_all_cpus(root, "scaling_governor").values()))
    if not found:
        return None
    offered = (read_text(root, f"{CPU}/cpu0/cpufreq/scaling_available_governors") or "performance").split()
    driver = read_text(root, f"{CPU}/cpu0/cpufreq/scaling_driver")
    fix = f"echo performance | sudo tee /{CPU}/cpu*/cpufreq/scaling_governor"
    if "performance" not in offered:
        fix = f"sudo modprobe cpufreq_performance (this kernel offers only {' '.join(offered)[:60]}), then: {fix}"
    elif has_program(root, "cpupower"):
        fix = "sudo cpupower frequency-set -g performance"
    return NoiseCause(
        "governor",
        "ok" if found == ["performance"] else "warn",
        ", ".join(found)[:60] + (f" ({driver[:30]})" if driver else ""),
        "the clock rises and falls with the load, so short measurements see another speed than long ones",
        fix,
    )


def energy_preference(root: Path) -> Optional[NoiseCause]:
    """Judge the hint by which the processor itself weighs speed against power."""
    found = sorted(set(_of_all_cpus(root, "energy_performance_preference").values()))
    if not found:
        return None
    return NoiseCause(
        "energy preference",
        "ok" if found == ["performance"] else "warn",
        ", ".join(found)[:60],
        "the processor (intel_pstate, amd_pstate) chooses a lower clock for short work to save power",
        f"echo performance | sudo tee /{CPU}/cpu*/cpufreq/energy_performance_preference",
    )


def power_profile(root: Path) -> Optional[NoiseCause]:
    """Judge the power profile of the machine's firmware."""
    found = read_text(root, PLATFORM_PROFILE)
    if not found:
        return None
    choices = (read_text(root, f"{PLATFORM_PROFILE}_choices") or "performance").split()
    fix = f"echo performance | sudo tee /{PLATFORM_PROFILE}"
    if "performance" not in choices:
        fastest = choices[-1][:30]  # the kernel lists them from slow to fast
        fix = f"echo {shlex.quote(fastest)} | sudo tee /{PLATFORM_PROFILE}"
    elif has_program(root, "powerprofilesctl"):
        fix = "powerprofilesctl set performance"
    return NoiseCause(
        "power profile",
        "ok" if found in ("performance", choices[-1]) else "warn",
        found[:30],
        "the firmware limits power and fans, so the clock falls once the work lasts",
        fix,
    )


def turbo(root: Path) -> Optional[NoiseCause]:
    """Tell whether the clock may exceed the base clock."""
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


def clock_spread(root: Path) -> Optional[NoiseCause]:
    """Judge how far apart the clocks of like cores are at this moment."""
    now, highest = _khz(root, "scaling_cur_freq"), _khz(root, "cpuinfo_max_freq")
    ratios = {cpu: now[cpu] / highest[cpu] for cpu in now if cpu in highest}
    if len(ratios) < 2:
        return None
    slow, fast = min(now.values()), max(now.values())
    return NoiseCause(
        "clocks",
        "warn" if max(ratios.values()) > SPREAD * min(ratios.values()) else "ok",
        f"{slow / 1e6:.2f} to {fast / 1e6:.2f} GHz now, at most {max(highest.values()) / 1e6:.2f} GHz",
        "a program that moves to another core goes on at another speed",
        f"hold it on one core: taskset -c {max(now)} gnomon profile; or fix the clock, see governor",
    )


def hybrid_cores(root: Path) -> Optional[NoiseCause]:
    """Tell whether the machine has fast and slow cores."""
    highest = _khz(root, "cpuinfo_max_freq")
    if len(highest) < 2:
        return None
    fastest = [cpu for cpu, khz in sorted(highest.items()) if khz * SPREAD >= max(highest.values())]
    is_hybrid = len(fastest) < len(highest)
    return NoiseCause(
        "hybrid cores",
        "warn" if is_hybrid else "ok",
        f"{len(fastest)} of {len(highest)} CPUs are fast ones" if is_hybrid else "all alike",
        "whether the timed program runs on a fast or a slow core changes its time more than anything else",
        f"taskset -c {list_from_numbers(fastest)} gnomon profile",
    )


def clock_resolution(root: Path) -> Optional[NoiseCause]:
    """Judge how finely this machine's clock counts; asked of the clock itself."""
    resolution_s = time.get_clock_info("perf_counter").resolution
    source = read_text(root, CLOCK_SOURCE)
    if source is None and resolution_s <= COARSEST_S:
        return None
    return NoiseCause(
        "clock resolution",
        "ok" if resolution_s <= COARSEST_S else "warn",
        f"steps of {1e6 * resolution_s:.3g} us" + (f" ({source[:30]})" if source else ""),
        "the core cannot be probed between two blocks, so a busy machine is not noticed, and blocks must last longer",
        f"choose a finer clock source, as root: cat /{AVAILABLE_SOURCES}, then write its name to /{CLOCK_SOURCE}",
    )


def _of_all_cpus(root: Path, name: str) -> Dict[int, str]:
    cpus: List[int] = numbers_from_list(read_text(root, f"{CPU}/online") or "0")
    texts = {cpu: read_text(root, f"{CPU}/cpu{cpu}/cpufreq/{name}") for cpu in cpus}
    return {cpu: text for cpu, text in texts.items() if text}


def _khz(root: Path, name: str) -> Dict[int, int]:
    cpus: List[int] = numbers_from_list(read_text(root, f"{CPU}/online") or "0")
    values = {cpu: read_int(root, f"{CPU}/cpu{cpu}/cpufreq/{name}") for cpu in cpus}
    return {cpu: value for cpu, value in values.items() if value is not None and value > 0}
