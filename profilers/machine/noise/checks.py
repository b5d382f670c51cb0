"""All causes of noise this system tells about, and what to do about them before measuring.

Each check looks at one cause and answers None where the system does not say. Nothing here changes the machine.
"""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import Callable, Optional, Sequence, Tuple

from ..sysfs import ROOT
from .cause import NoiseCause
from .clocks import clock_resolution, clock_spread, energy_preference, governor, hybrid_cores, power_profile, turbo
from .core import CoreNoise
from .gpu import gpu_clock, gpu_slowdown
from .heat import battery, raspberry_pi, temperature, throttling
from .limits import affinity, quota, throttled_by_quota
from .memory import huge_pages, swap
from .neighbours import hypervisor, isolated, load, pressure, smt, steal

CHECKS: Tuple[Callable[[Path], Optional[NoiseCause]], ...] = (
    *(load, pressure, steal, hypervisor, smt, isolated),
    *(quota, throttled_by_quota, affinity),
    *(governor, energy_preference, power_profile, turbo, clock_spread, hybrid_cores, clock_resolution),
    *(throttling, temperature, raspberry_pi, battery),
    *(huge_pages, swap),
    *(gpu_clock, gpu_slowdown),
)


def noise_causes(root: str | Path = ROOT) -> Tuple[NoiseCause, ...]:
    """Return every cause this system tells about, harmless ones included; ``root`` holds /proc and /sys.

    Takes about a fifth of a second, to see how much time the hypervisor takes away.
    """
    root = Path(root)
    found = (check(root) for check in CHECKS)
    return tuple(replace(cause, value=_printable(cause.value)) for cause in found if cause is not None)


def _printable(text: str) -> str:
    """Return the text without what would steer a terminal; it comes from files."""
    return "".join(letter if letter.isprintable() else "?" for letter in text)


def advice(causes: Sequence[NoiseCause], noise: CoreNoise) -> Tuple[str, ...]:
    """Return what to do before measuring, the most urgent first; nothing if the machine is fit as it is."""
    found = [f"{cause.name}: {cause.fix}" for rank in ("bad", "warn") for cause in causes if cause.severity == rank]
    if noise.verdict != "ok" and noise.spells_s:
        found.append(
            f"other work takes the core {noise.shared:.0%} of the time: stop it if you can. Else measure all the same: "
            f"only what was undisturbed counts, so it takes longer and says the same, up to gnomon profile --time-cap-s"
        )
    return tuple(found)
