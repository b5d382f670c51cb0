"""OpenVINO on the CPU, with every property that moves a time set by name and read back.

Importing OpenVINO starts a telemetry thread and writes to the home folder unless its telemetry package is hidden
first; `open_backend` hides it. The device is always named, because OpenVINO's default is AUTO. There is no model
cache, so a load is a load. Unlike ONNX Runtime, OpenVINO may change what was asked for (threads, precision): what it
reports after compilation must agree, or the configuration is refused. Nothing is timed but the hot loop.
"""

from __future__ import annotations

import sys
import time
from types import ModuleType
from typing import TYPE_CHECKING, Any, Dict, Sequence, Tuple

import numpy as np

from ..backend import OperatorProfile, OperatorTime, RunConfig, synthetic_input
from ..closing import Closing
from ..errors import BackendUnavailable, FallbackRefused, ModelRejected, UnsupportedConfig
from ..requirements import check_runtime

if TYPE_CHECKING:
    from numpy.typing import NDArray

    Arrays = Dict[str, NDArray[Any]]

VARIANTS = {"": "cpu"}
NAME = "openvino"
INSTALL_COMMAND = 'pip install "gnomon[openvino]"'
DEVICE = "CPU"
PRECISION_HINTS = {
    "fp32": "f32",
    "int8": "f32",
    "bf16": "bf16",
}  # int8 comes in the model: what is not quantised is f32
CAPABILITIES = {"int8": "INT8", "bf16": "BF16"}  # what the device must list; it would compute in something else without
WARMUP_LOOPS = 5  # inferences before those whose wall time counts
READ_BACK = (
    "PERFORMANCE_HINT",
    "INFERENCE_NUM_THREADS",
    "NUM_STREAMS",
    "INFERENCE_PRECISION_HINT",
    "EXECUTION_MODE_HINT",
    "ENABLE_CPU_PINNING",
    "ENABLE_HYPER_THREADING",
    "SCHEDULING_CORE_TYPE",
    "CPU_DENORMALS_OPTIMIZATION",
    "RUNTIME_REQUIREMENTS",
)


def open_backend(variant: str = "") -> OpenVinoBackend:
    """Import OpenVINO without its telemetry and return the backend."""
    sys.modules.setdefault("openvino_telemetry", None)  # type: ignore[arg-type]  # None makes its import fail
    try:
        import openvino
    except ImportError as exc:
        raise BackendUnavailable.missing(NAME, INSTALL_COMMAND, exc) from exc
    check_runtime(NAME, str(openvino.__version__))  # here, because older ones have no openvino.Core
    return OpenVinoBackend(openvino)


class OpenVinoBackend:
    """Compiles models for the CPU: latency hint, one stream, an explicit number of threads."""

    name = NAME
    device = VARIANTS[""]
    install_command = INSTALL_COMMAND

    def __init__(self, runtime: ModuleType) -> None:
        self._runtime = runtime
        self._core = runtime.Core()

    def version(self) -> str:
        """Return the version of the runtime."""
        return str(self._runtime.__version__)

    def versions(self) -> Dict[str, str]:
        """Return the version of everything here that may change a time."""
        return {"openvino": self.version(), "numpy": np.__version__}

    def load(self, model: bytes, config: RunConfig) -> OpenVinoExecutable:
        """Compile ``model`` and check what OpenVINO made of the configuration."""
        return self._compiled(model, config, {})

    def operator_times(self, model: bytes, config: RunConfig, loops: int) -> OperatorProfile:
        """Run the model with performance counters on; OpenVINO averages them over all inferences, the first too.

        It counts whole microseconds of that average, so operators faster than one are missing.
        """
        with self._compiled(model, config, {"PERF_COUNT": True}) as executable:
            executable.elapsed_ns(WARMUP_LOOPS)
            elapsed_ns = executable.elapsed_ns(loops)
            return OperatorProfile(executable.operators(), elapsed_ns / loops / 1e3)

    def _compiled(self, model: bytes, config: RunConfig, extra: Dict[str, Any]) -> OpenVinoExecutable:
        if config.device != "cpu" or config.precision not in PRECISION_HINTS:
            raise UnsupportedConfig(
                f"The openvino backend times {' or '.join(PRECISION_HINTS)} on the cpu; "
                f"asked for {config.precision} on {config.device!r}. On a cpu, fp16 models are computed in fp32"
            )
        listed = self._core.get_property(DEVICE, "OPTIMIZATION_CAPABILITIES")
        if CAPABILITIES.get(config.precision, "FP32") not in listed:
            raise UnsupportedConfig(
                f"asked openvino for {config.precision}; this processor has no instructions for it, OpenVINO lists "
                f"{', '.join(listed)}. Take one that has, or --precision fp32 or int8"
            )
        properties = {
            "PERFORMANCE_HINT": "LATENCY",
            "INFERENCE_NUM_THREADS": config.threads,
            "NUM_STREAMS": 1,
            "INFERENCE_PRECISION_HINT": PRECISION_HINTS[config.precision],
            **extra,
        }
        try:
            read = self._core.read_model(model)
            outputs = [port.get_any_name() for port in read.outputs]  # compiling may give an output other names too
            compiled = self._core.compile_model(read, DEVICE, properties)
        except Exception as exc:  # OpenVINO raises RuntimeError and, for some models, TypeError
            raise ModelRejected(f"openvino {self.version()} cannot compile the model: {exc}") from exc
        _refuse_changes(compiled, config)
        return OpenVinoExecutable(self._runtime, compiled, config, outputs)


class OpenVinoExecutable(Closing):
    """A compiled model and one infer request whose input tensors are bound once."""

    def __init__(self, runtime: ModuleType, compiled: Any, config: RunConfig, outputs: Sequence[str]) -> None:
        self._runtime = runtime
        self._compiled: Any = compiled
        self.inputs: Arrays = {port.get_any_name(): _bound_input(port) for port in compiled.inputs}
        self.input_shapes: Dict[str, Tuple[int, ...]] = {name: value.shape for name, value in self.inputs.items()}
        self._outputs = list(zip(outputs, compiled.outputs))
        self.options = _options_read_back(compiled, config)
        self.idles_quietly = True  # its threads are shared by all models and sleep when there is nothing to do
        self._request: Any = compiled.create_infer_request()
        self._request_of_run: Any = None
        for name, value in self.inputs.items():
            self._request.set_tensor(name, runtime.Tensor(value, shared_memory=True))

    def elapsed_ns(self, loops: int) -> int:
        """Run ``loops`` inferences on the bound inputs and return the nanoseconds taken."""
        infer = self._request.infer
        start = time.perf_counter_ns()
        for _ in range(loops):
            infer(share_outputs=True)  # the default copies every output: 5 % of a block with large activations
        return time.perf_counter_ns() - start

    def run(self, inputs: Arrays) -> Arrays:
        """Return the outputs for ``inputs``, by name; raises `ModelRejected` if they do not fit.

        Inputs are not copied; outputs are, because a program gives them back while the next ones are written.
        """
        if inputs.keys() != self.inputs.keys():
            raise ModelRejected(f"openvino has the inputs {sorted(self.inputs)}; it was given {sorted(inputs)}")
        if self._request_of_run is None:
            self._request_of_run = self._compiled.create_infer_request()  # the other one keeps its inputs
        try:
            results = self._request_of_run.infer(inputs, share_inputs=True)
        except Exception as exc:
            raise ModelRejected(f"openvino cannot run the model on these inputs: {exc}") from exc
        return {name: results[port] for name, port in self._outputs}

    def operators(self) -> Tuple[OperatorTime, ...]:
        """Return the counters of the operators that ran, if they are on."""
        executed = self._runtime.ProfilingInfo.Status.EXECUTED
        nodes = _nodes_by_operator(self._compiled.get_runtime_model())
        return tuple(
            OperatorTime(
                info.node_name,
                f"{info.node_type} {info.exec_type}",
                info.real_time.total_seconds() * 1e6,
                nodes.get(info.node_name, ()),
            )
            for info in self._request.get_profiling_info()
            if info.status == executed
        )

    def close(self) -> None:
        """Release the model."""
        self._request = self._request_of_run = None
        self._outputs = []
        self._compiled = None


def _refuse_changes(compiled: Any, config: RunConfig) -> None:
    """Raise when OpenVINO compiled for another device, precision or thread count than asked for."""
    devices = list(compiled.get_property("EXECUTION_DEVICES"))
    if devices != [DEVICE]:
        raise FallbackRefused(f"asked openvino for {DEVICE}; it compiled for {', '.join(devices)}")
    read_back = _options_read_back(compiled, config)
    for name, asked in (("threads", config.threads), ("precision", config.precision)):
        if read_back[name] != asked:
            raise UnsupportedConfig(f"asked openvino for {name} {asked}; it reports {read_back[name]} on this machine")


def _options_read_back(compiled: Any, config: RunConfig) -> Dict[str, Any]:
    supported = compiled.get_property("SUPPORTED_PROPERTIES")
    options = {name: _plain(compiled.get_property(name)) for name in READ_BACK if name in supported}
    hint = compiled.get_property("INFERENCE_PRECISION_HINT").get_type_name()
    asked = PRECISION_HINTS[config.precision]
    precision = config.precision if hint == asked else hint
    threads = int(compiled.get_property("INFERENCE_NUM_THREADS"))
    return dict(options, threads=threads, precision=precision)


def _nodes_by_operator(graph: Any) -> Dict[str, Tuple[str, ...]]:
    """Return which of the model's nodes each operator of the compiled graph executes."""
    found = {}
    for operator in graph.get_ordered_ops():
        details = operator.get_rt_info()
        names = str(details["originalLayersNames"].astype(str)) if "originalLayersNames" in details else ""
        found[operator.get_friendly_name()] = tuple(name for name in names.split(",") if name)
    return found


def _plain(value: Any) -> Any:
    """Return a property as something JSON can hold; enumerations by name, without OpenVINO's own numbering."""
    return value if isinstance(value, (str, int, float, bool)) else getattr(value, "name", str(value))


def _bound_input(port: Any) -> NDArray[Any]:
    shape = port.partial_shape
    if shape.is_dynamic:
        raise ModelRejected(f"input {port.get_any_name()!r} has shape {shape}; expected fixed sizes")
    return synthetic_input(tuple(shape.to_shape()), np.dtype(port.element_type.to_dtype()))
