"""TensorRT for RTX on an NVIDIA GPU, timed by the GPU's own events, and its builder, which needs no GPU.

What it shares with TensorRT is in `nvidia`. It compiles kernels where they run, so it builds engines for a named GPU
anywhere.
"""

from __future__ import annotations

from ...errors import BackendUnavailable
from ..nvidia.backend import DEVICE, TensorRtBackend, open_on_gpu
from ..nvidia.engine import EngineBuilder
from ..requirements import install_command

VARIANTS = {"": DEVICE}
NAME = "tensorrt_rtx"
INSTALL_COMMAND = install_command("tensorrt_rtx")


def open_backend(variant: str = "") -> TensorRtBackend:
    """Import TensorRT for RTX and return the backend on the first visible GPU."""
    return open_on_gpu(open_builder(), INSTALL_COMMAND)


def open_builder() -> EngineBuilder:
    """Import TensorRT for RTX and return its builder, which needs no GPU."""
    try:
        import tensorrt_rtx
    except (ImportError, OSError) as exc:  # OSError: its libraries are missing, or made for another system
        raise BackendUnavailable.missing(NAME, INSTALL_COMMAND, exc) from exc
    return EngineBuilder(NAME, tensorrt_rtx)
