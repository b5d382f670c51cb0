"""A registry is a folder, plus the entry points of a group: the one place that knows how something is found by name.

A module of the folder is called by its file name; another package adds to the group of the registry in its
pyproject.toml. Nothing is imported before it is asked for, ours come before another package's of the same name, and a
package that is broken is an error only where it is asked for by name.
"""

from __future__ import annotations

import importlib
import pkgutil
import sys
import traceback
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from difflib import get_close_matches
from functools import cache, lru_cache
from importlib.metadata import EntryPoint, entry_points
from pathlib import Path
from typing import Generic, Protocol, TypeVar, cast

from ..inputs import exists
from ..outputs import appearing, file_kind
from .errors import PluginBroken

EntryT = TypeVar("EntryT")
HOUSE = __name__.partition(".")[0]  # gnomon, of which every folder is a sub-package


@dataclass(frozen=True, slots=True)
class Registry(Generic[EntryT]):
    """The modules of `folder` (as supernets/spaces), and the entry points of `group`.

    What is loaded is the `attribute` of a module, or the module itself where that is empty, and an entry point names
    such a thing. A module offers `functions` at least. `unknown` makes the error for (kind, name, known names); `kind`
    is what messages call it.
    """

    kind: str
    folder: str
    unknown: Callable[[str, str, Sequence[str]], Exception]
    group: str = ""
    attribute: str = ""
    functions: tuple[str, ...] = ()

    def own(self) -> frozenset[str]:
        """Name the modules of the folder."""
        return modules_of(Path(__file__).parents[1] / self.folder)

    def points(self) -> dict[str, EntryPoint]:
        """Return other packages' entry points by name; the first of a name counts, as with modules on a path."""
        if not self.group:
            return {}
        own, points = self.own(), installed_points(places()).get(self.group, ())
        return {point.name: point for point in reversed(points) if point.name not in own}

    def names(self) -> tuple[str, ...]:
        """Name what is registered, sorted, whether or not it can be loaded."""
        return tuple(sorted({*self.own(), *self.points()}))

    def check(self, name: str) -> None:
        """Raise what `unknown` makes unless `name` is registered."""
        known = self.names()
        if name not in known:
            raise self.unknown(self.kind, name, known)

    def load(self, name: str) -> EntryT:
        """Import what is called `name`; raises what `unknown` makes, and PluginBroken for another package's fault."""
        if name in self.own():
            module = importlib.import_module(f"{HOUSE}.{self.folder.replace('/', '.')}.{name}")
            return cast(EntryT, getattr(module, self.attribute) if self.attribute else module)
        self.check(name)
        with self.blaming(name):
            found = self.points()[name].load()
            missing = [function for function in self.functions if not hasattr(found, function)]
            if missing:
                raise AttributeError(f"it has no {' and no '.join(missing)}")
        return cast(EntryT, found)

    def loadable(self) -> Iterator[tuple[str, EntryT]]:
        """Yield names and what they stand for, sorted; what other packages broke is passed over."""
        for name in self.names():
            try:
                yield name, self.load(name)
            except PluginBroken:
                continue

    @contextmanager
    def blaming(self, name: str) -> Iterator[None]:
        """Turn what another package's code raises inside, Gnomon's own errors apart, into PluginBroken."""
        try:
            yield
        except (Exception, SystemExit) as error:  # whatever a stranger's module does when it is imported
            point = self.points().get(name)
            if point is None or any(kind.__module__.partition(".")[0] == HOUSE for kind in type(error).__mro__):
                raise
            raise PluginBroken(
                f"the {self.kind} {name!r} of {package_of(point)} (entry point {point.value!r} of group {self.group}) "
                f"is broken: {reason_of(error)}; update or uninstall that package, or choose another {self.kind}",
                group=self.group,
            ) from error


@cache
def modules_of(folder: Path) -> frozenset[str]:
    """Name the modules of a folder of Gnomon's own."""
    return frozenset(module.name for module in pkgutil.iter_modules([str(folder)]))


def places() -> tuple[tuple[str, int], ...]:
    """Return where packages are found, and when something was last installed there or removed."""
    return tuple((place, Path(place).stat().st_mtime_ns if exists(place) else 0) for place in sys.path)


@lru_cache(maxsize=1)
def installed_points(places: tuple[tuple[str, int], ...]) -> Mapping[str, tuple[EntryPoint, ...]]:
    """Return all packages' entry points for Gnomon, by group.

    They are read again only after a change of where packages are: that takes a file for each of them.
    """
    found = entry_points()
    return {group: tuple(found.select(group=group)) for group in found.groups if group.startswith(f"{HOUSE}.")}


class FileFormat(Protocol):
    """A module of a registry of file formats."""

    SUFFIXES: tuple[str, ...]

    def is_ours(self, path: Path) -> bool:
        """Tell whether the format's `write` wrote the file, so that another may replace it; raises OSError."""
        ...


FormatT = TypeVar("FormatT", bound=FileFormat)


@dataclass(frozen=True, slots=True)
class FileFormats(Generic[FormatT]):
    """A registry of file formats: a file is of the one that is named, or of the one that its suffix stands for.

    `noun` is what such a file is, with its article; `refuse` makes the error for (message, known names).
    """

    registry: Registry[FormatT]
    noun: str
    refuse: Callable[[str, Sequence[str]], Exception]

    def of(self, path: Path) -> str:
        """Return the format that a file's suffix stands for; raises what `refuse` makes."""
        suffixes = {suffix: name for name, module in self.registry.loadable() for suffix in module.SUFFIXES}
        if path.suffix.lower() not in suffixes:
            names = self.registry.names()
            choice = f"say what it is: `name={'|'.join(names)}`"
            raise self.refuse(f"{path} has none of the suffixes {', '.join(suffixes)}; {choice}", names)
        return suffixes[path.suffix.lower()]

    @contextmanager
    def opened(self, path: Path, name: str | None) -> Iterator[FormatT]:
        """Yield the format `name`, or that of the suffix; raises PluginBroken for what it raises in the block."""
        name = name or self.of(path)
        format = self.registry.load(name)
        with self.registry.blaming(name):
            yield format

    @contextmanager
    def writing(self, path: Path, name: str | None, *, force: bool) -> Iterator[tuple[FormatT, Path]]:
        """Yield the format, and the path to write at; raises OutputUnusable besides what `opened` raises."""
        with self.opened(path, name) as format:
            kind = file_kind(self.noun, format.is_ours)
            with appearing(path, kind, force=force) as fresh:
                yield format, fresh


def package_of(point: EntryPoint) -> str:
    """Say which distribution an entry point belongs to, with its version."""
    return f"package {point.dist.name} {point.dist.version}" if point.dist else "a package without a name"


def reason_of(error: BaseException) -> str:
    """Say in one line what was raised, and in which line of which file where that is not Python's own."""
    said = " ".join(f"{type(error).__name__}: {error}".split())
    frames = [frame for frame in traceback.extract_tb(error.__traceback__) if "importlib" not in frame.filename]
    frames = [frame for frame in frames if Path(frame.filename) != Path(__file__)]
    return f"{said} ({Path(frames[-1].filename).name}, line {frames[-1].lineno})" if frames else said


def closest_hint(name: str, known: Sequence[str]) -> str:
    """Return "; did you mean ...?" for the known name nearest to `name`, or nothing."""
    close = get_close_matches(name, known, 1, cutoff=0.4)
    return f"; did you mean {close[0]!r}?" if close else ""


def unknown_as(error: Callable[[str], Exception]) -> Callable[[str, str, Sequence[str]], Exception]:
    """Return what makes such an error of (kind, name, known names)."""
    return lambda kind, name, known: error(unknown_said(kind, name, known))


def unknown_said(kind: str, name: str, known: Sequence[str]) -> str:
    """Say that nothing of that kind has this name, which names there are, and the closest of them."""
    return f"unknown {kind} {name!r}; known: {', '.join(known)}{closest_hint(name, known)}"
