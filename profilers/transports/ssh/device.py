"""A device at the other end of a line, as a `Transport`. What a plan needs there is asked before anything is copied."""

from __future__ import annotations

import contextlib
import os
from pathlib import Path
from typing import TYPE_CHECKING, Any, Callable, Iterator, Mapping, Optional

from ...errors import DeviceUnfit, DeviceUnreachable
from ...machine.hardware import Hardware
from ...worker.lock import locked
from .address import address_from_text
from .line import Line
from .remote import RemoteWorker
from .run import RemoteRun

if TYPE_CHECKING:
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

    def require(self, backend: str) -> None:
        """Raise unless the device can be reached and has the runtime of ``backend``, new enough.

        Raises `DeviceUnreachable`, `DeviceUnfit`, `UnknownBackend`, `BackendUnavailable` or `RuntimeTooOld`.
        """
        self._worker.ask("require", backend)

    def hardware(self) -> Hardware:
        """Return the device's fingerprint, asked once."""
        if self._hardware is None:
            found, _ = self._worker.ask("hardware")
            try:
                self._hardware = Hardware.from_json(found["hardware"])
            except (KeyError, TypeError, ValueError) as exc:
                raise DeviceUnfit(f"{self._worker.address} did not say what it is: {exc}") from exc
        return self._hardware

    def run(self, plan_folder: Path, results: Path, *, on_progress: Optional[OnProgress] = None) -> None:
        """Run a plan there, detached, and fetch its results; killed or cut off, the same call finds the run again."""
        with locked(results):
            RemoteRun(self._worker, plan_folder, results).to_end(on_progress)
