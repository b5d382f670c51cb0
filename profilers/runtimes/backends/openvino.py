"""OpenVINO on one device, asked for by name, with every property that moves a time set by name and read back.

Importing OpenVINO starts a telemetry thread and writes to the home folder unless its telemetry package is hidden
first; `open_backend` hides it. The device is always named, because OpenVINO's default is AUTO. There is no model
cache, so a load is a load. Unlike ONNX Runtime, OpenVINO may change what was asked for (threads, precision): what it
reports after compilation must agree, or the configuration is refused. Devices know different properties: those that a
device does not know are not set, but a precision must be. Nothing is timed but the hot loop; on a GPU or an NPU it has
the copies from and to the host that an inference on host tensors makes.
"""

from __future__ import annotations

import sys
import time
from types import ModuleType
from typing import TYPE_CHECKING, Any, Dict, NamedTuple, Sequence, Tuple

import numpy as np

from ...errors import BackendUnavailable, BackendUnusable, FallbackRefused, ModelRejected, UnsupportedConfig
from ...run_config import RunConfig
from ..backend import OperatorProfile, OperatorTime, synthetic_input
from ..closing import Closing
from ..conflicts import OPENVINO, refuse_conflict
from ..graphs.fused_graph import FusedGraph
from ..graphs.openvino import graph_from_runtime_model
from ..ranges import Ranges, ranges_of
from ..requirements import check_runtime, install_command

if TYPE_CHECKING:
    from numpy.typing import NDArray

    Arrays = Dict[str, NDArray[Any]]

NAME = "openvino"
INSTALL_COMMAND = install_command("openvino")
LEVEL_ZERO = "intel-level-zero-npu*.deb (from https://github.com/intel/linux-npu-driver/releases)"
PRECISION_HINTS = {"fp32": "f32", "int8": "f32", "bf16": "bf16", "fp16": "f16"}  # int8 is in the model, the rest f32
CAPABILITIES = {"int8": "INT8", "bf16": "BF16", "fp16": "FP16"}  # what the device must list, or it computes in others
WARMUP_LOOPS = 5  # inferences before those whose wall time counts
IDENTITY = ("FULL_DEVICE_NAME", "NPU_DRIVER_VERSION", "GPU_UARCH_VERSION")  # of a device that is not the host's CPU
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


class _Device(NamedTuple):
    """A device: its kind, OpenVINO's name of it, and the command that installs its driver, besides OpenVINO."""

    kind: str
    name: str
    driver: str


DEVICES = {
    "": _Device("cpu", "CPU", ""),
    "gpu": _Device("gpu", "GPU", "sudo apt-get install intel-opencl-icd && sudo usermod -aG render $USER"),
    "npu": _Device("npu", "NPU", f"sudo dpkg -i intel-fw-npu*.deb intel-driver-compiler-npu*.deb {LEVEL_ZERO}"),
}
VARIANTS = {variant: device.kind for variant, device in DEVICES.items()}


def open_backend(variant: str = "") -> OpenVinoBackend:
    """Import OpenVINO without its telemetry and return the backend of a device.

    Raises `BackendUnavailable` where OpenVINO is not installed or has no such device, `RuntimeConflict`.
    """
    name, device = f"{NAME}:{variant}" if variant else NAME, DEVICES[variant]
    refuse_conflict(OPENVINO)
    sys.modules.setdefault("openvino_telemetry", None)  # type: ignore[arg-type]  # None makes its import fail
    try:
        import openvino
    except ImportError as exc:
        raise BackendUnavailable.missing(name, INSTALL_COMMAND, exc) from exc
    check_runtime(NAME, str(openvino.__version__))  # here, because older ones have no openvino.Core
    backend = OpenVinoBackend(openvino, name, device)
    if device.driver:
        backend.require_device()
    return backend


class OpenVinoBackend:
    """Compiles models for one device: latency hint, one stream, an explicit number of threads."""

    def __init__(self, runtime: ModuleType, name: str, device: _Device) -> None:
        self.name = name
        self.device = device.kind
        self.install_command = device.driver or INSTALL_COMMAND
        self._runtime = runtime
        self._device = device
        self._core = runtime.Core()

    def require_device(self) -> None:
        """Raise `BackendUnavailable` unless OpenVINO has the device; of several it takes the first."""
        found = self._core.available_devices
        if not any(_is_device(device, self._device.name) for device in found):
            raise BackendUnavailable(
                f"The backend {self.name!r} needs the device {self._device.name}; openvino {self.version()} has "
                f"{', '.join(found) or 'none'} here. Install its driver: {self.install_command}",
                install_command=self.install_command,
            )

    def require_usable(self) -> None:
        """Ask the device for its name; raises `BackendUnusable` where OpenVINO has none to tell."""
        try:
            self._core.get_property(self._device.name, "FULL_DEVICE_NAME")
        except Exception as exc:  # OpenVINO raises RuntimeError
            raise BackendUnusable(
                f"openvino {self.version()} cannot use its device {self._device.name} here: {exc}"
            ) from exc

    def version(self) -> str:
        """Return the version of the runtime."""
        return str(self._runtime.__version__)

    def versions(self) -> Dict[str, str]:
        """Return the version of everything here that may change a time."""
        versions = {"openvino": self.version(), "numpy": np.__version__}
        known = self._known_properties() if self._device.driver else ()
        told = {name: str(self._core.get_property(self._device.name, name)) for name in IDENTITY if name in known}
        return {**versions, **{f"openvino_{name.lower()}": value for name, value in told.items()}}

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

    def fused_graph(self, model: bytes, config: RunConfig) -> FusedGraph:
        """Return which nodes of ``model`` each primitive of the compiled model computes, in which layout."""
        with self._compiled(model, config, {}) as executable:
            return graph_from_runtime_model(model, self._core.read_model(model), executable.runtime_model())

    def _compiled(self, model: bytes, config: RunConfig, extra: Dict[str, Any]) -> OpenVinoExecutable:
        _refuse_config(config, self.name, self.device)
        self._require_precision(config.precision)
        properties = {
            "PERFORMANCE_HINT": "LATENCY",
            "INFERENCE_NUM_THREADS": config.threads,
            "NUM_STREAMS": 1,
            "INFERENCE_PRECISION_HINT": PRECISION_HINTS[config.precision],
            **unpinned(config),
            **extra,
        }
        known = self._known_properties()
        properties = {name: value for name, value in properties.items() if name in known}
        try:
            read = self._core.read_model(model)
            outputs = [port.get_any_name() for port in read.outputs]  # compiling may give an output other names too
            compiled = self._core.compile_model(read, self._device.name, properties)
        except Exception as exc:  # OpenVINO raises RuntimeError and, for some models, TypeError
            raise ModelRejected(f"openvino {self.version()} cannot compile the model: {exc}") from exc
        _refuse_changes(compiled, config, self._device.name)
        return OpenVinoExecutable(self._runtime, compiled, config, outputs, ranges_of(model))

    def _require_precision(self, precision: str) -> None:
        listed = self._core.get_property(self._device.name, "OPTIMIZATION_CAPABILITIES")
        if CAPABILITIES.get(precision, "FP32") not in listed:
            raise UnsupportedConfig(
                f"asked {self.name} for {precision}; this device has no instructions for it, OpenVINO lists "
                f"{', '.join(listed)}. Take one that has, or precision fp32 or int8"
            )

    def _known_properties(self) -> Sequence[str]:
        return tuple(self._core.get_property(self._device.name, "SUPPORTED_PROPERTIES"))


class OpenVinoExecutable(Closing):
    """A compiled model and one infer request whose input tensors are bound once."""

    def __init__(
        self, runtime: ModuleType, compiled: Any, config: RunConfig, outputs: Sequence[str], ranges: Ranges
    ) -> None:
        self._runtime = runtime
        self._compiled: Any = compiled
        self.inputs: Arrays = {port.get_any_name(): _bound_input(port, ranges) for port in compiled.inputs}
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

    def runtime_model(self) -> Any:
        """Return the graph that OpenVINO runs, as it tells it."""
        return self._compiled.get_runtime_model()

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


def _refuse_config(config: RunConfig, name: str, device: str) -> None:
    known = [precision for precision in PRECISION_HINTS if device != "cpu" or precision != "fp16"]
    if config.device != device or config.precision not in known:
        raise UnsupportedConfig(
            f"The {name} backend times {' or '.join(known)} on the {device}; asked for {config.precision} on "
            f"{config.device!r}{'. On a cpu, fp16 models are computed in fp32' if device == 'cpu' else ''}"
        )
    if device != "cpu" and config.threads != 1:
        raise UnsupportedConfig(
            f"threads are the host's, and {name} computes on the {device}; asked for {config.threads}, expected 1"
        )


def _is_device(reported: str, asked: str) -> bool:
    """Tell whether a device that OpenVINO reports, such as GPU.0, is the one asked for."""
    return reported.partition(".")[0] == asked


def unpinned(config: RunConfig) -> Dict[str, Any]:
    """Leave one thread where the scheduler has it, as it leaves the threads of other runtimes.

    By default each inference moves the calling thread to the first core and lets it go again, two system calls that
    small networks notice, to a core that may be busy while another is free. Several threads stay pinned by default.
    """
    return {"ENABLE_CPU_PINNING": False} if config.device == "cpu" and config.threads == 1 else {}


def _refuse_changes(compiled: Any, config: RunConfig, device: str) -> None:
    """Raise when OpenVINO compiled for another device, precision or thread count than asked for."""
    devices = list(compiled.get_property("EXECUTION_DEVICES"))
    if len(devices) != 1 or not _is_device(devices[0], device):
        raise FallbackRefused(f"asked openvino for {device}; it compiled for {', '.join(devices)}")
    read_back = _options_read_back(compiled, config)
    for name, asked in (("threads", config.threads), ("precision", config.precision)):
        if read_back[name] != asked:
            raise UnsupportedConfig(f"asked openvino for {name} {asked}; it reports {read_back[name]} on this machine")


def _options_read_back(compiled: Any, config: RunConfig) -> Dict[str, Any]:
    supported = compiled.get_property("SUPPORTED_PROPERTIES")
    options = {name: _plain(compiled.get_property(name)) for name in READ_BACK if name in supported}
    asked, hint = PRECISION_HINTS[config.precision], "unknown"
    if "INFERENCE_PRECISION_HINT" in supported:
        hint = compiled.get_property("INFERENCE_PRECISION_HINT").get_type_name()
    precision = config.precision if hint == asked else hint
    if config.device != "cpu":
        options["EXECUTION_DEVICES"] = list(compiled.get_property("EXECUTION_DEVICES"))
        return dict(options, threads=config.threads, precision=precision)
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


def _bound_input(port: Any, ranges: Ranges) -> NDArray[Any]:
    shape = port.partial_shape
    if shape.is_dynamic:
        raise ModelRejected(f"input {port.get_any_name()!r} has shape {shape}; expected fixed sizes")
    values = ranges.get(port.get_any_name())
    return synthetic_input(tuple(shape.to_shape()), np.dtype(port.element_type.to_dtype()), values)
