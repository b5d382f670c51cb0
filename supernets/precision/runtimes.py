"""Runs converted models, so that what a precision does to a network's answers is measured. Nothing here is timed.

The only file of this package that imports ONNX Runtime and OpenVINO.
"""

from __future__ import annotations

import os
import sys
from collections.abc import Mapping
from dataclasses import dataclass
from types import ModuleType
from typing import Any

import numpy as np
from numpy.typing import NDArray

from ..errors import PrecisionUnavailable, SupernetError
from ..packages import install_command

DTYPES = {"tensor(float)": "float32", "tensor(float16)": "float16", "tensor(int64)": "int64"}
DTYPES |= {"tensor(int32)": "int32", "tensor(bool)": "bool"}


@dataclass(frozen=True, slots=True)
class OnnxRuntimeRunner:
    """A model in ONNX Runtime on the processor; inputs are converted to the model's own types."""

    session: Any

    @property
    def input_shapes(self) -> Mapping[str, tuple[int, ...]]:
        """Return the shape of each input."""
        return {node.name: tuple(node.shape) for node in self.session.get_inputs()}

    def __call__(self, inputs: dict[str, NDArray[Any]]) -> dict[str, NDArray[Any]]:
        """Run it once."""
        types = {node.name: np.dtype(DTYPES[node.type]) for node in self.session.get_inputs()}
        given = {name: value.astype(types[name], copy=False) for name, value in inputs.items()}
        names = [node.name for node in self.session.get_outputs()]
        return dict(zip(names, self.session.run(names, given)))


@dataclass(frozen=True, slots=True)
class OpenVinoRunner:
    """A model compiled by OpenVINO for the processor."""

    compiled: Any
    outputs: tuple[str, ...]

    @property
    def input_shapes(self) -> Mapping[str, tuple[int, ...]]:
        """Return the shape of each input."""
        return {port.get_any_name(): tuple(port.shape) for port in self.compiled.inputs}

    def __call__(self, inputs: dict[str, NDArray[Any]]) -> dict[str, NDArray[Any]]:
        """Run it once."""
        results = self.compiled(inputs)
        return {name: np.array(results[port]) for name, port in zip(self.outputs, self.compiled.outputs)}


def require_onnxruntime() -> ModuleType:
    """Import ONNX Runtime with its telemetry off; raises PrecisionUnavailable."""
    try:
        import onnxruntime
    except ImportError as error:
        raise PrecisionUnavailable(
            f"converting to int8 and running converted models takes onnxruntime, which is not installed ({error}); "
            f"install it with {install_command('onnxruntime')}"
        ) from error
    onnxruntime.disable_telemetry_events()
    found: ModuleType = onnxruntime
    return found


def onnxruntime_session(model: bytes, *, optimised: bool = True) -> Any:
    """Open a model on all processors that this process may use; raises PrecisionUnavailable, SupernetError.

    Not `optimised`, nodes are run one by one as the file has them: Q/DQ pairs round, and between them all is fp32.
    """
    onnxruntime = require_onnxruntime()
    options = onnxruntime.SessionOptions()
    options.log_severity_level = 3  # errors only
    options.intra_op_num_threads = len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else 0
    options.add_session_config_entry("session.intra_op.allow_spinning", "0")
    if not optimised:
        options.graph_optimization_level = onnxruntime.GraphOptimizationLevel.ORT_DISABLE_ALL
    try:
        return onnxruntime.InferenceSession(model, options, providers=["CPUExecutionProvider"])
    except Exception as error:  # the runtime's errors share no base but Exception
        raise SupernetError(f"onnxruntime {onnxruntime.__version__} cannot load the model: {error}") from error


def onnxruntime_runner(model: bytes, *, optimised: bool = True) -> OnnxRuntimeRunner:
    """Load a model in ONNX Runtime, as `onnxruntime_session` does; raises PrecisionUnavailable, SupernetError."""
    return OnnxRuntimeRunner(onnxruntime_session(model, optimised=optimised))


def openvino_core(hint: str, capability: str) -> Any:
    """Open OpenVINO where the processor is capable of a precision; raises PrecisionUnavailable."""
    sys.modules.setdefault("openvino_telemetry", None)  # type: ignore[arg-type]  # else it starts a thread
    try:
        import openvino
    except ImportError as error:
        raise PrecisionUnavailable(
            f"running a model in {hint} takes openvino, which is not installed ({error}); "
            f"install it with {install_command('openvino')}"
        ) from error
    core = openvino.Core()
    capabilities = core.get_property("CPU", "OPTIMIZATION_CAPABILITIES")
    if capability not in capabilities:
        raise PrecisionUnavailable(
            f"this processor does not compute in {hint} (OpenVINO lists {', '.join(capabilities)}), so what {hint} "
            "does to a network cannot be validated here; run this on a processor that does, or choose fp32 or int8"
        )
    return core


def openvino_runner(model: bytes, *, hint: str, capability: str) -> OpenVinoRunner:
    """Compile a model with a precision hint; raises PrecisionUnavailable, SupernetError."""
    core = openvino_core(hint, capability)
    try:
        read = core.read_model(model)
        outputs = tuple(port.get_any_name() for port in read.outputs)  # compiling may give an output other names too
        compiled = core.compile_model(read, "CPU", {"INFERENCE_PRECISION_HINT": hint, "PERFORMANCE_HINT": "LATENCY"})
    except Exception as error:  # OpenVINO raises RuntimeError and, for some models, TypeError
        raise SupernetError(f"openvino cannot compile the model: {error}") from error
    return OpenVinoRunner(compiled, outputs)
