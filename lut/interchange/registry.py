"""Find exchange formats: every module of this folder that defines `SUFFIXES`, `read` and `write` is one."""

from __future__ import annotations

import importlib
import pkgutil
from difflib import get_close_matches
from pathlib import Path
from typing import Protocol, cast

from ..errors import OutputExists, OutputUnwritable, TableUnreadable
from ..profile import HardwareProfile
from .table import Exchange

NOT_FORMATS = {"ofa_keys", "registry", "table"}


class Format(Protocol):
    """A format's module."""

    SUFFIXES: tuple[str, ...]

    def read(self, path: Path) -> Exchange:
        """Return what the file holds; raises TableUnreadable."""
        ...

    def write(self, profile: HardwareProfile, path: Path) -> tuple[str, ...]:
        """Write the profile's table and return the keys of the layers that the format cannot hold."""
        ...


def format_names() -> tuple[str, ...]:
    """Name the formats, sorted."""
    found = {module.name for module in pkgutil.iter_modules([str(Path(__file__).parent)])}
    return tuple(sorted(found - NOT_FORMATS))


def load_format(name: str) -> Format:
    """Return the format `name`; raises TableUnreadable for an unknown one."""
    if name not in format_names():
        close = get_close_matches(name, format_names(), 1)
        hint = f"; did you mean {close[0]!r}?" if close else ""
        raise TableUnreadable(f"unknown table format {name!r}; known: {', '.join(format_names())}{hint}")
    return cast(Format, importlib.import_module(f".{name}", __package__))


def format_of(path: str | Path) -> str:
    """Return the format that a file's suffix stands for; raises TableUnreadable."""
    path = Path(path)
    suffixes = {suffix: name for name in format_names() for suffix in load_format(name).SUFFIXES}
    if path.suffix.lower() not in suffixes:
        raise TableUnreadable(
            f"{path} has none of the suffixes {', '.join(suffixes)}; say what it is: `name={'|'.join(format_names())}`"
        )
    return suffixes[path.suffix.lower()]


def read_table(path: str | Path, *, name: str | None = None) -> Exchange:
    """Read the table at `path`, in the format `name` or that of its suffix; raises TableUnreadable."""
    path = Path(path)
    reader = load_format(name or format_of(path))
    try:
        return reader.read(path)
    except OSError as error:
        raise TableUnreadable(f"cannot read {path}: {error}") from error
    except UnicodeDecodeError as error:
        raise TableUnreadable(f"{path} is not text in UTF-8: {error}") from error


def write_table(
    profile: HardwareProfile, path: str | Path, *, name: str | None = None, force: bool = False
) -> tuple[str, ...]:
    """Write a profile's table at `path`, and return the keys of the layers that the format cannot hold.

    Raises OutputExists, OutputUnwritable, TableUnreadable for an unknown format or a profile without measured layers.
    """
    path = Path(path)
    writer = load_format(name or format_of(path))
    if not profile.table.measurements:
        raise TableUnreadable(f"profile {profile.name} holds no measured layer, so there is no table to export")
    if path.exists() and not force:
        raise OutputExists(f"{path} is there already; choose another `out`, or replace it with `force=True`")
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        return writer.write(profile, path)
    except OSError as error:
        raise OutputUnwritable(f"cannot write {path}: {error}") from error
