"""What carries plans to a device and results back: a process here, SSH, or whoever carries a bundle.

The registry is the folder ``transports/``: an address begins with the name of a module, and the module's
``open_device(address, say=, show=)`` opens what it names.
"""

from __future__ import annotations

import difflib
import importlib
import pkgutil
from typing import TYPE_CHECKING, Any, Callable, ContextManager, Mapping, Optional, Protocol, Sequence

from .. import transports
from ..errors import AddressInvalid

if TYPE_CHECKING:
    from pathlib import Path

    from ..machine.hardware import Hardware
    from ..run_config import RunConfig
    from ..runtimes.graphs.fused_graph import FusedGraph

    OnProgress = Callable[[Mapping[str, Any]], None]
    Say = Callable[[str], None]

HERE = "local"


class Transport(Protocol):
    """A device that runs plans."""

    def require(self, backend: str) -> str:
        """Return the version of the runtime of ``backend`` there.

        Raises a `ProfilerError` unless the device can be reached and has that runtime.
        """

    def hardware(self) -> Hardware:
        """Return the device's fingerprint."""

    def fused_graphs(self, models: Sequence[bytes], *, backend: str, config: RunConfig) -> Sequence[FusedGraph]:
        """Return the graph that the runtime there makes of each model, whose nodes have distinct names.

        Raises `GraphUnavailable` for a backend that does not tell, and what `require` and loading a model raise.
        """

    def run(self, plan_folder: Path, results: Path, *, on_progress: Optional[OnProgress] = None) -> None:
        """Run a plan to its end and leave its results journal at ``results``, or go on with one interrupted.

        ``on_progress`` is called with the fields done, total, pass, eta_s and key. Errors of the worker are raised as
        themselves. Ctrl-C stops the worker after the visit in flight and is then raised; call again to continue.
        """


def open_device(
    address: str = HERE, *, say: Optional[Say] = None, show: Optional[Say] = None
) -> ContextManager[Transport]:
    """Return the device at ``address`` (``local``, ``ssh://user@host``) for a with statement, which closes its line.

    ``say`` is told what takes long or went wrong on the way, ``show`` every command. Raises `AddressInvalid`.
    """
    scheme, names = address.partition("://")[0], [module.name for module in pkgutil.iter_modules(transports.__path__)]
    module = importlib.import_module(f"{transports.__name__}.{scheme}") if scheme in names else None
    open_there = getattr(module, "open_device", None)
    if open_there is None:  # a bundle, say, is carried by hand
        closest = difflib.get_close_matches(scheme, [HERE, "ssh"], n=1)
        hint = f"; did you mean {closest[0]!r}?" if closest else ""
        raise AddressInvalid(
            f"{address!r} is no address of a device; expected {HERE}, or one such as ssh://user@host{hint}"
        )
    opened: ContextManager[Transport] = open_there(address, say=say or _ignore, show=show or _ignore)
    return opened


def _ignore(message: str) -> None:
    pass
