"""A device at the other end of a line, as a `Transport`. What a plan needs there is asked before anything is copied."""

from __future__ import annotations

import contextlib
import hashlib
import json
import os
from pathlib import Path
from typing import TYPE_CHECKING, Any, Callable, Iterator, Mapping, Optional, Sequence

from ....temporary import temporary_folder
from ...errors import BundleDamaged, DeviceUnfit, DeviceUnreachable
from ...machine.hardware import Hardware
from ...worker.lock import locked
from ..graph_file import read_graphs
from .address import address_from_text
from .line import Line
from .remote import RemoteWorker
from .run import RemoteRun

if TYPE_CHECKING:
    from ...run_config import RunConfig
    from ...runtimes.graphs.fused_graph import FusedGraph

    OnProgress = Callable[[Mapping[str, Any]], None]


@contextlib.contextmanager
def open_device(address: str, *, say: Callable[[str], None], show: Callable[[str], None]) -> Iterator[SshDevice]:
    """Yield the device at ``ssh://[user@]host[:port][?python=PATH]``; `AddressInvalid` for anything else."""
    parsed = address_from_text(address)
    if os.name == "nt":
        raise DeviceUnreachable(
            f"{parsed} cannot be reached from Windows, whose OpenSSH cannot share a connection; run this in WSL, or "
            f"carry the plan there: gnomon bundle create"
        )
    with Line(parsed, show) as line:
        yield SshDevice(RemoteWorker(line, say))


class SshDevice:
    """The device that ``worker`` is on, as a `Transport`."""

    def __init__(self, worker: RemoteWorker) -> None:
        self._worker = worker
        self._hardware: Optional[Hardware] = None

    def require(self, backend: str) -> str:
        """Return the version of the runtime of ``backend`` there, which is new enough.

        Raises `DeviceUnreachable`, `DeviceUnfit`, `UnknownBackend`, `BackendUnavailable` or `RuntimeTooOld`.
        """
        found, _ = self._worker.ask("require", backend)
        return str(found.get("version"))

    def hardware(self) -> Hardware:
        """Return the device's fingerprint, asked once."""
        if self._hardware is None:
            found, _ = self._worker.ask("hardware")
            try:
                self._hardware = Hardware.from_json(found["hardware"])
            except (KeyError, TypeError, ValueError) as exc:
                raise DeviceUnfit(f"{self._worker.address} did not say what it is: {exc}") from exc
        return self._hardware

    def fused_graphs(self, models: Sequence[bytes], *, backend: str, config: RunConfig) -> Sequence[FusedGraph]:
        """Have the runtime there asked; the models are copied there for that, and its own graphs back."""
        described = f"{len(models)} models, {sum(map(len, models)) / 2**20:.1f} MiB"
        self._worker.say(f"asking {backend} on {self._worker.address} for its graph of {described}")
        asked = {"backend": backend, "config": config.to_json(), "sizes": [len(model) for model in models]}
        told, content = self._worker.ask("graphs", stdin=[json.dumps(asked).encode("utf-8") + b"\n", *models])
        if hashlib.sha256(content).hexdigest() != told.get("sha256"):
            raise DeviceUnreachable(f"the graphs from {self._worker.address} came in part only; ask again")
        with temporary_folder() as folder:
            path = folder / "graphs.zip"
            path.write_bytes(content)
            try:
                return read_graphs(path, models).graphs
            except BundleDamaged as exc:
                raise DeviceUnfit(f"{self._worker.address} told no usable graphs: {exc}") from exc

    def run(self, plan_folder: Path, results: Path, *, on_progress: Optional[OnProgress] = None) -> None:
        """Run a plan there, detached, and fetch its results; killed or cut off, the same call finds the run again."""
        with locked(results):
            RemoteRun(self._worker, plan_folder, results).to_end(on_progress)
