"""ONNX Runtime with one of its execution providers, asked for by name and held to it.

ONNX Runtime falls back to other providers silently and accepts unknown options silently. So the provider is named,
fallback is off, the placement of every node is checked where the runtime can tell it, and only options listed here and
in the provider's file are set. Telemetry is switched off. Nothing is timed but the hot loop: inputs and outputs lie
where the provider computes, and a block ends when the device has finished.
"""

from __future__ import annotations

import json
import time
from pathlib import Path
from types import ModuleType
from typing import TYPE_CHECKING, Any, Callable, Dict, Iterable, List, Mapping, Sequence, Tuple

import numpy as np

from ....temporary import temporary_folder
from ...errors import (
    BackendError,
    BackendUnavailable,
    GraphUnavailable,
    ModelRejected,
    OperatorsUnavailable,
    UnsupportedConfig,
)
from ...run_config import RunConfig
from ..backend import OperatorProfile, OperatorTime, synthetic_input
from ..closing import Closing
from ..graphs.fused_graph import FusedGraph, require_own_graph
from ..graphs.onnxruntime import graph_from_optimised, optimised_path
from ..placement import CPU, RECORD_KEY, STRICT_KEY, is_placement_told, refuse_fallback
from ..provider import Provider, load_provider, provider_names
from ..ranges import Ranges, ranges_of
from ..requirements import check_runtime

if TYPE_CHECKING:
    from numpy.typing import NDArray

    Arrays = Dict[str, NDArray[Any]]

NAME = "onnxruntime"
BARE = "cpu"  # the provider of the name without a variant
VARIANTS = {"" if name == BARE else name: load_provider(name).device for name in provider_names()}
SESSION_ENTRIES = {
    "session.intra_op.allow_spinning": "1",  # the runtime's default, fixed so that it cannot drift between versions
    "session.inter_op.allow_spinning": "1",
    RECORD_KEY: "1",
}
HOST = "cpu"  # as `OrtValue` names the memory that a run has written to when it returns
WARMUP_LOOPS = 5  # inferences whose operators are not counted
INFERENCE = "model_run"  # the name of a whole inference's event in a profile
KERNEL = "_kernel_time"  # ends the name of an operator's
FUSED = "fused "  # begins the name of some operators that stand for several nodes, and "/" their fusion's
LAYOUT = "_nchwc"  # ends the name of a node whose layout was changed
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


def open_backend(variant: str = "") -> OnnxRuntimeBackend:
    """Import ONNX Runtime, switch its telemetry off, and return the backend of one of its providers.

    Raises `BackendUnavailable` where ONNX Runtime or the provider is not installed.
    """
    name, provider = f"{NAME}:{variant}" if variant else NAME, load_provider(variant or BARE)
    try:
        import onnxruntime
    except ImportError as exc:
        raise BackendUnavailable.missing(name, provider.install_command, exc) from exc
    check_runtime(NAME, str(onnxruntime.__version__))  # here, because older ones lack what is asked next
    onnxruntime.disable_telemetry_events()
    onnxruntime.set_default_logger_severity(3)  # errors only: a warning a layer would bury the progress
    provider.require(onnxruntime)
    return OnnxRuntimeBackend(onnxruntime, name, provider)


class OnnxRuntimeBackend:
    """Loads models into single-provider, sequential sessions with an explicit number of threads."""

    def __init__(self, runtime: ModuleType, name: str, provider: Provider) -> None:
        self.name = name
        self.device = provider.device
        self.install_command = provider.install_command
        self._runtime = runtime
        self._provider = provider
        self._is_started = False

    @property
    def takes_process(self) -> bool:
        """Whether `require_usable` loads libraries that this process then keeps."""
        return self._provider.takes_process

    def require_usable(self) -> None:
        """Start the provider, once; raises `BackendUnusable` where it has no device here, and `RuntimeConflict`."""
        if not self._is_started:
            self._provider.start(self._runtime)
            self._is_started = True

    def version(self) -> str:
        """Return the version of the runtime."""
        return str(self._runtime.__version__)

    def versions(self) -> Dict[str, str]:
        """Return the version of everything here that may change a time."""
        build = getattr(self._runtime, "get_build_info", lambda: "unknown")()
        versions = {"onnxruntime": self.version(), "onnxruntime_build": str(build), "numpy": np.__version__}
        return {**versions, **self._provider.versions()}

    def load(self, model: bytes, config: RunConfig) -> OnnxRuntimeExecutable:
        """Create a session that runs every node of ``model`` on the provider, or refuse."""
        _refuse_config(config, self.name, self._provider)
        options = _session_options(self._runtime, config, self._provider)
        if require_own_graph(model, f"{NAME} {self.version()}"):
            options.graph_optimization_level = self._runtime.GraphOptimizationLevel.ORT_DISABLE_ALL
        return self._opened(model, config, options)

    def fused_graph(self, model: bytes, config: RunConfig) -> FusedGraph:
        """Return the graph that the runtime optimises ``model`` into, and the shapes that its values have when it runs.

        Raises `GraphUnavailable` for a provider that compiles the whole model, as such a graph cannot be written.
        """
        _refuse_config(config, self.name, self._provider)
        if self._provider.name != CPU:
            raise GraphUnavailable(
                f"The backend {self.name!r} does not tell which kernels it makes of a model: ONNX Runtime writes the "
                f"optimised graph of its own CPU kernels only. Time the model itself, or take onnxruntime or openvino"
            )
        options = _session_options(self._runtime, config, self._provider)
        with temporary_folder() as folder:
            options.optimized_model_filepath = str(optimised_path(folder))
            with self._opened(model, config, options):
                optimised = optimised_path(folder).read_bytes()
        plain = _session_options(self._runtime, config, self._provider)
        plain.graph_optimization_level = self._runtime.GraphOptimizationLevel.ORT_DISABLE_ALL

        def open_plain(content: bytes) -> OnnxRuntimeExecutable:
            return self._opened(content, config, plain)

        return graph_from_optimised(optimised, model, open_plain)

    def operator_times(self, model: bytes, config: RunConfig, loops: int) -> OperatorProfile:
        """Run the model with profiling on, which slows it down, and average each operator's faster half of inferences.

        Other work on the machine only ever slows an operator, and hits one of two equal ones. Raises
        `OperatorsUnavailable` for a provider that runs a whole model as one operator, or not when it says.
        """
        _refuse_config(config, self.name, self._provider)
        if not self._provider.profiles_operators:
            raise OperatorsUnavailable(
                f"The backend {self.name!r} cannot profile operators: {self._provider.name} does not run them one by "
                f"one; without them, layers can still be explained"
            )
        options = _session_options(self._runtime, config, self._provider)
        options.enable_profiling = True
        with temporary_folder() as folder:
            options.profile_file_prefix = str(folder / "operators")
            with self._opened(model, config, options) as executable:
                executable.elapsed_ns(WARMUP_LOOPS + loops)
                events = json.loads(Path(executable.end_profiling()).read_text(encoding="utf-8"))
        return _profile_from_events(events)

    def _opened(self, model: bytes, config: RunConfig, options: Any) -> OnnxRuntimeExecutable:
        try:
            self.require_usable()
            providers = self._provider.attach(self._runtime, options, config)
            session = self._runtime.InferenceSession(model, options, providers=providers, enable_fallback=0)
            session.disable_fallback()
            return OnnxRuntimeExecutable(self._runtime, session, config, self._provider, ranges_of(model))
        except BackendError:
            raise
        except Exception as exc:  # the runtime's errors share no base but Exception
            raise ModelRejected(f"onnxruntime {self.version()} cannot load the model: {exc}") from exc


class OnnxRuntimeExecutable(Closing):
    """A session with its inputs and outputs bound once, in the memory of its provider."""

    def __init__(
        self, runtime: ModuleType, session: Any, config: RunConfig, provider: Provider, ranges: Ranges
    ) -> None:
        refuse_fallback(session, provider.name)
        self._session: Any = session
        self.inputs: Arrays = {node.name: _bound_input(node, ranges) for node in session.get_inputs()}
        self.input_shapes: Dict[str, Tuple[int, ...]] = {name: value.shape for name, value in self.inputs.items()}
        self._outputs: List[str] = [node.name for node in session.get_outputs()]
        self.options = _options_read_back(session, config, provider)
        self.idles_quietly = _pool_threads(config, provider) == 1  # else they spin on for some 50 ms after each run
        self._binding: Any = session.io_binding()
        for name, value in self.inputs.items():
            self._binding.bind_ortvalue_input(name, runtime.OrtValue.ortvalue_from_numpy(value, provider.memory, 0))
        for node in session.get_outputs():
            self._binding.bind_output(node.name, provider.memory)
        session.run_with_iobinding(self._binding)  # fails here, with a cause, rather than inside the timed loop
        is_host = provider.memory == HOST
        self._finish: Callable[[], None] = _nothing if is_host else self._binding.synchronize_outputs
        self._finish()
        for node, value in zip(session.get_outputs(), self._binding.get_outputs()):
            self._binding.bind_ortvalue_output(node.name, value)

    def elapsed_ns(self, loops: int) -> int:
        """Run ``loops`` inferences on the bound inputs, wait for the device, and return the nanoseconds taken."""
        run, binding, finish = self._session.run_with_iobinding, self._binding, self._finish
        start = time.perf_counter_ns()
        for _ in range(loops):
            run(binding)
        finish()
        return time.perf_counter_ns() - start

    def run(self, inputs: Arrays) -> Arrays:
        """Return the outputs for ``inputs``, by name; raises `ModelRejected` if they do not fit."""
        try:
            return dict(zip(self._outputs, self._session.run(self._outputs, inputs)))
        except Exception as exc:
            raise ModelRejected(f"onnxruntime cannot run the model on these inputs: {exc}") from exc

    def end_profiling(self) -> str:
        """Stop the session's profiler, if it was on, and return the path of what it wrote."""
        return str(self._session.end_profiling())

    def close(self) -> None:
        """Release the model."""
        self._finish = _nothing
        self._binding = None  # must go before its session
        self._session = None


def _refuse_config(config: RunConfig, name: str, provider: Provider) -> None:
    if config.device != provider.device or config.precision not in provider.precisions:
        raise UnsupportedConfig(
            f"The {name} backend times {' or '.join(provider.precisions)} on the {provider.device}; "
            f"asked for {config.precision} on {config.device!r}{provider.precision_note}"
        )
    if provider.device != "cpu" and config.threads != 1:
        raise UnsupportedConfig(
            f"threads are the host's, and {name} computes on the {provider.device}; asked for {config.threads}, "
            f"expected 1"
        )


def _nothing() -> None:
    """Wait for no device: on the host, a run is over when it returns."""


def _pool_threads(config: RunConfig, provider: Provider) -> int:
    """Return how many threads ONNX Runtime's own pool gets."""
    return 1 if provider.has_own_threads else config.threads


def _profile_from_events(events: Iterable[Mapping[str, Any]]) -> OperatorProfile:
    """Average the kernel times of each operator, in order of execution, and those of whole inferences."""
    kernels: Dict[Tuple[str, str, str], List[float]] = {}
    inferences: List[float] = []
    for event in events:
        name, details = event["name"], event.get("args", {})
        if name == INFERENCE:
            inferences.append(float(event["dur"]))
        elif name.endswith(KERNEL):
            key = (str(details.get("node_index")), name[: -len(KERNEL)], str(details["op_name"]))
            kernels.setdefault(key, []).append(float(event["dur"]))
    operators = (
        OperatorTime(name, kind, _undisturbed(taken), _nodes_of(name, kind))
        for (_, name, kind), taken in kernels.items()
    )
    return OperatorProfile(tuple(operators), _undisturbed(inferences))


def _undisturbed(durations: Sequence[float]) -> float:
    """Return the mean of the faster half, the warm-up left out; a median would be a whole microsecond."""
    counted = np.sort(durations[WARMUP_LOOPS + 1 :])  # binding the outputs has cost an inference before the warm-up
    return float(np.mean(counted[: (len(counted) + 1) // 2]))


def _nodes_of(name: str, kind: str) -> Tuple[str, ...]:
    """Return the model's node behind an operator; layout conversions have none, nodes without a name neither."""
    if kind.startswith("Reorder") or not name:
        return ()
    if name.startswith(FUSED):
        return (name[len(FUSED) :].rpartition("/")[0],)  # such as "fused matmul0/MatMulAddFusion"
    return (name[: -len(LAYOUT)] if name.endswith(LAYOUT) else name,)


def _session_options(runtime: ModuleType, config: RunConfig, provider: Provider) -> Any:
    options = runtime.SessionOptions()
    options.intra_op_num_threads = _pool_threads(config, provider)
    options.inter_op_num_threads = 1
    options.execution_mode = runtime.ExecutionMode.ORT_SEQUENTIAL
    options.graph_optimization_level = runtime.GraphOptimizationLevel.ORT_ENABLE_ALL
    for key, value in SESSION_ENTRIES.items():
        options.add_session_config_entry(key, value)
    if not is_placement_told(runtime.InferenceSession) and provider.name != CPU:
        options.add_session_config_entry(STRICT_KEY, "1")
    return options


def _options_read_back(session: Any, config: RunConfig, provider: Provider) -> Dict[str, Any]:
    options = session.get_session_options()
    read_back = {
        "threads": config.threads if provider.has_own_threads else options.intra_op_num_threads,
        "precision": config.precision,  # ONNX Runtime's CPU kernels compute in the model's own types
        "inter_op_threads": options.inter_op_num_threads,
        "execution_mode": str(options.execution_mode),
        "graph_optimization_level": str(options.graph_optimization_level),
        "providers": list(session.get_providers()),
        "nodes_checked": is_placement_told(session),
    }
    read_back.update({key: options.get_session_config_entry(key) for key in SESSION_ENTRIES})
    read_back.update(provider.read_back(session, config))
    return read_back


def _bound_input(node: Any, ranges: Ranges) -> NDArray[Any]:
    if not all(isinstance(size, int) and size > 0 for size in node.shape):
        raise ModelRejected(f"input {node.name!r} has shape {node.shape}; expected fixed sizes")
    if node.type not in DTYPES:
        raise ModelRejected(f"input {node.name!r} is {node.type}; expected one of {', '.join(DTYPES)}")
    return synthetic_input(tuple(node.shape), np.dtype(DTYPES[node.type]), ranges.get(node.name))
