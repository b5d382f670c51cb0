"""Find the formats of runs: every module of this folder that defines `SUFFIXES`, `write` and `is_ours` is one.

Another package's format is an entry point of group gnomon.run_formats: such a module.
"""

from __future__ import annotations

from pathlib import Path
from typing import Protocol

from ...outputs import appearing, file_kind
from ...supernets.plugins import Registry
from ..errors import UnknownName
from ..runs.run import Run


class Format(Protocol):
    """A format's module."""

    SUFFIXES: tuple[str, ...]

    def write(self, run: Run, path: Path) -> int:
        """Write the run's evaluations whole or not at all, and return how many the format cannot hold."""
        ...

    def is_ours(self, path: Path) -> bool:
        """Tell whether `write` wrote the file, so that another may replace it; raises OSError."""
        ...


FORMATS: Registry[Format] = Registry(
    "run format",
    "search/interchange/formats",
    UnknownName.of,
    "gnomon.run_formats",
    functions=("SUFFIXES", "write", "is_ours"),
)


def format_names() -> tuple[str, ...]:
    """Name the formats, sorted."""
    return FORMATS.names()


def format_of(path: str | Path) -> str:
    """Return the format that a file's suffix stands for; raises UnknownName."""
    path = Path(path)
    suffixes = {suffix: name for name, module in FORMATS.loadable() for suffix in module.SUFFIXES}
    if path.suffix.lower() not in suffixes:
        raise UnknownName(
            f"{path} has none of the suffixes {', '.join(suffixes)}; say what it is: `name={'|'.join(format_names())}`",
            known=format_names(),
        )
    return suffixes[path.suffix.lower()]


def write_run(run: Run, path: str | Path, *, name: str | None = None, force: bool = False) -> int:
    """Write a run's evaluations at `path`, in the format `name` or that of its suffix.

    Returns how many evaluations the format cannot hold. Raises UnknownName, OutputUnusable when the file is there
    (unless `force`) or cannot be written, NothingMeasured for an empty run, RunMismatch for a space that changed,
    ModuleNotFoundError without the package that a format of ours needs, and PluginBroken.
    """
    path = Path(path)
    name = name or format_of(path)
    writer = FORMATS.load(name)
    with FORMATS.blaming(name):
        ours = file_kind("an exported run", writer.is_ours)
        with appearing(path, ours, force=force) as fresh:
            return writer.write(run, fresh)
