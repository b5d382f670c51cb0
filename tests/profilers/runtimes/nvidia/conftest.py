"""A CUDA library and a TensorRT that follow scripts: device memory is the host's, so that values can be checked too."""

import ctypes
import json
from types import SimpleNamespace

import numpy as np
import pytest

from gnomon.profilers.machine.nvml import Nvml
from gnomon.profilers.runtimes.nvidia.backend import TensorRtBackend
from gnomon.profilers.runtimes.nvidia.cuda import Cuda
from gnomon.profilers.runtimes.nvidia.engine import EngineBuilder
from gnomon.profilers.testing import AFFINE_SHAPE, affine_model, affine_outputs

LAUNCH_US = 10.0
CREATE = {  # what makes a handle, and what releases it
    "cudaMalloc": "cudaFree",
    "cudaStreamCreateWithFlags": "cudaStreamDestroy",
    "cudaEventCreate": "cudaEventDestroy",
    "cudaGraphInstantiateWithFlags": "cudaGraphExecDestroy",
    "cudaStreamEndCapture": "cudaGraphDestroy",
}
ERRORS = {2: b"cudaErrorMemoryAllocation", 35: b"cudaErrorInsufficientDriver", 700: b"cudaErrorIllegalAddress"}
ERRORS[901] = b"cudaErrorStreamCaptureInvalidated"
NUMBERS = {"cudaRuntimeGetVersion": 13050, "cudaDriverGetVersion": 13000, "cudaGetDeviceCount": 1}


class ScriptedCudaLibrary:
    """Records every call; ``fails`` maps a function to the code it returns, or (code, from which call on)."""

    def __init__(self, fails=()):
        self.fails = {name: code if isinstance(code, tuple) else (code, 1) for name, code in dict(fails).items()}
        self.names = []
        self.held = {}  # handle -> what releases it, in the order of creation
        self.released = []
        self.launches = 0
        self.is_capturing = False
        self.buffers = {}
        self.graph_work = lambda: None
        self.free_bytes = 60

    def __getattr__(self, name):
        if not name.startswith("cuda"):
            raise AttributeError(name)

        def call(*arguments):
            self.names.append(name)
            code, first = self.fails.get(name, (0, 1))
            if code and self.names.count(name) >= first:
                self.is_capturing = False
                return code
            return getattr(self, "_" + name, self._default)(name, *arguments) or 0

        return call

    def _default(self, name, *arguments):
        if name in CREATE:
            target = arguments[1 if name == "cudaStreamEndCapture" else 0]._obj
            target.value = 0x1000 + len(self.names)
            self._hold(target.value, CREATE[name])
        elif name in CREATE.values():
            assert self.held.pop(arguments[0].value) == name
            self.released.append(name)
        elif name in NUMBERS:
            arguments[0]._obj.value = NUMBERS[name]

    def _hold(self, handle, released_by):
        self.held[handle] = released_by

    def _cudaMalloc(self, name, pointer, size):
        buffer = ctypes.create_string_buffer(size.value)
        pointer._obj.value = ctypes.addressof(buffer)
        self.buffers[pointer._obj.value] = buffer
        self._hold(pointer._obj.value, "cudaFree")

    def _cudaMemcpyAsync(self, name, target, source, size, kind, stream):
        ctypes.memmove(target, source, size.value)

    def _cudaMemGetInfo(self, name, free, total):
        free._obj.value, total._obj.value = self.free_bytes, 100

    def _cudaDeviceGetAttribute(self, name, number, code, device):
        number._obj.value = {75: 8, 76: 6}[code.value]

    def _cudaDeviceGetPCIBusId(self, name, text, size, device):
        text.value = b"0000:01:00.0"

    def _cudaStreamBeginCapture(self, name, stream, mode):
        self.is_capturing = True

    def _cudaStreamEndCapture(self, name, stream, graph):
        self.is_capturing = False
        self._default(name, stream, graph)

    def _cudaGraphLaunch(self, name, instance, stream):
        self.launches += 1
        self.graph_work()

    def _cudaEventRecord(self, name, event, stream):
        self.recorded_at = [*getattr(self, "recorded_at", []), self.launches]

    def _cudaEventElapsedTime(self, name, elapsed, start, end):
        elapsed._obj.value = (self.recorded_at[-1] - self.recorded_at[-2]) * LAUNCH_US / 1e3

    def _cudaGetErrorName(self, name, code):
        return ERRORS.get(code.value, b"cudaErrorOther")

    def _cudaGetErrorString(self, name, code):
        return b"in words"


class Enum(SimpleNamespace):
    """A member of one of TensorRT's enumerations."""

    def __int__(self):
        return 0


FLOAT, DEVICE = Enum(name="FLOAT"), Enum(name="DEVICE")
MODES = {"x": Enum(name="INPUT"), "y": Enum(name="OUTPUT")}


class ScriptedContext:
    """Computes the affine model when enqueued, and when the graph captured of it is launched."""

    profiler = None

    def __init__(self, library, *, is_refusing=False):
        self.library = library
        self.addresses = {}
        self.is_refusing = is_refusing
        self.enqueued = 0

    def set_tensor_address(self, name, address):
        self.addresses[name] = address
        return True

    def execute_async_v3(self, stream):
        assert stream
        self.enqueued += 1
        if self.is_refusing:
            return False
        if self.library.is_capturing:
            self.library.graph_work = self.compute
        else:
            self.library.launches += 1
            self.compute()
        if self.profiler is not None:
            self.profiler.report_layer_time("fused", 0.02)
            self.profiler.report_layer_time("nothing", 0.0)
        return True

    def compute(self):
        x = np.ctypeslib.as_array((ctypes.c_float * 16).from_address(self.addresses["x"])).reshape(AFFINE_SHAPE)
        y = np.ctypeslib.as_array((ctypes.c_float * 16).from_address(self.addresses["y"])).reshape(AFFINE_SHAPE)
        y[:] = affine_outputs({"x": x})["y"]


class ScriptedEngine:
    num_io_tensors = 2

    def __init__(self, library, context=None):
        self.library = library
        self.context = context or ScriptedContext(library)

    def get_tensor_name(self, index):
        return "xy"[index]

    def get_tensor_shape(self, name):
        return AFFINE_SHAPE

    def get_tensor_dtype(self, name):
        return FLOAT

    def get_tensor_location(self, name):
        return DEVICE

    def get_tensor_mode(self, name):
        return MODES[name]

    def create_execution_context(self):
        return self.context

    def create_engine_inspector(self):
        layer = {"Name": "fused", "LayerType": "kgen", "Metadata": "[ONNX Layer: a.matmul0]\x1e[ONNX Layer: a.relu2]"}
        return SimpleNamespace(get_engine_information=lambda kind: json.dumps({"Layers": [layer]}))


class ScriptedConfig:
    """A builder's configuration; TF32 begins on, as TensorRT has it. ``accepts`` is the timing cache it takes."""

    builder_optimization_level = 3

    def __init__(self, accepts=b"", adds=b""):
        self.accepts, self.adds = accepts, adds
        self.flags = {"TF32"}
        self.cache = None

    def clear_flag(self, flag):
        self.flags.discard(flag)

    def get_flag(self, flag):
        return flag in self.flags

    def create_timing_cache(self, content):
        return SimpleNamespace(content=content)

    def set_timing_cache(self, cache, ignore_mismatch):
        assert ignore_mismatch is False
        if cache.content not in (b"", self.accepts):
            return False
        self.cache = cache
        return True

    def get_timing_cache(self):
        return SimpleNamespace(serialize=lambda: self.cache.content + self.adds)


def scripted_tensorrt(library, *, config=ScriptedConfig, engine=None):
    """Return a module like tensorrt 11 that knows the affine model."""
    tensor = SimpleNamespace(name="x", shape=AFFINE_SHAPE, dtype=FLOAT)
    result = SimpleNamespace(name="y", shape=AFFINE_SHAPE, dtype=FLOAT)
    layer = SimpleNamespace(num_outputs=1, get_output=lambda index: result)
    network = SimpleNamespace(num_inputs=1, get_input=lambda i: tensor, num_layers=1, get_layer=lambda i: layer)
    network.get_flag = lambda flag: True
    error = SimpleNamespace(node=lambda: 3, desc=lambda: "no such operator", node_name=lambda: "a.b", line=lambda: 7)
    parser = SimpleNamespace(num_errors=1, get_error=lambda i: error, parse=lambda model: model == affine_model())
    builder = SimpleNamespace(create_network=lambda flags: network, create_builder_config=config)
    builder.build_serialized_network = lambda network, config: b"engine"
    runtime = SimpleNamespace(deserialize_cuda_engine=lambda content: engine or ScriptedEngine(library))
    module = SimpleNamespace(__version__="11.0", Builder=lambda logger: builder, OnnxParser=lambda n, logger: parser)
    module.Runtime = lambda logger: runtime
    module.ILogger = type("ILogger", (), {"ERROR": 1, "INTERNAL_ERROR": 0, "WARNING": 2})
    module.IProfiler = type("IProfiler", (), {})
    module.NetworkDefinitionCreationFlag = SimpleNamespace(STRONGLY_TYPED=1)
    module.BuilderFlag = SimpleNamespace(TF32="TF32")
    module.ProfilingVerbosity = SimpleNamespace(DETAILED="detailed")
    module.LayerInformationFormat = SimpleNamespace(JSON="json")
    return module


class ScriptedNvmlLibrary:
    """Answers as NVML does; ``lacks`` names functions that this release does not have."""

    def __init__(self, lacks=(), reasons=0x4 | 0x1):
        self.lacks = lacks
        self.reasons = reasons

    def __getattr__(self, name):
        if name in self.lacks or not name.startswith("nvml"):
            raise AttributeError(name)
        return lambda *arguments: self._answer(name, *arguments)

    def _answer(self, name, *arguments):
        texts = {"nvmlDeviceGetName": b"NVIDIA RTX A4000", "nvmlSystemGetDriverVersion": b"580.65.06"}
        if name in texts:
            arguments[-2].value = texts[name]
        elif "Reasons" in name:
            arguments[-1]._obj.value = self.reasons
        elif name.startswith("nvmlDeviceGet") and "Handle" not in name:
            arguments[-1]._obj.value = 1560
        return 0


@pytest.fixture
def library():
    return ScriptedCudaLibrary()


@pytest.fixture
def scripted():
    """The scripted classes, for tests that need others than the plain ones."""
    return SimpleNamespace(
        Library=ScriptedCudaLibrary,
        Context=ScriptedContext,
        Engine=ScriptedEngine,
        Config=ScriptedConfig,
        NvmlLibrary=ScriptedNvmlLibrary,
    )


@pytest.fixture
def make_backend():
    """Return a function that makes a TensorRT backend on a scripted CUDA library; more goes to `scripted_tensorrt`."""

    def make(library, **scripts):
        builder = EngineBuilder("tensorrt", scripted_tensorrt(library, **scripts))
        return TensorRtBackend(builder, "pip", cuda=Cuda(library), nvml=Nvml(ScriptedNvmlLibrary(), "0000:01:00.0"))

    return make
