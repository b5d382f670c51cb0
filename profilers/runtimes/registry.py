"""Find a backend by name: ``backend``, or ``backend:variant`` where a runtime runs models in several ways.

The registry is the folder ``backends/`` (file name = backend name) plus the entry-point group ``gnomon.backends`` for
packages outside. A module of the folder has ``VARIANTS``, which gives the device (cpu, gpu, npu) of each of its
variants ("" is the one meant by the bare name), and ``open_backend(variant)``. An entry point is a function that opens
a backend for the CPU, under its own name, which may hold a colon. A module that can build models ahead of time, on
a machine without the device, has ``open_builder()`` too; one that cannot may say why in ``NO_BUILDER``.

No runtime is imported until a backend is opened, because it may be missing, heavy, or broken though unused.
"""

from __future__ import annotations

import importlib
import pkgutil
import sys
from functools import partial
from importlib import metadata
from typing import TYPE_CHECKING, Callable, Dict, NamedTuple, Optional, Tuple, TypeVar

from ..errors import BackendBroken, BuildsUnavailable, ProfilerError, UnknownBackend
from . import backends
from .requirements import check_runtime, check_versions

if TYPE_CHECKING:
    from .backend import Backend
    from .builds import ModelBuilder

ENTRY_POINT_GROUP = "gnomon.backends"
OWN = "Gnomon and the runtime installed here"
Opened = TypeVar("Opened")
PLUGIN_DEVICE = "cpu"  # of an entry point: a backend for something else is a module of ours, or says so when it loads


class _Entry(NamedTuple):
    device: str
    origin: str
    open: Callable[[], Backend]
    open_builder: Optional[Callable[[], ModelBuilder]] = None
    no_builder: str = ""


def backend_names() -> Tuple[str, ...]:
    """Return the names of all backends and their variants, whether or not their runtime is installed, sorted."""
    return tuple(sorted(_entries()))


def load_backend(name: str) -> Backend:
    """Import and return the backend called ``name``.

    Raises `UnknownBackend`, `BackendUnavailable` when its runtime is not installed, `RuntimeTooOld`, or `BackendBroken`
    when whatever else goes wrong. That it can be loaded is not yet that it works here: see `availability.py`.
    """
    entry = _entry(name)

    def opened() -> Tuple[Backend, str]:
        backend = entry.open()
        return backend, backend.version()

    backend, version = unbroken(name, entry.origin, opened)
    check_runtime(name, version)
    return backend


def device_of(name: str) -> str:
    """Return the kind of processor that a backend runs models on, without importing its runtime.

    Raises `UnknownBackend`.
    """
    return _entry(name).device


def load_builder(name: str) -> ModelBuilder:
    """Import and return what builds models ahead of time for the backend called ``name``, device or not.

    Raises `UnknownBackend`, `BuildsUnavailable` for a backend that builds nothing, `BackendUnavailable`, or
    `BackendBroken`.
    """
    entry = _entry(name)
    if entry.open_builder is None:
        able = ", ".join(other for other, found in sorted(_entries().items()) if found.open_builder is not None)
        why = f", for {entry.no_builder}" if entry.no_builder else ""
        raise BuildsUnavailable(f"The backend {name!r} builds nothing ahead of time{why}. Those that do are: {able}")
    return unbroken(name, entry.origin, entry.open_builder)


def origin_of(name: str) -> str:
    """Return what brings a backend: the entry point of a package, or Gnomon itself. Raises `UnknownBackend`."""
    return _entry(name).origin


def unbroken(name: str, origin: str, ask: Callable[[], Opened]) -> Opened:
    """Return what ``ask`` returns; raises `BackendBroken` for every error that no backend should raise."""
    try:
        return ask()
    except ProfilerError:
        raise
    except (Exception, SystemExit) as exc:  # whatever a stranger's module does when it is imported
        raise BackendBroken.because(name, origin, exc) from exc


def _entry(name: str) -> _Entry:
    entries = _entries()
    if name not in entries:
        raise UnknownBackend.named(name, sorted(entries))
    return entries[name]


def _entries() -> Dict[str, _Entry]:
    """Return every backend by name; those in the folder win over plug-ins."""
    found: Dict[str, _Entry] = {}
    for point in _entry_points():
        found[point.name] = _Entry(PLUGIN_DEVICE, _origin(point), partial(_open_plugin, point))
    for module in pkgutil.iter_modules(backends.__path__, backends.__name__ + "."):
        loaded = importlib.import_module(module.name)
        for variant, device in getattr(loaded, "VARIANTS", {}).items():
            name = module.name.rpartition(".")[2] + (f":{variant}" if variant else "")
            building = (getattr(loaded, "open_builder", None), getattr(loaded, "NO_BUILDER", ""))
            found[name] = _Entry(device, OWN, partial(loaded.open_backend, variant), *building)
    return found


def _origin(point: metadata.EntryPoint) -> str:
    package = getattr(point, "dist", None)  # from Python 3.10 on
    return f"the entry point {point.value!r}" + (f" of {package.name} {package.version}" if package else "")


def _open_plugin(point: metadata.EntryPoint) -> Backend:
    backend: Backend = point.load()()
    check_versions(point.name, backend)
    return backend


def _entry_points() -> Tuple[metadata.EntryPoint, ...]:
    if sys.version_info >= (3, 10):
        return tuple(metadata.entry_points(group=ENTRY_POINT_GROUP))
    return tuple(metadata.entry_points().get(ENTRY_POINT_GROUP, ()))  # the only form 3.8 and 3.9 have
