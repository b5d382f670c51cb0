"""The file beside results in which a runtime keeps what it found out while building, and its way to a profile.

A runtime that times kernels while it builds chooses otherwise the next time. What it found out is therefore kept with
what was measured: a run that is resumed, or made again later, builds the same.
"""

from __future__ import annotations

import contextlib
from pathlib import Path
from typing import Iterator

from ..journal import write_atomically
from ..runtimes.backend import Backend, KeepsCache

SUFFIX = ".cache"


def cache_path(results: Path) -> Path:
    """Return where the cache that belongs to results, or to a profile, is kept."""
    return results.with_name(results.name + SUFFIX)


@contextlib.contextmanager
def cache_beside(results: Path, backend: Backend) -> Iterator[None]:
    """Let a backend that keeps a cache keep it beside ``results`` meanwhile; nothing for any other."""
    if not isinstance(backend, KeepsCache):
        yield
        return
    backend.use_cache(cache_path(results))
    try:
        yield
    finally:
        backend.save_cache()


def hand_on_cache(source: Path, target: Path) -> None:
    """Copy the cache that belongs to ``source``, if there is one, to where that of ``target`` belongs."""
    if cache_path(source).is_file():
        write_atomically(cache_path(target), cache_path(source).read_bytes())
