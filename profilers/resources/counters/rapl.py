"""RAPL: the energy that x86 processors count themselves, read from the kernel's powercap interface.

A package is a processor with its caches, memory controller and graphics; memory and board are not in it. The packages
add up. Their parts (core, uncore, dram) and the platform (psys), which holds the packages, are recorded beside them.
The counter moves once a millisecond and wraps after some 65 to 262 kJ, minutes at full load, which a reading later
than that could not tell; measurements are far shorter.
"""

from __future__ import annotations

import re
from pathlib import Path
from typing import Dict, List, Mapping, NamedTuple, Tuple

from ...errors import CounterUnavailable
from ...machine.sysfs import ROOT, read_int, read_text
from ...runtimes.closing import Closing

DEVICES = ("cpu",)
INTERVAL_S = 0.001
FOLDER = "sys/class/powercap"
ZONE = re.compile(r"intel-rapl(:[0-9]{1,3}){1,2}")  # AMD's too; intel-rapl-mmio counts the same packages once more
PACKAGE = "package-"  # begins the names of the domains that add up
FREE_IT = f"sudo chmod a+r /{FOLDER}/intel-rapl:*/energy_uj"


class _Zone(NamedTuple):
    domain: str
    file: str
    range_uj: int  # where the counter wraps; 0 where the kernel does not say


def open_counter(root: Path = ROOT) -> Rapl:
    """Find the packages and their parts; raises `CounterUnavailable` where there are none, or none may be read."""
    zones = _zones(root)
    packages = [zone for zone in zones if zone.domain.startswith(PACKAGE) and "/" not in zone.domain]
    if not packages:
        raise CounterUnavailable(
            f"/{FOLDER} has no package of intel-rapl. Virtual machines and most containers hide it: measure on the "
            "machine itself. There, load the driver (sudo modprobe intel_rapl_msr); Arm processors have none"
        )
    for zone in packages:
        _require_readable(root, zone)
    return Rapl(root, tuple(zone for zone in zones if read_int(root, zone.file) is not None))


class Rapl(Closing):
    """The RAPL domains that can be read."""

    name = "rapl"
    interval_s = INTERVAL_S

    def __init__(self, root: Path, zones: Tuple[_Zone, ...]) -> None:
        self._root, self._zones = root, zones
        self.total = tuple(z.domain for z in zones if z.domain.startswith(PACKAGE) and "/" not in z.domain)

    def read(self) -> Dict[str, int]:
        """Return each domain's count in microjoules; raises `CounterUnavailable` for one that is gone."""
        found = {}
        for zone in self._zones:
            value = read_int(self._root, zone.file)
            if value is None:
                raise CounterUnavailable(f"/{zone.file} could be read before and cannot be now; run the same again")
            found[zone.domain] = value
        return found

    def spent_mj(self, before: Mapping[str, int], after: Mapping[str, int]) -> Dict[str, float]:
        """Return the millijoules between two readings by domain, with at most one wrap between them."""
        return {zone.domain: _spent_uj(zone, before, after) / 1e3 for zone in self._zones}

    def close(self) -> None:
        """Do nothing: nothing is kept open."""


def _spent_uj(zone: _Zone, before: Mapping[str, int], after: Mapping[str, int]) -> int:
    spent_uj = after[zone.domain] - before[zone.domain]
    if spent_uj >= 0:
        return spent_uj
    if spent_uj + zone.range_uj < 0:
        raise CounterUnavailable(
            f"/{zone.file} fell from {before[zone.domain]} to {after[zone.domain]} uJ, and max_energy_range_uj is "
            f"{zone.range_uj}: that is no wrap, so the energy between is not known; measure again"
        )
    return spent_uj + zone.range_uj


def _zones(root: Path) -> List[_Zone]:
    """Return all domains, packages before their parts."""
    try:
        folders = sorted(path.name for path in (root / FOLDER).iterdir() if ZONE.fullmatch(path.name))
    except OSError:
        return []
    names = {folder: read_text(root, f"{FOLDER}/{folder}/name") or "" for folder in folders}
    zones = []
    for folder, name in names.items():
        above = names.get(folder.rpartition(":")[0])
        path = f"{FOLDER}/{folder}"
        range_uj = read_int(root, f"{path}/max_energy_range_uj") or 0
        if name:
            zones.append(_Zone(f"{above}/{name}" if above else name, f"{path}/energy_uj", range_uj))
    return zones


def _require_readable(root: Path, zone: _Zone) -> None:
    """Raise `CounterUnavailable` unless the domain's count can be read."""
    try:
        (root / zone.file).open("rb").close()
    except PermissionError as exc:
        raise CounterUnavailable(
            f"/{zone.file} may be read by root only, as Linux has had it since 2020 because it betrays what other "
            f"programs compute. Allow it until the next start ({FREE_IT}), or measure as root"
        ) from exc
    except OSError as exc:
        raise CounterUnavailable(f"/{zone.file} cannot be read: {exc.strerror or exc}") from exc
    if read_int(root, zone.file) is None:
        raise CounterUnavailable(f"/{zone.file} holds no number of microjoules")
