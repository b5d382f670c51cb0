"""The option --device, and the connection to the device that it names."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING, Annotated

import typer

from ..printing.progress import say

if TYPE_CHECKING:
    from ...profilers.transports.transport import Transport

Device = Annotated[str, typer.Option(help="Where to measure: local, or ssh://[user@]host[:port][?python=PATH].")]
Verbose = Annotated[bool, typer.Option("--verbose", "-v", help="Print the commands that reach the device.")]


@contextmanager
def connected(address: str, *, verbose: bool) -> Iterator[Transport]:
    """Yield the device at `address`, connected: a login is asked for now, before a progress bar is drawn."""
    from ...profilers.transports.transport import open_device

    with open_device(address, say=say, show=say if verbose else None) as device:
        device.hardware()
        yield device
