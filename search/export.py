"""Turn a chosen sub-network into a file that can be shipped, and check that file before it is believed.

The exported ONNX model is run by every installed runtime: its outputs must be torch's, its accuracy on the test split
must be torch's within 0.1 points, and its latency is measured where the profile was, beside the prediction.
A folder holds `model.onnx` and `model.json`, which says where it comes from.
"""

from __future__ import annotations

import hashlib
import json
import os
import tempfile
from collections.abc import Callable, Mapping
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

from ..lut import HardwareProfile
from ..profilers.backend import load_backend
from ..supernets.space import Architecture
from ..supernets.supernet import Supernet
from ..version import VERSION
from .errors import OutputUnusable
from .export_checks import (
    REFERENCE_BACKEND,
    ExportedLatency,
    Parity,
    check_latency,
    check_metric,
    check_parity,
)

SCHEMA, SCHEMA_VERSION = "gnomon.export", 1
PARITY_EXAMPLES = 64


@dataclass(frozen=True, slots=True)
class ExportedModel:
    """What was exported and how it was checked."""

    folder: Path
    architecture: Architecture
    sha256: str
    parities: tuple[Parity, ...]
    torch_top1_percent: float
    runtime_top1_percent: float
    test_images: int
    latency: ExportedLatency | None


def export_subnet(
    supernet: Supernet,
    architecture: Architecture,
    folder: Path,
    *,
    profile: HardwareProfile | None = None,
    provenance: Mapping[str, Any] | None = None,
    force: bool = False,
    on_step: Callable[[str], None] = lambda step: None,
) -> ExportedModel:
    """Write and check `folder`/model.onnx and model.json; nothing is written unless every check passes.

    `provenance` goes into the sidecar as it is. Raises ExportRefused when the file does not do what torch does,
    BackendUnavailable without onnxruntime, OutputUnusable when the folder exists (unless `force`) or is unwritable.
    """
    if folder.exists() and not force:
        raise OutputUnusable(f"{folder} is there already; choose another --out, or replace it with --force")
    load_backend(REFERENCE_BACKEND)
    on_step("building the graph, batch norm calibrated and folded")
    (part,) = supernet.models(architecture)
    model, size = part.model, supernet.size("test")
    on_step(f"comparing {PARITY_EXAMPLES} outputs with torch")
    examples = min(PARITY_EXAMPLES, size)
    parities = check_parity(model, supernet, supernet.answers(architecture, "test", examples), examples)
    on_step(f"answering {size} test examples in {REFERENCE_BACKEND}")
    torch_top1 = supernet.evaluate(architecture, "test")
    runtime_top1 = check_metric(model, supernet, torch_top1)
    latency = None
    if profile is not None:
        on_step("timing the file against its prediction")
        latency = check_latency(profile, architecture, model)
    exported = ExportedModel(
        folder,
        architecture,
        hashlib.sha256(model).hexdigest(),
        parities,
        torch_top1,
        runtime_top1,
        size,
        latency,
    )
    write_folder(folder, model, sidecar(exported, supernet, profile, provenance or {}))
    return exported


def sidecar(
    exported: ExportedModel, supernet: Supernet, profile: HardwareProfile | None, provenance: Mapping[str, Any]
) -> dict[str, Any]:
    """Return what model.json says."""
    space = supernet.space
    return {
        "schema": SCHEMA,
        "version": SCHEMA_VERSION,
        "gnomon": VERSION,
        "sha256": exported.sha256,
        "architecture": {
            "space": space.name,
            "space_digest": space.digest,
            "id": exported.architecture.id,
            "indices": exported.architecture.indices,
            "values": space.values(exported.architecture),
            "macs": int(space.macs([exported.architecture.indices])[0]),
            "params": int(space.params([exported.architecture.indices])[0]),
        },
        "checkpoint_sha256": supernet.checkpoint_sha256,
        "input": supernet.described_input(),
        "accuracy": {
            "split": "test",
            "images": exported.test_images,
            "torch_top1_percent": exported.torch_top1_percent,
            f"{REFERENCE_BACKEND}_top1_percent": exported.runtime_top1_percent,
        },
        "parity": [asdict(parity) for parity in exported.parities],
        "latency": exported.latency and asdict(exported.latency),
        "profile": profile and {"name": profile.name, "sha256": profile.digest},
        "provenance": dict(provenance),
    }


def write_folder(folder: Path, model: bytes, record: Mapping[str, Any]) -> None:
    """Write both files to a new folder and rename it into place; raises OutputUnusable."""
    try:
        folder.parent.mkdir(parents=True, exist_ok=True)
        with tempfile.TemporaryDirectory(dir=folder.parent, prefix=f".{folder.name}.") as temporary:
            fresh = Path(temporary) / "new"
            fresh.mkdir()
            (fresh / "model.onnx").write_bytes(model)
            (fresh / "model.json").write_text(json.dumps(record, indent=1) + "\n", encoding="utf-8")
            if folder.is_dir():
                os.replace(folder, Path(temporary) / "old")
            os.replace(fresh, folder)
    except OSError as error:
        raise OutputUnusable(f"cannot write {folder}: {error}; choose another --out") from error
