"""Which runtimes are new enough for the models that Gnomon writes: opset 17 and IR 8, and Q/DQ per channel for int8.

On this machine the package's own requirements see to that; a device has what it has, so whoever takes a plan there asks
here first. The versions, and where they come from:

- onnxruntime 1.12: the first with ONNX 1.12, which is opset 17 and IR 8 (onnxruntime.ai/docs/reference/compatibility).
- openvino 2023.1: the first with ``openvino.Core``; a layer of every kind loads in it.
- tensorrt 8.6: the first whose parser has LayerNormalization, which came with opset 17 (onnx-tensorrt's changelog).

Int8 needs nothing newer: quantising per channel came with opset 13, and all of these have it.
"""

from __future__ import annotations

import re
from typing import Dict, Optional, Tuple

from .errors import RuntimeTooOld

REQUIRED: Dict[str, str] = {"onnxruntime": "1.12", "openvino": "2023.1", "tensorrt": "8.6"}
PYTHON = (3, 8)  # of the worker
NUMBERS = re.compile(r"\d+(?:\.\d+)*")


def required_version(backend: str) -> Optional[str]:
    """Return the oldest version of its runtime that a backend or variant works with; None where nothing is known."""
    return REQUIRED.get(backend.partition(":")[0])


def check_runtime(backend: str, version: str) -> None:
    """Raise `RuntimeTooOld` if ``version`` of a backend's runtime is older than the models need.

    A version that does not begin with a number is let pass: the runtime itself will reject what it cannot load.
    """
    required = required_version(backend)
    if required is None or not NUMBERS.match(version) or _numbers(version) >= _numbers(required):
        return
    command = install_command(backend)
    raise RuntimeTooOld(
        f"The backend {backend!r} has version {version} of its runtime, too old for these models: they are ONNX of "
        f"opset 17 and IR 8, which takes {required} or newer. Upgrade it: {command}",
        install_command=command,
    )


def install_command(backend: str) -> str:
    """Return the command that installs a backend's runtime where Gnomon itself is not; upgrades one that is there."""
    runtime, required = backend.partition(":")[0], required_version(backend)
    return f'python3 -m pip install --upgrade "{runtime}{f">={required}" if required else ""}"'


def _numbers(version: str) -> Tuple[int, ...]:
    match = NUMBERS.match(version)
    return tuple(int(number) for number in match.group().split(".")) if match else ()
