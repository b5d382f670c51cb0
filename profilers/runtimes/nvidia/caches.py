"""What TensorRT found out about this GPU, kept in a file, so that a second build chooses what the first one chose.

TensorRT keeps a timing cache: which kernel was fastest for what. Without it the builds of one model differ by what
kernels happened to take while they were timed, and so do their latencies. TensorRT for RTX times nothing when it builds
and keeps a runtime cache instead: the kernels compiled for the GPU. Only the GPU, driver and TensorRT that filled a
cache can use it. TensorRT itself checks that; what it refuses is begun anew, and ``state`` says so.
"""

from __future__ import annotations

from pathlib import Path
from typing import Any, Optional

from ...journal import write_atomically
from .logger import Log

GROWTH = 1.1  # written again only once it has grown by so much: all writing then stays a multiple of the last size


class KeptFile:
    """A file whose content only grows: read once, written now and then, whole or not at all."""

    def __init__(self, path: Path) -> None:
        self._path = path
        self.content = path.read_bytes() if path.is_file() else b""
        self._written = self.content

    def take(self, content: bytes) -> None:
        """Take the content as it is now, and write it if it has grown enough."""
        self.content = content
        if len(content) > GROWTH * len(self._written):
            self.save()

    def save(self) -> None:
        """Write what is not written yet."""
        if self.content != self._written:
            write_atomically(self._path, self.content)
            self._written = self.content


class Cache:
    """A cache of either kind: a backend goes through all of it at each load, and each kind acts where it has to."""

    def __init__(self, path: Path, log: Log) -> None:
        self._file = KeptFile(path)
        self._log = log
        self.state = "continued" if self._file.content else "begun"

    def lend(self, config: Any) -> None:
        """Give what is known to a build."""

    def take_back(self, config: Any) -> None:
        """Keep what a build has added."""

    def context(self, engine: Any) -> Any:
        """Return an execution context of an engine, made with what is known; None if TensorRT can make none."""
        return engine.create_execution_context()

    def keep(self) -> None:
        """Keep what running a model has added."""

    def save(self) -> None:
        """Write what is not written yet."""
        self._file.save()

    def _begin_anew(self) -> None:
        reasons = "; ".join((*self._log.errors, *self._log.warnings)) or "it gave no reason"
        self.state = f"begun anew, for TensorRT refused the one kept: {reasons}"
        self._file.content = b""
        self._log.clear()


class TimingCache(Cache):
    """Which kernel was fastest for what, over all builds of one backend."""

    def lend(self, config: Any) -> None:
        """Give what is known to a build; begin anew if TensorRT refuses it."""
        if not self._is_accepted(config):
            self._begin_anew()
            self._is_accepted(config)

    def take_back(self, config: Any) -> None:
        """Keep what a build has added."""
        held = config.get_timing_cache()
        if held is not None:
            self._file.take(bytes(held.serialize()))

    def _is_accepted(self, config: Any) -> bool:
        self._log.clear()
        cache = config.create_timing_cache(self._file.content)
        is_set = cache is not None and bool(config.set_timing_cache(cache, ignore_mismatch=False))
        # An unreadable cache comes back empty, and only the log tells.
        return is_set and not (self._file.content and (self._log.errors or self._log.warnings))


class RuntimeCache(Cache):
    """The kernels that TensorRT for RTX compiled for this GPU, shared by all engines of one backend."""

    def __init__(self, path: Path, log: Log) -> None:
        super().__init__(path, log)
        self._cache: Optional[Any] = None

    def context(self, engine: Any) -> Any:
        """Return an execution context of an engine that takes its kernels from here, and puts new ones here."""
        config = engine.create_runtime_config()
        if self._cache is None:
            self._log.clear()
            self._cache = config.create_runtime_cache()
            if self._file.content and not self._cache.deserialize(self._file.content):
                self._begin_anew()
        config.set_runtime_cache(self._cache)
        return engine.create_execution_context(config)

    def keep(self) -> None:
        """Keep the kernels that were compiled since."""
        if self._cache is not None:
            held = self._cache.serialize()
            if held is not None:
                self._file.take(bytes(held))
