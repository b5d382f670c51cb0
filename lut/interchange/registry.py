"""Find exchange formats: every module of this folder that defines `SUFFIXES`, `read`, `write`, `is_ours` is one.

Another package's format is an entry point of group gnomon.lut_formats: such a module.
"""

from __future__ import annotations

from pathlib import Path
from typing import Protocol

from ...supernets.plugins import FileFormat, FileFormats, Registry, unknown_as
from ..errors import TableUnreadable
from ..profile_file.profile import HardwareProfile
from .table import Exchange


class Format(FileFormat, Protocol):
    """A format's module."""

    def read(self, path: Path) -> Exchange:
        """Return what the file holds; raises TableUnreadable."""
        ...

    def write(self, profile: HardwareProfile, path: Path) -> tuple[str, ...]:
        """Write the profile's table and return the keys of the layers that the format cannot hold."""
        ...


FORMATS: Registry[Format] = Registry(
    "table format",
    "lut/interchange/formats",
    unknown_as(TableUnreadable),
    "gnomon.lut_formats",
    functions=("SUFFIXES", "read", "write", "is_ours"),
)
TABLES = FileFormats(FORMATS, "an exported table", lambda message, known: TableUnreadable(message))


def format_names() -> tuple[str, ...]:
    """Name the formats, sorted."""
    return FORMATS.names()


def format_of(path: str | Path) -> str:
    """Return the format that a file's suffix stands for; raises TableUnreadable."""
    return TABLES.of(Path(path))


def read_table(path: str | Path, *, name: str | None = None) -> Exchange:
    """Read the table at `path`, in the format `name` or that of its suffix; raises TableUnreadable, PluginBroken."""
    path = Path(path)
    with TABLES.opened(path, name) as reader:
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

    Raises OutputUnusable, TableUnreadable for an unknown format or a profile without measured layers, PluginBroken.
    """
    if not profile.table.measurements:
        raise TableUnreadable(f"profile {profile.name} holds no measured layer, so there is no table to export")
    with TABLES.writing(Path(path), name, force=force) as (writer, fresh):
        return writer.write(profile, fresh)
