"""Which runtimes are new enough for the models that Gnomon writes: opset 17 and IR 8, and Q/DQ per channel for int8.

On this machine the package's own requirements see to that; a device has what it has, so whoever takes a plan there asks
here first. The versions, and where they come from:

- onnxruntime 1.12: the first with ONNX 1.12, which is opset 17 and IR 8 (onnxruntime.ai/docs/reference/compatibility);
  it loads a layer of every kind, and 1.11 none. Int8 needs nothing newer.
- openvino 2023.1: the first with ``openvino.Core``; it loads a layer of every kind. For int8 it is 2023.3: older ones
  refuse a bias that is quantised as a whole, as those of layer normalisation are.
- tensorrt 10.0: strongly typed networks, so that the precision is the file's; LayerNormalization, which came with opset
  17, is in its parser since 8.6 (onnx-tensorrt's changelog).
- tensorrt_rtx 1.0: the first there is.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Dict, Optional, Tuple

from ..errors import RuntimeTooOld, VersionMissing

if TYPE_CHECKING:
    from .backend import Backend

REQUIRED: Dict[str, str] = {"onnxruntime": "1.12", "openvino": "2023.1", "tensorrt": "10.0", "tensorrt_rtx": "1.0"}
REQUIRED_BY_PRECISION: Dict[Tuple[str, str], str] = {("openvino", "int8"): "2023.3"}
PYTHON = (3, 8)  # of the worker
PACKAGES: Dict[str, str] = {"tensorrt_rtx": "tensorrt-rtx-cu13"}  # what pip calls a runtime, where not as its module
PLUGINS: Dict[str, str] = {"onnxruntime:openvino": "onnxruntime-ep-openvino"}  # what a variant takes besides
NUMBERS = re.compile(r"\d+(?:\.\d+)*")


def required_version(backend: str, precision: str = "fp32") -> Optional[str]:
    """Return the oldest version of its runtime that a backend or variant works with; None where nothing is known."""
    runtime = backend.partition(":")[0]
    return REQUIRED_BY_PRECISION.get((runtime, precision)) or REQUIRED.get(runtime)


def check_runtime(backend: str, version: str, precision: str = "fp32") -> None:
    """Raise `RuntimeTooOld` if ``version`` of a backend's runtime is older than models of that precision need.

    A version that does not begin with a number is let pass: the runtime itself will reject what it cannot load.
    """
    required = required_version(backend, precision)
    if required is None or not NUMBERS.match(version) or _numbers(version) >= _numbers(required):
        return
    command = install_command(backend, precision)
    raise RuntimeTooOld(
        f"The backend {backend!r} has version {version} of its runtime, too old for these models: they are ONNX of "
        f"opset 17 and IR 8, {precision}, which takes {required} or newer. Upgrade it: {command}",
        install_command=command,
    )


def check_versions(name: str, backend: Backend) -> None:
    """Raise `VersionMissing` unless a backend says its runtime's version, under the name that it is asked for by.

    A variant's (``runtime:variant``) may stand under the runtime's name.
    """
    said, versions = backend.version(), backend.versions()
    kept = versions.get(name, versions.get(name.partition(":")[0]))
    if not isinstance(said, str) or not said.strip() or kept != said:
        raise VersionMissing(
            f"The backend {name!r} does not say which version it is: version() gives {said!r}, versions() "
            f"{versions!r}. Latencies are kept with it, so both must give the same text, not a blank one, "
            f"versions() under {name!r}"
        )


def install_command(backend: str, precision: str = "fp32") -> str:
    """Return the command that installs a backend's runtime, whether or not Gnomon is there; upgrades an old one."""
    runtime, required = backend.partition(":")[0], required_version(backend, precision)
    package = f'"{PACKAGES.get(runtime, runtime)}{f">={required}" if required else ""}"'
    return " ".join(["python3 -m pip install --upgrade", package, *filter(None, [PLUGINS.get(backend)])])


def _numbers(version: str) -> Tuple[int, ...]:
    match = NUMBERS.match(version)
    return tuple(int(number) for number in match.group().split(".")) if match else ()
