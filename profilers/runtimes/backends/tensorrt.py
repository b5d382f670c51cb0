"""TensorRT 10 and 11 on an NVIDIA GPU, timed by the GPU's own events.

What it shares with TensorRT for RTX is in `nvidia`. It chooses kernels by timing them, so it builds on the GPU that it
builds for, and never ahead of time.
"""

from __future__ import annotations

from ...errors import BackendUnavailable
from ..nvidia.backend import DEVICE, TensorRtBackend, open_on_gpu
from ..nvidia.engine import EngineBuilder
from ..requirements import install_command

VARIANTS = {"": DEVICE}
NAME = "tensorrt"
NO_BUILDER = "it chooses kernels by timing them, and so builds only where the GPU is that it builds for"
INSTALL_COMMAND = install_command("tensorrt")


def open_backend(variant: str = "") -> TensorRtBackend:
    """Import TensorRT and return the backend on the first visible GPU."""
    try:
        import tensorrt
    except (ImportError, OSError) as exc:  # OSError: its libraries are missing, or made for another system
        raise BackendUnavailable.missing(NAME, INSTALL_COMMAND, exc) from exc
    return open_on_gpu(EngineBuilder(NAME, tensorrt), INSTALL_COMMAND)
