"""The folder of an export: written whole, recognised by its record, completed once it is timed.

Checking and timing take minutes, so the models are on the disk before they are timed, beside a record that says that
they were not. A kill or Ctrl-C meanwhile leaves a usable export, which the same export completes later.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any

from ...outputs import Kind, OutputUnusable, appearing, require_free, require_writable
from ...profilers.files import read_file
from ...profilers.journal import write_atomically
from ...temporary import is_temporary
from .checks import ExportedLatency

SCHEMA = "gnomon.export"
SIDECAR = "model.json"
IDENTITY = ("models", "companions", "architecture", "checkpoint_sha256", "precision", "profile")
LARGEST_MODEL_BYTES = 2 << 30  # an ONNX file cannot be larger
LARGEST_RECORD_BYTES = 64 << 20
NOT_YET = "it was interrupted before it was timed; the same gnomon export completes it"
NOT_ASKED = "no timing was asked for; the same gnomon export with timing completes it"


def fault_of(folder: Path) -> str:
    """Say what is in a folder that no export leaves there, or that is not as it was exported; "" for an export."""
    if folder.is_symlink() or not folder.is_dir():
        return "is no folder"
    found = sorted(path.name for path in folder.iterdir() if not is_temporary(path.name))  # which a kill leaves
    if not found:
        return ""
    record = record_of(folder)
    if record is None:
        return f"holds {next((name for name in found if name != SIDECAR), SIDECAR)} and no {SIDECAR} of an export"
    digests = digests_of(record)
    if others := [name for name in found if name not in (*digests, SIDECAR)]:
        return f"holds {others[0]}, which was not exported"
    changed = [name for name, digest in digests.items() if name in found and digest != sha256_of(folder / name)]
    return f"holds {changed[0]}, which is not as it was exported" if changed else ""


EXPORT = Kind("an export", fault_of)


def record_of(folder: Path) -> dict[str, Any] | None:
    """Return what an export's model.json says, of any version; None for anything else."""
    path = folder / SIDECAR
    try:
        record = None if path.is_symlink() else json.loads(read_file(path, largest_bytes=LARGEST_RECORD_BYTES))
    except (OSError, ValueError, RecursionError):
        return None
    return record if isinstance(record, dict) and record.get("schema") == SCHEMA else None


def digests_of(record: Mapping[str, Any]) -> dict[str, object]:
    """Return the SHA-256 of each file that a record names, as far as it is sound."""
    if "models" not in record:  # version 1 had one model
        return {"model.onnx": record.get("sha256")}
    named = [*(record.get("models") or ()), *(record.get("companions") or ())]
    return {str(file.get("file")): file.get("sha256") for file in named if isinstance(file, dict)}


def sha256_of(path: Path) -> str:
    """Return a file's digest; of what is none, nothing that any file has."""
    try:
        content = None if path.is_symlink() else read_file(path, largest_bytes=LARGEST_MODEL_BYTES)
    except OSError:
        return ""
    return "" if content is None else hashlib.sha256(content).hexdigest()


def require_place(folder: Path, *, force: bool, timed: bool) -> None:
    """Raise OutputUnusable unless an export may be written: nothing is there, or, by `force`, an export.

    When it is to be `timed`, one that was not may be there without `force`: `write_export` looks if it is the same.
    """
    if not (timed and not force and is_untimed(folder)):
        require_free(folder, EXPORT, force=force)
    require_writable(folder, EXPORT.option)


def is_untimed(folder: Path) -> bool:
    """Tell whether a whole export waits there for its timing."""
    record = record_of(folder)
    latency = None if record is None else record.get("latency")
    return isinstance(latency, dict) and latency.get("not_measured") in (NOT_YET, NOT_ASKED) and not fault_of(folder)


def write_export(folder: Path, files: Mapping[str, bytes], record: Mapping[str, Any], *, force: bool) -> None:
    """Write the files and the record as `folder`, or find the same export there, untimed; raises OutputUnusable."""
    there = record_of(folder)
    if not force and there is not None and is_untimed(folder):
        if identity_of(there) != identity_of(record):
            raise OutputUnusable(
                f"{folder} holds another export; choose another `folder`, or replace it with `force=True`"
            )
        return
    with appearing(folder, EXPORT, force=force) as fresh:
        fresh.mkdir()
        for name, content in files.items():
            (fresh / name).write_bytes(content)
        (fresh / SIDECAR).write_text(text_of(record), encoding="utf-8")


def complete(folder: Path, record: Mapping[str, Any]) -> None:
    """Put the record with its latency beside the models that it is of; raises OutputUnusable where they are not."""
    there = record_of(folder)
    if there is None or identity_of(there) != identity_of(record):
        raise OutputUnusable(f"{folder} was replaced while its models were timed, so their latency was not written")
    try:
        write_atomically(folder / SIDECAR, text_of(record))
    except OSError as error:
        raise OutputUnusable(f"cannot complete {folder / SIDECAR}: {error}; the models are there, not timed") from error


def identity_of(record: Mapping[str, Any]) -> Any:
    """Return what tells exports apart: the files, what they are of, and what predicts them; as JSON gives it back."""
    return json.loads(json.dumps([record.get(name) for name in IDENTITY]))


def text_of(record: Mapping[str, Any]) -> str:
    """Return the content of model.json."""
    return json.dumps(record, indent=1) + "\n"


def untimed(latency: ExportedLatency | None, *, asked: bool) -> ExportedLatency | None:
    """Return a prediction as that of an export that is not timed yet, or is not to be."""
    if latency is None or latency.not_measured is not None:
        return latency
    return replace(latency, not_measured=NOT_YET if asked else NOT_ASKED)
