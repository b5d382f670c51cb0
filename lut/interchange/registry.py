"""Find exchange formats: every module of this folder that defines `SUFFIXES`, `read`, `write`, `is_ours` is one.

Another package's format is an entry point of group gnomon.lut_formats: such a module.
"""

from __future__ import annotations

from pathlib import Path
from typing import Protocol

from ...outputs import appearing, file_kind
from ...supernets.plugins import Registry, unknown_as
from ..errors import TableUnreadable
from ..profile_file.profile import HardwareProfile
from .table import Exchange


class Format(Protocol):
    """A format's module."""

    SUFFIXES: tuple[str, ...]

    def read(self, path: Path) -> Exchange:
        """Return what the file holds; raises TableUnreadable."""
        ...

    def write(self, profile: HardwareProfile, path: Path) -> tuple[str, ...]:
        """Write the profile's table and return the keys of the layers that the format cannot hold."""
        ...

    def is_ours(self, path: Path) -> bool:
        """Tell whether `write` wrote the file, so that another may replace it; raises OSError."""
        ...


FORMATS: Registry[Format] = Registry(
    "table format",
    "lut/interchange/formats",
    unknown_as(TableUnreadable),
    "gnomon.lut_formats",
    functions=("SUFFIXES", "read", "write", "is_ours"),
)


def format_names() -> tuple[str, ...]:
    """Name the formats, sorted."""
    return FORMATS.names()


def format_of(path: str | Path) -> str:
    """Return the format that a file's suffix stands for; raises TableUnreadable."""
    path = Path(path)
    suffixes = {suffix: name for name, module in FORMATS.loadable() for suffix in module.SUFFIXES}
    if path.suffix.lower() not in suffixes:
        raise TableUnreadable(
            f"{path} has none of the suffixes {', '.join(suffixes)}; say what it is: `name={'|'.join(format_names())}`"
        )
    return suffixes[path.suffix.lower()]


def read_table(path: str | Path, *, name: str | None = None) -> Exchange:
    """Read the table at `path`, in the format `name` or that of its suffix; raises TableUnreadable, PluginBroken."""
    path = Path(path)
    name = name or format_of(path)
    reader = FORMATS.load(name)
    with FORMATS.blaming(name):
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

    Raises OutputUnusable, TableUnreadable for an unknown format or a profile without measured layers,
    PluginBroken.
    """
    path = Path(path)
    name = name or format_of(path)
    writer = FORMATS.load(name)
    if not profile.table.measurements:
        raise TableUnreadable(f"profile {profile.name} holds no measured layer, so there is no table to export")
    with FORMATS.blaming(name):
        ours = file_kind("an exported table", writer.is_ours)
        with appearing(path, ours, force=force) as fresh:
            return writer.write(profile, fresh)
