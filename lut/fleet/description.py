"""What a fleet is: its boards, and the profiles that each kind of board gets, read from a TOML file.

    store = "profiles"                     # folder for the profiles, beside this file; this is the default

    [[boards]]
    name = "pi-1"
    device = "ssh://pi@pi-1.local"         # as of gnomon profile --device
    kind = "pi-5"                          # boards of one kind share the work; without it, a board is its own kind

    [[profiles]]
    space = "fashion_mnist"
    backend = "onnxruntime"                # and precision, batch, threads, networks, layers, time_cap_s

Names become folders and files, so nothing passes that could be another path. This file runs nothing.
"""

from __future__ import annotations

import re
import tomllib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from ...profilers.errors import AddressInvalid, DeviceUnreachable
from ...profilers.files import read_text_file
from ...profilers.transports.transport import open_device
from ...settings import PROFILE
from ...supernets.plugins import closest_hint
from ..errors import FleetInvalid

NAME = re.compile(r"[A-Za-z0-9_][A-Za-z0-9_.-]{0,63}")
LARGEST_BYTES = 1_000_000
MOST = 10_000  # boards, and profiles of each kind
DEFAULTS: Mapping[str, Any] = {"backend": "onnxruntime", "layers": True} | {k: s.default for k, s in PROFILE.items()}
KEYS = {"board": ("name", "device", "kind"), "profile": ("space", *DEFAULTS)}


@dataclass(frozen=True, slots=True)
class Board:
    """A device: its name, its address, and what kind it is of."""

    name: str
    device: str
    kind: str


@dataclass(frozen=True, slots=True)
class Plan:
    """A profile to be measured of each kind of board; `settings` are by name, as in `gnomon.settings.PROFILE`."""

    space: str
    backend: str
    layers: bool
    settings: Mapping[str, Any] = field(hash=False)

    @property
    def file_name(self) -> str:
        """The profile's name in the folder of the board that measured it."""
        parts = (self.space, self.backend.replace(":", "-"), self.settings["precision"])
        return f"{'.'.join(parts)}.b{self.settings['batch']}.t{self.settings['threads']}.jsonl"


@dataclass(frozen=True, slots=True)
class Fleet:
    """Boards, what to measure of each kind, and the folder that holds a folder of profiles a board."""

    path: Path
    store: Path
    boards: tuple[Board, ...]
    plans: tuple[Plan, ...]

    def profile_path(self, board: Board, plan: Plan) -> Path:
        """Return where the profile that a board measures of a plan is."""
        return self.store / board.name / plan.file_name


def read_fleet(path: str | Path) -> Fleet:
    """Read a fleet's file; raises FleetInvalid with the entry that is wrong."""
    path = Path(path)
    try:
        content = tomllib.loads(read_text_file(path, largest_bytes=LARGEST_BYTES))
    except (OSError, ValueError, RecursionError) as error:
        raise FleetInvalid(f"cannot read a fleet from {path}: {error}") from error
    require_known(f"{path}", content, ("store", "boards", "profiles"))
    store = content.get("store", "profiles")
    if not isinstance(store, str) or not store or "\0" in store:
        raise FleetInvalid(f"{path}: store is {store!r}; expected the name of a folder")
    boards = tuple(board_from(entry, where) for where, entry in tables(path, content, "boards"))
    plans = tuple(plan_from(entry, where) for where, entry in tables(path, content, "profiles"))
    require_distinct(path, "name", [board.name.lower() for board in boards])  # folders, of any file system
    require_distinct(path, "device", [board.device for board in boards])
    require_distinct(path, "profile", [plan.file_name.lower() for plan in plans])
    return Fleet(path, path.parent / store, boards, plans)


def tables(path: Path, content: Mapping[str, Any], key: str) -> list[tuple[str, Mapping[str, Any]]]:
    """Return the entries of an array of tables, each with where it is, to begin a sentence."""
    entries = content.get(key, [])
    if not isinstance(entries, list) or not 1 <= len(entries) <= MOST:
        raise FleetInvalid(f"{path}: {key} has to be 1 to {MOST} tables; begin each with [[{key}]]")
    for number, entry in enumerate(entries):
        if not isinstance(entry, dict):
            raise FleetInvalid(f"{path}: {key}[{number}] is {entry!r}; expected a table, begun with [[{key}]]")
    return [(f"{path}: {key}[{number}]", entry) for number, entry in enumerate(entries)]


def board_from(entry: Mapping[str, Any], where: str) -> Board:
    """Read a board; raises FleetInvalid."""
    require_known(where, entry, KEYS["board"])
    name = name_in(entry, "name", where)
    device = entry.get("device")
    if not isinstance(device, str):
        raise FleetInvalid(f"{where}: device is {device!r}; expected local, or an address as ssh://user@host")
    try:
        with open_device(device):  # a line is made when it is first needed
            pass
    except AddressInvalid as error:
        raise FleetInvalid(f"{where}: {error}") from error
    except DeviceUnreachable:  # from this system: said when the board is measured
        pass
    return Board(name, device, name_in({"kind": name} | dict(entry), "kind", where))


def plan_from(entry: Mapping[str, Any], where: str) -> Plan:
    """Read what to measure; raises FleetInvalid."""
    require_known(where, entry, KEYS["profile"])
    found = {**DEFAULTS, **entry}
    space, backend = name_in(found, "space", where), name_in(found, "backend", where, also=":")
    if not isinstance(found["layers"], bool):
        raise FleetInvalid(f"{where}: layers is {found['layers']!r}; expected true or false")
    settings = {}
    for name, setting in PROFILE.items():
        value = found[name]
        if name == "precision":
            settings[name] = name_in(found, name, where)
            continue
        whole = isinstance(value, int) and not isinstance(value, bool)
        if not (whole or (setting.kind is float and isinstance(value, float))):
            raise FleetInvalid(f"{where}: {name} is {value!r}; expected a number")
        if fault := setting.fault(value):
            raise FleetInvalid(f"{where}: {name} is {value}; {fault}")
        settings[name] = value
    return Plan(space, backend, found["layers"], settings)


def name_in(entry: Mapping[str, Any], key: str, where: str, *, also: str = "") -> str:
    """Return a name that can be a part of a file's; raises FleetInvalid for anything else, and for none."""
    value = entry.get(key)
    if not isinstance(value, str) or not NAME.fullmatch(value.replace(also, "") if also else value):
        raise FleetInvalid(
            f"{where}: {key} is {value!r}; expected up to 64 letters, digits, '_', '.' and '-'"
            f"{f' and {also!r}' if also else ''}, of which the first is no '.' or '-'"
        )
    return value


def require_known(where: str, entry: Mapping[str, Any], known: Sequence[str]) -> None:
    """Raise FleetInvalid for a key that has no meaning."""
    for key in entry:
        if key not in known:
            raise FleetInvalid(f"{where} has {key!r}; known are {', '.join(known)}{closest_hint(key, list(known))}")


def require_distinct(path: Path, what: str, values: Sequence[str]) -> None:
    """Raise FleetInvalid where two entries are the same."""
    seen: dict[str, int] = {}
    for number, value in enumerate(values):
        if value in seen:
            raise FleetInvalid(f"{path}: entries {seen[value]} and {number} have the same {what}, {value!r}")
        seen[value] = number
