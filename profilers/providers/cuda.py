"""ONNX Runtime's CUDA provider, on the first GPU of NVIDIA.

Full precision is full precision: TF32, which the provider would take for fp32, is off. Convolution algorithms are
searched exhaustively, as by default, when a model is loaded. Inputs and outputs lie on the GPU.
"""

from __future__ import annotations

from types import ModuleType

import numpy as np

from ..backend import RunConfig
from ..errors import UnsupportedConfig
from ..provider import BuiltInProvider, Options

MEMORY = "cuda"


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
    """Load the libraries that NVIDIA's wheels bring, and see whether the GPU answers; raises `UnsupportedConfig`."""
    if hasattr(runtime, "preload_dlls"):  # from 1.21
        runtime.preload_dlls()
    try:
        runtime.OrtValue.ortvalue_from_numpy(np.zeros(1, np.float32), MEMORY, 0)
    except Exception as exc:  # the runtime's errors share no base but Exception
        raise UnsupportedConfig(
            f"onnxruntime {runtime.__version__} cannot use a GPU of NVIDIA here: {exc}. See what the driver says: "
            f"nvidia-smi"
        ) from exc


PROVIDER = BuiltInProvider(
    name="CUDAExecutionProvider",
    device="gpu",
    # Uninstalled first: the packages onnxruntime and onnxruntime-gpu overwrite each other's files.
    install_command='pip uninstall --yes onnxruntime && pip install "onnxruntime-gpu[cuda,cudnn]"',
    options=options,
    prepare=prepare,
    memory=MEMORY,
)
