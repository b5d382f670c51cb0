"""TensorRT as a provider of ONNX Runtime, on the first GPU of NVIDIA; the backend ``tensorrt`` runs it by itself.

A model is built when it is loaded, without a cache, so two loads may choose other kernels. TF32 can only be switched
off by the environment, before the first library of CUDA is loaded. What TensorRT cannot run is refused, not left to
CUDA.
"""

from __future__ import annotations

import contextlib
import os
from importlib import metadata
from types import ModuleType
from typing import Dict

from ...run_config import RunConfig
from ..provider import BuiltInProvider, Options
from . import cuda

TF32 = "NVIDIA_TF32_OVERRIDE"


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
    """Switch TF32 off, load TensorRT's libraries if its wheel brings them, then do what CUDA needs."""
    os.environ[TF32] = "0"
    with contextlib.suppress(ImportError):  # else the system's own libraries are found, or the session says
        import tensorrt  # noqa: F401
    cuda.prepare(runtime)


def identity() -> Dict[str, str]:
    """Return the version of TensorRT, where a wheel brought it, and what CUDA says of the GPU."""
    try:
        return {"tensorrt": metadata.version("tensorrt"), **cuda.identity()}
    except metadata.PackageNotFoundError:  # the system's own; it has no name that could be asked
        return cuda.identity()


PROVIDER = BuiltInProvider(
    name="TensorrtExecutionProvider",
    device="gpu",
    install_command=f"{cuda.PROVIDER.install_command} tensorrt",
    options=options,
    prepare=prepare,
    identity=identity,
    memory=cuda.MEMORY,
)
