"""Finding CUDA and NVML, or saying what is missing; and the real CUDA runtime, where it is installed."""

import re
from pathlib import Path

import pytest

from gnomon.profilers import BackendUnavailable
from gnomon.profilers.errors import GpuError
from gnomon.profilers.machine.noise.gpu import clock_from_conditions, slowdown_from_conditions
from gnomon.profilers.machine.nvidia_libraries import open_each
from gnomon.profilers.machine.nvml import Nvml, open_nvml
from gnomon.profilers.runtimes.nvidia import cuda


def test_without_the_cuda_runtime_the_message_has_the_command_that_installs_it():
    with pytest.raises(BackendUnavailable, match="pip install nvidia-cuda-runtime") as caught:
        cuda.open_cuda("tensorrt", [])
    assert caught.value.install_command == "pip install nvidia-cuda-runtime"


@pytest.mark.parametrize(
    ("fails", "reason"), [({"cudaGetDeviceCount": 35}, "cudaErrorInsufficientDriver"), ({}, "none")]
)
def test_without_a_gpu_or_driver_the_message_says_so(scripted, monkeypatch, fails, reason):
    library = scripted.Library(fails)
    monkeypatch.setattr(library, "_default", lambda *arguments: None)  # no device is counted
    with pytest.raises(BackendUnavailable, match=rf"no NVIDIA GPU or driver was found here: .*{reason}"):
        cuda.open_cuda("tensorrt", [library])


def test_of_several_runtimes_the_one_that_the_driver_serves_is_taken(scripted):
    newer, older = scripted.Library({"cudaGetDeviceCount": 35}), scripted.Library()
    assert cuda.open_cuda("tensorrt", [newer, older]).bus_id() == "0000:01:00.0"
    assert "cudaDeviceGetPCIBusId" in older.names


def test_the_cuda_runtime_has_every_function_that_is_called():
    library = next(open_each(cuda.NAMES, packaged=cuda.PACKAGED), None)
    if library is None:
        pytest.skip("no libcudart here: pip install nvidia-cuda-runtime")
    called = set(re.findall(r"cuda[A-Z]\w+", Path(cuda.__file__).read_text(encoding="utf-8"))) - {
        "cudaMemcpyKind",
        "cudaDeviceAttr",
    }
    assert len(called) > 20
    assert not [name for name in called if not hasattr(library, name)]
    runtime = cuda.Cuda(library)
    assert float(runtime.version()) >= 11
    if runtime.driver_version() == "0.0":
        with pytest.raises(GpuError, match="cudaErrorInsufficientDriver"):
            runtime.devices()


def test_a_runtime_too_old_to_have_a_function_is_said(scripted):
    library = scripted.Library()
    library.cudaGraphInstantiateWithFlags = None
    with pytest.raises(GpuError, match=r"CUDA 11\.4"):
        cuda.Cuda(library).instantiate(1)


def test_nvml_tells_who_the_gpu_is_and_what_holds_its_clock_down(scripted):
    nvml = Nvml(scripted.NvmlLibrary(), "0000:01:00.0")
    assert nvml.identity() == {"gpu": "NVIDIA RTX A4000", "gpu_driver": "580.65.06"}
    conditions = nvml.conditions()
    assert conditions["sm_clock_mhz"] == 1560
    assert conditions["clock_limited_by"] == ("idle", "power cap")
    assert slowdown_from_conditions(conditions).severity == "bad"
    assert slowdown_from_conditions(conditions).value == "power cap"  # idle is no slowdown
    assert clock_from_conditions(conditions).severity == "warn"


def test_nvml_of_another_release_tells_what_it_can(scripted):
    renamed = ("nvmlDeviceGetCurrentClocksEventReasons",)
    assert Nvml(scripted.NvmlLibrary(renamed), None).conditions()["clock_limited_by"] == ("idle", "power cap")
    gone = (
        *renamed,
        "nvmlDeviceGetCurrentClocksThrottleReasons",
        "nvmlDeviceGetApplicationsClock",
        "nvmlDeviceGetName",
    )
    conditions = Nvml(scripted.NvmlLibrary(gone), None).conditions()
    assert conditions["clock_limited_by"] is None
    assert conditions["sm_clock_application_mhz"] is None
    assert slowdown_from_conditions(conditions) is None
    assert "gpu" not in Nvml(scripted.NvmlLibrary(gone), None).identity()


def test_a_clock_that_somebody_set_is_fine(scripted):
    conditions = Nvml(scripted.NvmlLibrary(reasons=0x2), None).conditions()
    assert clock_from_conditions(conditions).severity == "ok"
    assert slowdown_from_conditions(conditions).severity == "ok"


def test_an_nvml_that_refuses_counts_as_none(scripted):
    assert open_nvml(library=scripted.NvmlLibrary(lacks=("nvmlInit_v2",))) is None
