"""Find the formats of runs: every module of this folder that defines `SUFFIXES` and `write` is one."""

from __future__ import annotations

import importlib
import pkgutil
from pathlib import Path
from typing import Protocol, cast

from ..errors import OutputUnusable, UnknownName
from ..run import Run

NOT_FORMATS = {"registry"}


class Format(Protocol):
    """A format's module."""

    SUFFIXES: tuple[str, ...]

    def write(self, run: Run, path: Path) -> int:
        """Write the run's evaluations whole or not at all, and return how many the format cannot hold."""
        ...


def format_names() -> tuple[str, ...]:
    """Name the formats, sorted."""
    found = {module.name for module in pkgutil.iter_modules([str(Path(__file__).parent)])}
    return tuple(sorted(found - NOT_FORMATS))


def load_format(name: str) -> Format:
    """Return the format `name`; raises UnknownName."""
    if name not in format_names():
        raise UnknownName.of("run format", name, format_names())
    return cast(Format, importlib.import_module(f".{name}", __package__))


def format_of(path: Path) -> str:
    """Return the format that a file's suffix stands for; raises UnknownName."""
    suffixes = {suffix: name for name in format_names() for suffix in load_format(name).SUFFIXES}
    if path.suffix.lower() not in suffixes:
        raise UnknownName(
            f"{path} has none of the suffixes {', '.join(suffixes)}; "
            f"say what it is: --format {'|'.join(format_names())}",
            known=format_names(),
        )
    return suffixes[path.suffix.lower()]


def write_run(run: Run, path: Path, *, name: str | None = None, force: bool = False) -> int:
    """Write a run's evaluations at `path`, in the format `name` or that of its suffix.

    Returns how many evaluations the format cannot hold. Raises UnknownName, OutputUnusable when the file is there
    (unless `force`) or cannot be written, NothingMeasured for an empty run, RunMismatch for a space that changed, and
    ModuleNotFoundError without the package that a format needs.
    """
    writer = load_format(name or format_of(path))
    if path.exists() and not force:
        raise OutputUnusable(f"{path} is there already; choose another --out, or replace it with --force")
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        return writer.write(run, path)
    except OSError as error:
        raise OutputUnusable(f"cannot write {path}: {error}; choose another --out") from error
