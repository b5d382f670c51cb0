"""ONNX Runtime on the CPU, asked for by name and held to it.

ONNX Runtime falls back to other providers silently and accepts unknown options silently. So the provider is named,
fallback is off, the placement of every node is checked where the runtime can tell it, and only options listed here are
set. Telemetry is switched off. Nothing is timed but the hot loop.
"""

from __future__ import annotations

import time
from types import ModuleType, TracebackType
from typing import TYPE_CHECKING, Any, Dict, List, Optional, Tuple

import numpy as np

from ..backend import RunConfig, synthetic_input
from ..errors import BackendUnavailable, FallbackRefused, ModelRejected, UnsupportedConfig

if TYPE_CHECKING:
    from numpy.typing import NDArray

    Arrays = Dict[str, NDArray[Any]]

NAME = "onnxruntime"
INSTALL_COMMAND = 'pip install "gnomon[onnxruntime]"'
PROVIDER = "CPUExecutionProvider"
ASSIGNMENT_KEY = "session.record_ep_graph_assignment_info"
SESSION_ENTRIES = {
    "session.intra_op.allow_spinning": "1",  # the runtime's default, fixed so that it cannot drift between versions
    "session.inter_op.allow_spinning": "1",
    ASSIGNMENT_KEY: "1",
}
DTYPES = {
    "tensor(float)": "float32",
    "tensor(float16)": "float16",
    "tensor(double)": "float64",
    "tensor(int64)": "int64",
    "tensor(int32)": "int32",
    "tensor(int8)": "int8",
    "tensor(uint8)": "uint8",
    "tensor(bool)": "bool",
}


def open_backend() -> OnnxRuntimeBackend:
    """Import ONNX Runtime, switch its telemetry off, and return the backend."""
    try:
        import onnxruntime
    except ImportError as exc:
        raise BackendUnavailable.missing(NAME, INSTALL_COMMAND, exc) from exc
    onnxruntime.disable_telemetry_events()
    onnxruntime.set_default_logger_severity(3)  # errors only: a warning a layer would bury the progress
    return OnnxRuntimeBackend(onnxruntime)


class OnnxRuntimeBackend:
    """Loads models into single-provider, sequential sessions with an explicit number of threads."""

    name = NAME
    install_command = INSTALL_COMMAND

    def __init__(self, runtime: ModuleType) -> None:
        self._runtime = runtime

    def version(self) -> str:
        """Return the version of the runtime."""
        return str(self._runtime.__version__)

    def versions(self) -> Dict[str, str]:
        """Return the version of everything here that may change a time."""
        build = getattr(self._runtime, "get_build_info", lambda: "unknown")()
        return {"onnxruntime": self.version(), "onnxruntime_build": str(build), "numpy": np.__version__}

    def load(self, model: bytes, config: RunConfig) -> OnnxRuntimeExecutable:
        """Create a session that runs every node of ``model`` on the CPU provider, or refuse."""
        if config.device != "cpu" or config.precision != "fp32":
            raise UnsupportedConfig(
                f"The onnxruntime backend times fp32 on the cpu; asked for {config.precision} on {config.device!r}"
            )
        options = _session_options(self._runtime, config)
        try:
            session = self._runtime.InferenceSession(model, options, providers=[PROVIDER])
            session.disable_fallback()
            return OnnxRuntimeExecutable(self._runtime, session, config)
        except (FallbackRefused, ModelRejected):
            raise
        except Exception as exc:  # the runtime's errors share no base but Exception
            raise ModelRejected(f"onnxruntime {self.version()} cannot load the model: {exc}") from exc


class OnnxRuntimeExecutable:
    """A session with its inputs and outputs bound once."""

    def __init__(self, runtime: ModuleType, session: Any, config: RunConfig) -> None:
        _refuse_fallback(session)
        self._session: Any = session
        self._inputs = {node.name: _bound_input(node) for node in session.get_inputs()}
        self.input_shapes: Dict[str, Tuple[int, ...]] = {name: value.shape for name, value in self._inputs.items()}
        self.options = _options_read_back(session, config)
        self._binding: Any = session.io_binding()
        for name, value in self._inputs.items():
            self._binding.bind_ortvalue_input(name, runtime.OrtValue.ortvalue_from_numpy(value))
        for node in session.get_outputs():
            self._binding.bind_output(node.name, "cpu")
        session.run_with_iobinding(self._binding)  # fails here, with a cause, rather than inside the timed loop
        for node, value in zip(session.get_outputs(), self._binding.get_outputs()):
            self._binding.bind_ortvalue_output(node.name, value)

    def elapsed_ns(self, loops: int) -> int:
        """Run ``loops`` inferences on the bound inputs and return the nanoseconds taken."""
        run, binding = self._session.run_with_iobinding, self._binding
        start = time.perf_counter_ns()
        for _ in range(loops):
            run(binding)
        return time.perf_counter_ns() - start

    def run(self, inputs: Arrays) -> Arrays:
        """Return the outputs for ``inputs``, by name; raises `ModelRejected` if they do not fit."""
        names: List[str] = [node.name for node in self._session.get_outputs()]
        try:
            return dict(zip(names, self._session.run(names, inputs)))
        except Exception as exc:
            raise ModelRejected(f"onnxruntime cannot run the model on these inputs: {exc}") from exc

    def close(self) -> None:
        """Release the model."""
        self._binding = None  # must go before its session
        self._session = None

    def __enter__(self) -> OnnxRuntimeExecutable:
        return self

    def __exit__(
        self,
        kind: Optional[type[BaseException]],
        error: Optional[BaseException],
        traceback: Optional[TracebackType],
    ) -> None:
        self.close()


def _session_options(runtime: ModuleType, config: RunConfig) -> Any:
    options = runtime.SessionOptions()
    options.intra_op_num_threads = config.threads
    options.inter_op_num_threads = 1
    options.execution_mode = runtime.ExecutionMode.ORT_SEQUENTIAL
    options.graph_optimization_level = runtime.GraphOptimizationLevel.ORT_ENABLE_ALL
    for key, value in SESSION_ENTRIES.items():
        options.add_session_config_entry(key, value)
    return options


def _options_read_back(session: Any, config: RunConfig) -> Dict[str, Any]:
    options = session.get_session_options()
    read_back = {
        "threads": options.intra_op_num_threads,
        "precision": config.precision,  # ONNX Runtime's CPU kernels compute in the model's own types
        "inter_op_threads": options.inter_op_num_threads,
        "execution_mode": str(options.execution_mode),
        "graph_optimization_level": str(options.graph_optimization_level),
        "providers": list(session.get_providers()),
        "nodes_checked": hasattr(session, "get_provider_graph_assignment_info"),
    }
    read_back.update({key: options.get_session_config_entry(key) for key in SESSION_ENTRIES})
    return read_back


def _refuse_fallback(session: Any) -> None:
    """Raise `FallbackRefused` unless every node runs on the provider asked for."""
    providers = session.get_providers()
    if providers != [PROVIDER]:
        raise FallbackRefused(f"asked for {PROVIDER} alone; onnxruntime chose {', '.join(providers)}")
    assignment = getattr(session, "get_provider_graph_assignment_info", None)
    if assignment is None:
        return  # onnxruntime before 1.24 cannot tell; options say so under "nodes_checked"
    strayed = {
        f"{node.op_type} on {part.ep_name}"
        for part in assignment()
        if part.ep_name != PROVIDER
        for node in part.get_nodes()
    }
    if strayed:
        raise FallbackRefused(f"asked for {PROVIDER} alone; onnxruntime put {', '.join(sorted(strayed))}")


def _bound_input(node: Any) -> NDArray[Any]:
    if not all(isinstance(size, int) and size > 0 for size in node.shape):
        raise ModelRejected(f"input {node.name!r} has shape {node.shape}; expected fixed sizes")
    if node.type not in DTYPES:
        raise ModelRejected(f"input {node.name!r} is {node.type}; expected one of {', '.join(DTYPES)}")
    return synthetic_input(tuple(node.shape), np.dtype(DTYPES[node.type]))
