"""Noise from memory: pages that are moved, or fetched back from a disk, in the middle of a measurement."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Optional

from ..sysfs import fields_from, gib_text, number_from, read_text
from .cause import NoiseCause

HUGE_PAGES = "sys/kernel/mm/transparent_hugepage/enabled"


def huge_pages(root: Path) -> Optional[NoiseCause]:
    """Judge when the kernel merges small pages into huge ones."""
    match = re.search(r"\[(\w{1,20})\]", read_text(root, HUGE_PAGES) or "")
    if match is None:
        return None
    return NoiseCause(
        "huge pages",
        "warn" if match.group(1) == "always" else "ok",
        match.group(1),
        "the kernel merges pages while the timed program runs, and two runs get other pages and so other times",
        f"echo madvise | sudo tee /{HUGE_PAGES}",
    )


def swap(root: Path) -> Optional[NoiseCause]:
    """Judge how much memory was moved out to a disk, and how much is left."""
    told = {name: number_from(value) for name, value in fields_from(read_text(root, "proc/meminfo")).items()}
    total, swap_total, swap_free = (told.get(name) for name in ("MemTotal", "SwapTotal", "SwapFree"))
    if not total or swap_total is None or swap_free is None:
        return None
    used = max(0.0, swap_total - swap_free)
    available = told.get("MemAvailable")
    is_short = available is not None and available < 0.05 * total
    fits = available is not None and used < 0.8 * available
    return NoiseCause(
        "swap",
        "bad" if is_short and used else "warn" if is_short or used > 0.01 * total else "ok",
        f"{gib_text(used)} in use" + ("" if available is None else f", {gib_text(available)} of memory available"),
        "memory that lies on a disk is fetched back in the middle of a measurement, at a thousandth of the speed",
        "sudo swapoff -a && sudo swapon -a" if fits else "close programs that hold memory; list them with: top -o %MEM",
    )
