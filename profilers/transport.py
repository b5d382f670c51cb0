"""What carries plans to a device and results back: a process here, SSH, or whoever carries a bundle."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Callable, Mapping, Optional, Protocol

if TYPE_CHECKING:
    from pathlib import Path

    from .hardware import Hardware

    OnProgress = Callable[[Mapping[str, Any]], None]


class Transport(Protocol):
    """A device that runs plans."""

    def require(self, backend: str) -> None:
        """Raise a `ProfilerError` unless the device can be reached and has the runtime of ``backend``."""

    def hardware(self) -> Hardware:
        """Return the device's fingerprint."""

    def run(self, plan_folder: Path, results: Path, *, on_progress: Optional[OnProgress] = None) -> None:
        """Run a plan to its end and leave its results journal at ``results``, or go on with one interrupted.

        ``on_progress`` is called with the fields done, total, pass, eta_s and key. Errors of the worker are raised as
        themselves. Ctrl-C stops the worker after the visit in flight and is then raised; call again to continue.
        """
