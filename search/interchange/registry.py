"""Find the formats of runs: every module of this folder that defines `SUFFIXES`, `write` and `is_ours` is one.

Another package's format is an entry point of group gnomon.run_formats: such a module.
"""

from __future__ import annotations

from pathlib import Path
from typing import Protocol

from ...supernets.plugins import FileFormat, FileFormats, Registry
from ..errors import UnknownName
from ..runs.run import Run


class Format(FileFormat, Protocol):
    """A format's module."""

    def write(self, run: Run, path: Path) -> int:
        """Write the run's evaluations whole or not at all, and return how many the format cannot hold."""
        ...


FORMATS: Registry[Format] = Registry(
    "run format",
    "search/interchange/formats",
    UnknownName.of,
    "gnomon.run_formats",
    functions=("SUFFIXES", "write", "is_ours"),
)
RUNS = FileFormats(FORMATS, "an exported run", lambda message, known: UnknownName(message, known=known))


def format_names() -> tuple[str, ...]:
    """Name the formats, sorted."""
    return FORMATS.names()


def format_of(path: str | Path) -> str:
    """Return the format that a file's suffix stands for; raises UnknownName."""
    return RUNS.of(Path(path))


def write_run(run: Run, path: str | Path, *, name: str | None = None, force: bool = False) -> int:
    """Write a run's evaluations at `path`, in the format `name` or that of its suffix.

    Returns how many evaluations the format cannot hold. Raises UnknownName, OutputUnusable when the file is there
    (unless `force`) or cannot be written, NothingMeasured for an empty run, RunMismatch for a space that changed,
    ModuleNotFoundError without the package that a format of ours needs, and PluginBroken.
    """
    with RUNS.writing(Path(path), name, force=force) as (writer, fresh):
        return writer.write(run, fresh)
