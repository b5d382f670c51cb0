"""OpenVINO's devices are opened by name and held to it; by a scripted runtime, as a machine may have none."""

import json
import sys
from types import SimpleNamespace

import numpy as np
import pytest

from gnomon.profilers import BackendUnavailable, FallbackRefused, RunConfig, UnsupportedConfig, load_backend
from gnomon.profilers.testing import AFFINE_SHAPE

CPU_ONLY = ("INFERENCE_NUM_THREADS",)
COMMON = ("SUPPORTED_PROPERTIES", "FULL_DEVICE_NAME", "PERFORMANCE_HINT", "NUM_STREAMS", "INFERENCE_PRECISION_HINT")
PORT = SimpleNamespace(
    get_any_name=lambda: "x",
    partial_shape=SimpleNamespace(is_dynamic=False, to_shape=lambda: AFFINE_SHAPE),
    element_type=SimpleNamespace(to_dtype=lambda: np.float32),
)


class Compiled:
    inputs = outputs = [PORT]  # noqa: RUF012

    def __init__(self, core, properties):
        self.core = core
        self.properties = properties

    def get_property(self, name):
        if name == "EXECUTION_DEVICES":
            return self.core.execution_devices
        if name == "SUPPORTED_PROPERTIES":
            return self.core.known
        if name == "INFERENCE_PRECISION_HINT":
            return SimpleNamespace(get_type_name=lambda: self.core.precision)
        return self.properties[name]

    def create_infer_request(self):
        return SimpleNamespace(set_tensor=lambda name, value: None, infer=lambda **_: None)


class Core:
    """A machine with a GPU, until a test says otherwise; it refuses, as OpenVINO does, properties that it lacks."""

    available_devices = ("CPU", "GPU.0", "GPU.1")
    known = COMMON
    execution_devices = ("GPU.0",)
    precision = "f32"
    capabilities = ("FP32", "FP16")
    asked = None

    def get_property(self, device, name):
        told = {"FULL_DEVICE_NAME": "Scripted Graphics", "OPTIMIZATION_CAPABILITIES": self.capabilities}
        return {"SUPPORTED_PROPERTIES": self.known, **told}[name]

    def read_model(self, model):
        return SimpleNamespace(outputs=[PORT])

    def compile_model(self, model, device, properties):
        Core.asked = (device, dict(properties))
        unknown = set(properties) - set(self.known)
        if unknown:
            raise RuntimeError(f"Unsupported property {unknown}")
        return Compiled(self, properties)


@pytest.fixture
def core(monkeypatch):
    """Install a scripted ``openvino`` and return the class of its core."""
    core = type("ScriptedCore", (Core,), {})
    scripted = SimpleNamespace(__version__="2099.1", Core=core, Tensor=lambda value, shared_memory: value)
    monkeypatch.setitem(sys.modules, "openvino", scripted)
    return core


GPU = RunConfig("gpu")


def test_a_gpu_is_compiled_for_by_name_with_the_properties_it_knows(core):
    with load_backend("openvino:gpu").load(b"model", GPU) as executable:
        assert executable.options["EXECUTION_DEVICES"] == ["GPU.0"]
        assert (executable.options["threads"], executable.options["precision"]) == (1, "fp32")
        assert json.loads(json.dumps(executable.options)) == executable.options
    device, properties = core.asked
    assert device == "GPU"
    assert set(properties) == {"PERFORMANCE_HINT", "NUM_STREAMS", "INFERENCE_PRECISION_HINT"}


def test_which_gpu_it_is_belongs_to_the_versions(core):
    versions = load_backend("openvino:gpu").versions()
    assert versions["openvino_full_device_name"] == "Scripted Graphics"
    assert "openvino_full_device_name" not in load_backend("openvino").versions()


@pytest.mark.parametrize("devices", [("CPU",), ("GPU.0",), ("CPU", "GPU.0"), ("AUTO",), ()])
def test_a_model_compiled_for_something_else_is_refused(core, devices):
    core.execution_devices, core.available_devices = devices, ("CPU", "NPU")
    with pytest.raises(FallbackRefused, match="asked openvino for NPU"):
        load_backend("openvino:npu").load(b"model", RunConfig("npu"))


@pytest.mark.parametrize(("name", "driver"), [("gpu", "intel-opencl-icd"), ("npu", "intel-level-zero-npu")])
def test_a_device_that_is_absent_is_answered_with_those_present_and_its_driver(core, name, driver):
    core.available_devices = ("CPU",)
    with pytest.raises(BackendUnavailable, match=f"needs the device {name.upper()}; openvino 2099.1 has CPU") as caught:
        load_backend(f"openvino:{name}")
    assert driver in caught.value.install_command


def test_a_name_that_only_begins_alike_is_no_device(core):
    core.available_devices = ("CPU", "GPUX")
    with pytest.raises(BackendUnavailable):
        load_backend("openvino:gpu")


def test_a_device_whose_precision_cannot_be_set_is_refused(core):
    core.known = tuple(name for name in COMMON if name != "INFERENCE_PRECISION_HINT")
    with pytest.raises(UnsupportedConfig, match="precision fp32; it reports unknown"):
        load_backend("openvino:gpu").load(b"model", GPU)


def test_a_device_that_computes_in_another_precision_is_refused(core):
    core.precision = "f16"
    with pytest.raises(UnsupportedConfig, match=r"precision fp32; it reports f"):
        load_backend("openvino:gpu").load(b"model", GPU)


def test_a_gpu_computes_in_16_bits_where_it_lists_them_and_in_others_not(core):
    core.precision = "f16"
    with load_backend("openvino:gpu").load(b"model", RunConfig("gpu", "fp16")) as executable:
        assert executable.options["precision"] == "fp16"
    with pytest.raises(UnsupportedConfig, match="no instructions for it, OpenVINO lists FP32, FP16"):
        load_backend("openvino:gpu").load(b"model", RunConfig("gpu", "int8"))


@pytest.mark.parametrize("config", [RunConfig(), RunConfig("npu"), RunConfig("gpu", threads=2)])
def test_a_gpu_takes_its_own_configurations_only(core, config):
    with pytest.raises(UnsupportedConfig):
        load_backend("openvino:gpu").load(b"model", config)


def test_the_cpu_still_has_its_threads_set_and_read_back(core):
    core.known, core.execution_devices = (*COMMON, *CPU_ONLY), ("CPU",)
    with load_backend("openvino").load(b"model", RunConfig(threads=2)) as executable:
        assert executable.options["threads"] == 2
        assert "EXECUTION_DEVICES" not in executable.options
    assert core.asked[0] == "CPU"
