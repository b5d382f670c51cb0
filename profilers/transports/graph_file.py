"""The graphs that a runtime on a device makes of some models, as one zip file to carry back, and reading such files.

    graphs/graphs.json          backend, configuration, the device, and each graph by the SHA-256 of its model
    graphs/models/<sha256>.onnx the graphs that are the runtime's own

What is read is untrusted: it comes from a device.
"""

from __future__ import annotations

import hashlib
import io
import json
import re
import zipfile
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Dict, List, Sequence

from ..errors import BundleDamaged, PlanMismatch
from ..journal import json_line
from ..machine.hardware import Hardware
from ..run_config import RunConfig
from ..runtimes.graphs.fused_graph import FusedGraph
from ..runtimes.graphs.stored import graph_from_json, graph_to_json
from .untrusted_zip import checked_entries, inflate, opened

SCHEMA = "gnomon.graphs"
# History of the format, newest first:
#   1  backend, config, hardware, graphs
SCHEMA_VERSION = 1

FOLDER, TOLD = "graphs", "graphs.json"
NAMES = re.compile(rf"models/[0-9a-f]{{64}}\.onnx|{re.escape(TOLD)}")
LONG_AGO = (2000, 1, 1, 0, 0, 0)  # of every file inside, so that equal graphs give equal bytes
DAMAGED = (ValueError, KeyError, TypeError, AttributeError, RecursionError)


@dataclass(frozen=True)
class AskedGraphs:
    """What a backend on a device makes of models, in their order."""

    backend: str
    config: RunConfig
    hardware: Hardware
    models: Sequence[bytes]
    graphs: Sequence[FusedGraph]


def graphs_to_zip(asked: AskedGraphs) -> bytes:
    """Return the graphs as the bytes of a zip file."""
    told: Dict[str, Any] = {
        "schema": SCHEMA,
        "version": SCHEMA_VERSION,
        "backend": asked.backend,
        "config": asked.config.to_json(),
        "hardware": asked.hardware.to_json(),
        "graphs": {},
    }
    own: Dict[str, bytes] = {}
    for model, graph in zip(asked.models, asked.graphs):
        digest = hashlib.sha256(graph.model).hexdigest() if graph.is_own else None
        told["graphs"][hashlib.sha256(model).hexdigest()] = {**graph_to_json(graph), "model": digest}
        if digest is not None:
            own[digest] = graph.model
    held = io.BytesIO()
    with zipfile.ZipFile(held, "w") as archive:
        entry = zipfile.ZipInfo(f"{FOLDER}/{TOLD}", LONG_AGO)
        archive.writestr(entry, json_line(told).encode("utf-8"), zipfile.ZIP_DEFLATED)
        for digest in sorted(own):  # stored: weights hardly compress
            archive.writestr(zipfile.ZipInfo(f"{FOLDER}/models/{digest}.onnx", LONG_AGO), own[digest])
    return held.getvalue()


def read_graphs(path: Path, models: Sequence[bytes]) -> AskedGraphs:
    """Read the graphs of ``models``, in their order.

    Raises `BundleDamaged` for anything that is no such file, and `PlanMismatch` for graphs of other models.
    """
    with opened(path) as archive:
        entries = checked_entries(path, archive, NAMES)
        contents: Dict[str, bytes] = {}
        for name, entry in entries.items():
            target = io.BytesIO()
            inflate(path, archive, entry, target, sha256=None if name == TOLD else name[len("models/") : -len(".onnx")])
            contents[name] = target.getvalue()
    try:
        told = json.loads(contents[TOLD].decode("utf-8"))
        if (told["schema"], told["version"]) != (SCHEMA, SCHEMA_VERSION):
            raise ValueError(f"it is {told['schema']!r} version {told['version']!r}; expected {SCHEMA} 1")
        found: List[FusedGraph] = []
        for model in models:
            one = told["graphs"].get(hashlib.sha256(model).hexdigest())
            if one is None:
                raise PlanMismatch(f"{path} holds graphs of other models; carry back those of this bundle")
            own = None if one["model"] is None else contents[f"models/{one['model']}.onnx"]
            found.append(graph_from_json(one, model, own))
        hardware, config = Hardware.from_json(told["hardware"]), RunConfig.from_json(told["config"])
        return AskedGraphs(str(told["backend"]), config, hardware, models, found)
    except DAMAGED as exc:
        raise BundleDamaged(f"{path} holds no usable graphs ({type(exc).__name__}: {exc}); copy it again") from exc
