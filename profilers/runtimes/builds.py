"""Engines built ahead of time: for a named device, on a machine that need not have it.

An engine is written with what it was made of and with, so that whoever finds it later can tell: the hashes of model and
engine, the versions, the target and the options that the runtime reports.
"""

from __future__ import annotations

import hashlib
import json
import time
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Callable, Dict, Mapping, Optional, Protocol, Tuple

from ..errors import ModelRejected, UnsupportedConfig
from ..journal import write_atomically

SCHEMA = "gnomon.engine"
SCHEMA_VERSION = 1


@dataclass(frozen=True)
class BuiltEngine:
    """A serialised engine, and with which options the runtime says that it was built."""

    content: bytes
    options: Dict[str, Any]


class ModelBuilder(Protocol):
    """What builds models for a runtime, without running them."""

    @property
    def name(self) -> str:
        """The name of the backend that it builds for."""

    def version(self) -> str:
        """The version of the runtime."""

    def targets(self) -> Tuple[str, ...]:
        """The devices that it builds for without having one, such as sm86."""

    def build(self, model: bytes, *, precision: Optional[str] = None, target: Optional[str] = None) -> BuiltEngine:
        """Build an engine from ONNX bytes, for the device that is here or for a target.

        With a ``precision`` the model must be in it; without one, ``options`` say in which it is. Raises
        `UnsupportedConfig`, `BuildsUnavailable` for a target that there is none of, and `ModelRejected` with the
        runtime's own reasons, and without its name.
        """


@dataclass(frozen=True)
class EngineFile:
    """An engine that was written, beside a JSON file of the same name that tells of it."""

    path: Path
    size_bytes: int
    seconds: float


def engine_path(folder: Path, name: str, target: str) -> Path:
    """Return where the engine of a model called ``name`` goes."""
    if not name or Path(name).name != name:
        raise ValueError(f"an engine is called {name!r}; expected the name of a file, without its folder")
    return folder / f"{name}.{target}.engine"


def build_engines(
    builder: ModelBuilder,
    models: Mapping[str, bytes],
    folder: Path,
    *,
    target: str,
    check_place: Callable[[Path], None] = lambda path: None,
    on_built: Callable[[EngineFile], None] = lambda engine: None,
) -> Tuple[EngineFile, ...]:
    """Build every model, by name, for ``target`` into ``folder``; what was there under these names is replaced.

    ``check_place`` is called with an engine's path before it is written, and raises where that must not be replaced.
    Raises `ModelRejected` once all others are built, naming those that were not, and why; else what `build` raises.
    """
    folder.mkdir(parents=True, exist_ok=True)
    written, failures = [], []
    for name, model in models.items():
        start_s = time.monotonic()
        try:
            built = builder.build(model, target=target)
        except (ModelRejected, UnsupportedConfig) as exc:
            failures.append(f"{name}: {exc}")
            continue
        path = engine_path(folder, name, target)
        engine = EngineFile(path, len(built.content), time.monotonic() - start_s)
        check_place(path)
        described = _description(builder, model, built, target)  # first, so that a kill leaves no engine without it
        write_atomically(path.with_suffix(".json"), json.dumps(described, indent=1, sort_keys=True) + "\n")
        write_atomically(path, built.content)
        written.append(engine)
        on_built(engine)
    if failures:
        raise ModelRejected(
            f"{builder.name} {builder.version()} could not build {len(failures)} of {len(models)} models for {target}: "
            + "; ".join(failures)
        )
    return tuple(written)


def _description(builder: ModelBuilder, model: bytes, built: BuiltEngine, target: str) -> Dict[str, Any]:
    return {
        "schema": SCHEMA,
        "version": SCHEMA_VERSION,
        "backend": builder.name,
        "versions": {builder.name: builder.version()},
        "target": target,
        "onnx_sha256": hashlib.sha256(model).hexdigest(),
        "engine_sha256": hashlib.sha256(built.content).hexdigest(),
        "options": built.options,
    }
