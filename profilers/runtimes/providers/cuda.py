"""ONNX Runtime's CUDA provider, on the first GPU of NVIDIA.

Full precision is full precision: TF32, which the provider would take for fp32, is off. Convolution algorithms are
searched exhaustively, as by default, when a model is loaded. Inputs and outputs lie on the GPU. Which GPU it is, and
its driver, are read from the kernel and kept with the versions.
"""

from __future__ import annotations

import re
from pathlib import Path
from types import ModuleType
from typing import Dict

import numpy as np

from ...errors import BackendUnusable
from ...machine.hardware import gpu_models
from ...machine.sysfs import ROOT, read_text
from ...run_config import RunConfig
from ..provider import BuiltInProvider, Options

MEMORY = "cuda"
NVIDIA = "proc/driver/nvidia"


def options(config: RunConfig) -> Options:
    """Return every option that moves a time, at its default but for TF32, so that none drifts between versions."""
    return {
        "device_id": "0",
        "cudnn_conv_algo_search": "EXHAUSTIVE",
        "cudnn_conv_use_max_workspace": "1",
        "do_copy_in_default_stream": "1",
        "enable_cuda_graph": "0",
        "prefer_nhwc": "0",
        "use_tf32": "0",
    }


def prepare(runtime: ModuleType) -> None:
    """Load the libraries that NVIDIA's wheels bring, and see whether the GPU answers; raises `BackendUnusable`."""
    if hasattr(runtime, "preload_dlls"):  # from 1.21
        runtime.preload_dlls()
    try:
        runtime.OrtValue.ortvalue_from_numpy(np.zeros(1, np.float32), MEMORY, 0)
    except Exception as exc:  # the runtime's errors share no base but Exception
        raise BackendUnusable(
            f"onnxruntime {runtime.__version__} cannot use a GPU of NVIDIA here: {exc}. See what the driver says: "
            f"nvidia-smi"
        ) from exc


def identity(root: Path = ROOT) -> Dict[str, str]:
    """Return the models of all GPUs and the driver's version, as far as the kernel's driver tells them."""
    driver = re.search(r"Kernel Module\b.*?\s(\d+(?:\.\d+)+)", read_text(root, f"{NVIDIA}/version") or "")
    found = {"gpu": ", ".join(gpu_models(root)), "gpu_driver": driver[1] if driver else ""}
    return {name: value for name, value in found.items() if value}


PROVIDER = BuiltInProvider(
    name="CUDAExecutionProvider",
    device="gpu",
    # Uninstalled first: the packages onnxruntime and onnxruntime-gpu overwrite each other's files.
    install_command='pip uninstall --yes onnxruntime && pip install "onnxruntime-gpu[cuda,cudnn]"',
    options=options,
    prepare=prepare,
    identity=identity,
    memory=MEMORY,
)
