"""A bundle: all that a board without Gnomon needs to run a plan, in one folder that is carried there by hand.

    bundle.json           what to time and how, what made it, and the SHA-256 of every other file
    models/<sha256>.onnx  one file a distinct model
    gnomon-worker.pyz     this package as one file (`archive.py`), which `device.py` is the command line of
    README.txt            how to run it

Backend and threads are chosen on the device, and make a timing plan of the bundle: `plan-<run>.json` beside it, with
its results in `results-<run>.jsonl`, which is the one file to carry back. A bundle may ask for the graphs that a
backend makes of its models instead: then nothing is timed, and the file is `graphs-<run>.zip`. How bundles become files
and are read again is `transports/bundle.py`. What made it is not interpreted here: this package does not know what a
layer is.
"""

from __future__ import annotations

import json
import re
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Dict, Mapping, Optional, Tuple

from ..errors import BundleDamaged, PlanMismatch
from ..files import read_file
from ..run_config import RunConfig
from ..timing.plan import MODEL_FILE, PlanItem, TimingPlan
from ..timing.protocol import TimingPolicy

SCHEMA = "gnomon.bundle"
# History of the bundle format, newest first:
#   3  policy: processes, network_visits, warmup_us
#   2  asks; only
#   1  origin, precision, batch, policy, items, files
SCHEMA_VERSION = 3

TIMES, GRAPHS = "times", "graphs"  # what a bundle may ask for
MANIFEST, WORKER, README = "bundle.json", "gnomon-worker.pyz", "README.txt"
MAX_MANIFEST_BYTES = 16 << 20
SHA256 = re.compile(r"[0-9a-f]{64}")
BACKEND = re.compile(r"[A-Za-z0-9_][A-Za-z0-9_.-]*(:[A-Za-z0-9_.-]+)?")  # it becomes part of file names


@dataclass(frozen=True)
class Bundle:
    """What ``bundle.json`` says: a plan that lacks backend and threads, and the digest of every file beside it.

    origin: what made it, in the words of whoever did. asks: for times of the models, or for graphs of them.
    only: the backend and the number of threads that its models are for; None: for any.
    """

    precision: str
    batch: int
    policy: TimingPolicy
    items: Tuple[PlanItem, ...]
    origin: Mapping[str, Any]
    files: Mapping[str, str]
    asks: str = TIMES
    only: Optional[Tuple[str, int]] = None

    def __post_init__(self) -> None:
        self._plan("", RunConfig(precision=self.precision, batch=self.batch))
        if self.asks not in (TIMES, GRAPHS):
            raise ValueError(f"it asks for {self.asks!r}; expected {TIMES} or {GRAPHS}")
        if self.only is not None:
            backend, threads = self.only
            self._check_backend(backend)
            RunConfig(threads=threads)
        for file, digest in self.files.items():
            is_model = isinstance(file, str) and MODEL_FILE.fullmatch(file) is not None
            if not (is_model or file in (WORKER, README)):
                raise ValueError(f"it lists the file {file!r}, which has no place in a bundle")
            if not isinstance(digest, str) or not SHA256.fullmatch(digest) or (is_model and digest not in file):
                raise ValueError(f"it gives {file!r} the SHA-256 {digest!r}")
        needed = {file for item in self.items for file in item.files} | {WORKER, README}
        if needed != set(self.files):
            raise ValueError(f"its files and its items differ in {', '.join(sorted(needed ^ set(self.files))[:3])}")

    def plan(self, backend: str, *, device: str, threads: int) -> TimingPlan:
        """Return the plan that a backend on a kind of processor makes of it; ValueError for what no plan can have.

        Raises `PlanMismatch` for another backend, or number of threads, than its models are for.
        """
        self._check_backend(backend)
        if self.only not in (None, (backend, threads)):
            name, number = self.only or ("", 0)
            raise PlanMismatch(
                f"The bundle holds kernels that {name} with {number} threads runs, and {backend} with {threads} has "
                f"others. Run it with --backend {name} --threads {number}"
            )
        return self._plan(backend, RunConfig(device, self.precision, threads, self.batch))

    @staticmethod
    def _check_backend(backend: str) -> None:
        if not isinstance(backend, str) or not BACKEND.fullmatch(backend):
            raise ValueError(f"backend is {backend!r}; expected a name such as 'onnxruntime'")

    def _plan(self, backend: str, config: RunConfig) -> TimingPlan:
        return TimingPlan(backend, config, self.policy, self.items)

    def to_json(self) -> Dict[str, Any]:
        """Return the content of ``bundle.json``."""
        return {
            "schema": SCHEMA,
            "version": SCHEMA_VERSION,
            "origin": dict(self.origin),
            "precision": self.precision,
            "batch": self.batch,
            "policy": self.policy.to_json(),
            "items": [item.to_json() for item in self.items],
            "files": dict(self.files),
            "asks": self.asks,
            "only": None if self.only is None else list(self.only),
        }

    @classmethod
    def from_json(cls, data: Mapping[str, Any]) -> Bundle:
        """Return the bundle written by `to_json`; ValueError, KeyError, TypeError or AttributeError for else."""
        if data["schema"] != SCHEMA or data["version"] != SCHEMA_VERSION:
            raise ValueError(
                f"expected {SCHEMA} version {SCHEMA_VERSION}, found {data['schema']!r} version {data['version']!r}; "
                f"use the Gnomon that wrote it, or create it anew"
            )
        backend, threads = data.get("only") or ("", 0)
        return cls(
            precision=data["precision"],
            batch=data["batch"],
            policy=TimingPolicy.from_json(data["policy"]),
            items=tuple(PlanItem.from_json(item) for item in data["items"]),
            origin=dict(data["origin"]),
            files=dict(data["files"]),
            asks=data.get("asks", TIMES),
            only=(backend, threads) if data.get("only") else None,
        )


def bundle_from_text(text: bytes, *, where: str) -> Bundle:
    """Return the bundle that the content of ``bundle.json`` describes; ``where`` is for the message of `BundleDamaged`.

    Nothing is trusted: neither its form nor that its items and files agree.
    """
    try:
        return Bundle.from_json(json.loads(text.decode("utf-8")))
    except (ValueError, KeyError, TypeError, AttributeError, RecursionError) as exc:
        raise BundleDamaged(f"{where} is not a usable {MANIFEST}: {type(exc).__name__}: {exc}") from exc


def read_bundle_folder(folder: Path) -> Bundle:
    """Return the bundle unpacked in ``folder``; its models are checked by whoever reads the plan made of it."""
    path = folder / MANIFEST
    try:
        text = read_file(path, largest_bytes=MAX_MANIFEST_BYTES)
    except OSError as exc:
        raise BundleDamaged(f"{path} cannot be read ({exc}); unpack the bundle's zip file anew") from exc
    return bundle_from_text(text, where=str(path))


def run_name(backend: str, threads: int) -> str:
    """Return what the files of a run are called by, such as ``onnxruntime-t4``."""
    return f"{backend.replace(':', '-')}-t{threads}"


def plan_file(folder: Path, backend: str, threads: int) -> Path:
    """Return where the plan of a run lies in a bundle's folder."""
    return folder / f"plan-{run_name(backend, threads)}.json"


def results_file(folder: Path, backend: str, threads: int) -> Path:
    """Return where the results of a run lie in a bundle's folder."""
    return folder / f"results-{run_name(backend, threads)}.jsonl"


def graphs_file(folder: Path, backend: str, threads: int) -> Path:
    """Return where the graphs that a backend makes of a bundle's models lie in its folder."""
    return folder / f"graphs-{run_name(backend, threads)}.zip"
