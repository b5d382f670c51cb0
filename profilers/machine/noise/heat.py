"""Noise from heat and power: a processor that lowers its clock to protect itself or its battery."""

from __future__ import annotations

import re
import subprocess
from pathlib import Path
from typing import List, Optional, Tuple

from ..sysfs import ROOT, has_program, read_int, read_text
from .cause import CPU, NoiseCause, severity_of

SLOWING = ("passive", "hot", "critical")  # trip points at which the clock is lowered, or worse
MARGIN_C = 10.0  # below the trip point, where it is to be expected under load
PI_FIRMWARE = "sys/devices/platform/soc/soc:firmware/get_throttled"
PI_NOW = (
    "too low a voltage",
    "a capped clock",
    "throttling",
    "the soft temperature limit",
)  # bits 0 to 3; 16 to 19: ever


def throttling(root: Path) -> Optional[NoiseCause]:
    """Judge how often the processor lowered its clock for heat."""
    folders = sorted((root / CPU).glob("cpu[0-9]*/thermal_throttle"))[:4096]
    names = ("core_throttle_count", "package_throttle_count")
    counts = [count for folder in folders for count in (read_int(folder, name) for name in names) if count is not None]
    if not counts:
        return None
    return NoiseCause(
        "throttling",
        "warn" if max(counts) > 0 else "ok",
        f"{max(counts)} events since start",
        "a hot processor lowers its clock, so later measurements are slower than earlier ones",
        "cool the machine, and watch: sensors",
    )


def temperature(root: Path) -> Optional[NoiseCause]:
    """Judge how far the hottest zone is from where the clock is lowered."""
    zones = [
        zone for folder in sorted((root / "sys/class/thermal").glob("thermal_zone*"))[:256] for zone in _zone(folder)
    ]
    if not zones:
        return None
    left_c, celsius, trip, name = min(zones)
    return NoiseCause(
        "temperature",
        severity_of(-left_c, warn=-MARGIN_C, bad=0.0),
        f"{name} {celsius:.0f} °C, slowed down from {trip:.0f} °C",
        "near its limit a processor lowers its clock within seconds of work",
        "let it cool down, clean its fan or give it a bigger one; then measure with pauses or fewer threads",
    )


def _zone(folder: Path) -> List[Tuple[float, float, float, str]]:
    """Return (degrees left, temperature, trip point, name) of a zone that has all of these."""
    temp = read_int(folder, "temp")
    kinds = {index: read_text(folder, f"trip_point_{index}_type") for index in range(12)}
    trips = [read_int(folder, f"trip_point_{index}_temp") for index, kind in kinds.items() if kind in SLOWING]
    limits = [trip for trip in trips if trip is not None and 0 < trip < 200_000]
    if temp is None or not limits or not -50_000 < temp < 200_000:
        return []
    limit = min(limits)
    name = re.sub(r"[^\w.-]", "?", (read_text(folder, "type") or folder.name)[:30])
    return [((limit - temp) / 1e3, temp / 1e3, limit / 1e3, name)]


def raspberry_pi(root: Path) -> Optional[NoiseCause]:
    """Judge what the firmware of a Raspberry Pi did to the clock."""
    text = (read_text(root, PI_FIRMWARE) or _vcgencmd(root) or "").rpartition("=")[2]
    if not re.fullmatch(r"(0x)?[0-9a-fA-F]{1,8}", text):
        return None
    bits = int(text, 16)
    now = [name for bit, name in enumerate(PI_NOW) if bits >> bit & 1]
    ever = [name for bit, name in enumerate(PI_NOW) if bits >> (bit + 16) & 1]
    has_low_voltage = bool((bits | bits >> 16) & 1)
    return NoiseCause(
        "firmware",
        "bad" if now else "warn" if ever else "ok",
        ", ".join([f"now {name}" for name in now] + [f"since start {name}" for name in ever if name not in now])
        or "free",
        "the firmware lowers the clock of the board, whatever the governor says",
        "use the board's own power supply and a short cable, then restart"
        if has_low_voltage
        else "put a heat sink and a fan on the board, then restart",
    )


def _vcgencmd(root: Path) -> Optional[str]:
    if root != ROOT or not has_program(root, "vcgencmd"):
        return None
    try:
        asked = subprocess.run(["vcgencmd", "get_throttled"], capture_output=True, text=True, timeout=2, check=True)  # noqa: S607
    except (OSError, ValueError, subprocess.SubprocessError):
        return None
    return asked.stdout.strip()


def battery(root: Path) -> Optional[NoiseCause]:
    """Tell whether the machine runs on its battery."""
    supplies = sorted((root / "sys/class/power_supply").glob("*"))[:64]
    own = [
        supply
        for supply in supplies
        if read_text(supply, "scope") != "Device"  # a mouse has one too
        and (read_text(supply, "type") == "Battery" or supply.name.startswith("BAT"))
    ]
    if not own:
        return None
    states = [(read_text(supply, "status") or "unknown")[:20] for supply in own]
    return NoiseCause(
        "battery",
        "bad" if "Discharging" in states else "ok",
        ", ".join(states),
        "on battery the processor saves power and changes its clock",
        "plug the machine in",
    )
