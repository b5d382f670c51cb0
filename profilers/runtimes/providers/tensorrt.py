"""TensorRT as a provider of ONNX Runtime, on the first GPU of NVIDIA; the backend ``tensorrt`` runs it by itself.

A model is built when it is loaded, without a cache, so two loads may choose other kernels. TF32 can only be switched
off by the environment, before the first library of CUDA is loaded. What TensorRT cannot run is refused, not left to
CUDA.
"""

from __future__ import annotations

import contextlib
import ctypes
import os
from importlib import metadata
from pathlib import Path
from types import ModuleType
from typing import Dict

from ...errors import BackendUnusable
from ...run_config import RunConfig
from ..provider import BuiltInProvider, Options
from . import cuda

TF32 = "NVIDIA_TF32_OVERRIDE"
# ONNX Runtime 1.31 is still linked to libnvinfer.so.10; the newest TensorRT, which pip would take, brings another.
INSTALL = f'{cuda.PROVIDER.install_command} "tensorrt<11"'


def options(config: RunConfig) -> Options:
    """Return every option that moves a time, at its default, so that none drifts between versions."""
    return {
        "device_id": "0",
        "trt_fp16_enable": "0",
        "trt_int8_enable": "0",
        "trt_engine_cache_enable": "0",
        "trt_timing_cache_enable": "0",
        "trt_cuda_graph_enable": "0",
        "trt_builder_optimization_level": "3",
    }


def prepare(runtime: ModuleType) -> None:
    """Switch TF32 off, load TensorRT's libraries if its wheel brings them, then do what CUDA needs.

    Raises `BackendUnusable` where the GPU does not answer, or the libraries of TensorRT cannot be loaded.
    """
    os.environ[TF32] = "0"
    with contextlib.suppress(ImportError):  # else the system's own libraries are found, or loading them says
        import tensorrt  # noqa: F401
    cuda.prepare(runtime)
    require_libraries(runtime)


def require_libraries(runtime: ModuleType) -> None:
    """Load the provider with all it is linked to: ONNX Runtime lists it even where TensorRT itself is not installed.

    Raises `BackendUnusable`, naming the library that is missing. Only the names of Linux are known here; elsewhere the
    first session tells.
    """
    folder = Path(getattr(runtime, "__file__", None) or "").parent / "capi"
    provider = folder / "libonnxruntime_providers_tensorrt.so"
    if not provider.exists():
        return
    try:
        ctypes.CDLL(str(folder / "libonnxruntime_providers_shared.so"), mode=ctypes.RTLD_GLOBAL)
        ctypes.CDLL(str(provider))
    except OSError as exc:
        raise BackendUnusable(
            f"onnxruntime {runtime.__version__} cannot load TensorRT here: {exc}. Install the TensorRT it was built "
            f"with: {INSTALL}",
            install_command=INSTALL,
        ) from exc


def identity() -> Dict[str, str]:
    """Return the version of TensorRT, where a wheel brought it, and what CUDA says of the GPU."""
    try:
        return {"tensorrt": metadata.version("tensorrt"), **cuda.identity()}
    except metadata.PackageNotFoundError:  # the system's own; it has no name that could be asked
        return cuda.identity()


PROVIDER = BuiltInProvider(
    name="TensorrtExecutionProvider",
    device="gpu",
    install_command=INSTALL,
    options=options,
    prepare=prepare,
    identity=identity,
    memory=cuda.MEMORY,
)
