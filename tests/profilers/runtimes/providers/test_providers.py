"""Execution providers of ONNX Runtime are asked for by name and held to it; by a scripted runtime, as few are here."""

import json
import os
import sys
from types import SimpleNamespace

import numpy as np
import pytest

from gnomon.profilers import (
    BackendUnavailable,
    BackendUnusable,
    FallbackRefused,
    OperatorsUnavailable,
    RunConfig,
    UnsupportedConfig,
    load_backend,
    profile_operators,
)
from gnomon.profilers.runtimes.provider import load_provider, provider_names
from gnomon.profilers.runtimes.providers import cuda
from gnomon.profilers.testing import AFFINE_SHAPE

CPU = "CPUExecutionProvider"
CALLS = []


def part(provider, *nodes):
    found = [SimpleNamespace(op_type=kind, name=name) for kind, name in nodes]
    return SimpleNamespace(ep_name=provider, get_nodes=lambda: found)


class Binding:
    def __init__(self):
        self.outputs = []

    def bind_ortvalue_input(self, name, value):
        CALLS.append(("input", value.place))

    def bind_output(self, name, place):
        self.outputs = [SimpleNamespace(place=place)]

    def bind_ortvalue_output(self, name, value):
        CALLS.append(("output", value.place))

    def get_outputs(self):
        return self.outputs

    def synchronize_outputs(self):
        CALLS.append(("synchronize", None))


class Session:
    """What a session of the scripted runtime answers; tests change what they need."""

    providers = (CPU,)
    parts = ()
    reported = {}  # noqa: RUF012

    def __init__(self, model, options, providers, enable_fallback):
        self.options = options
        CALLS.append(("session", (providers, enable_fallback)))

    def disable_fallback(self):
        CALLS.append(("disable_fallback", None))

    def get_providers(self):
        return list(self.providers)

    def get_provider_options(self):
        return self.reported

    def get_provider_graph_assignment_info(self):
        return list(self.parts)

    def get_session_options(self):
        return self.options

    def get_inputs(self):
        return [SimpleNamespace(name="x", shape=list(AFFINE_SHAPE), type="tensor(float)")]

    def get_outputs(self):
        return [SimpleNamespace(name="y")]

    def io_binding(self):
        return Binding()

    def run_with_iobinding(self, binding):
        CALLS.append(("run", None))


class SessionOptions:
    def __init__(self):
        self.entries = {}

    def add_session_config_entry(self, key, value):
        self.entries[key] = value

    def get_session_config_entry(self, key):
        return self.entries[key]


def placed(value, place="cpu", index=0):
    if place == "broken":
        raise RuntimeError("no CUDA-capable device is detected")
    return SimpleNamespace(place=place, value=value)


@pytest.fixture
def runtime(monkeypatch):
    """Install a scripted ``onnxruntime`` whose sessions are of the class that is its ``InferenceSession``."""
    CALLS.clear()
    names = [load_provider(name).name for name in ("cpu", "cuda", "tensorrt", "xnnpack")]
    scripted = SimpleNamespace(
        __version__="1.99.0",
        ExecutionMode=SimpleNamespace(ORT_SEQUENTIAL="sequential"),
        GraphOptimizationLevel=SimpleNamespace(ORT_ENABLE_ALL="all"),
        InferenceSession=type("InferenceSession", (Session,), {}),
        OrtValue=SimpleNamespace(ortvalue_from_numpy=placed),
        SessionOptions=SessionOptions,
        disable_telemetry_events=lambda: None,
        get_available_providers=lambda: names,
        preload_dlls=lambda: CALLS.append(("preload", None)),
        set_default_logger_severity=lambda level: None,
    )
    monkeypatch.setitem(sys.modules, "onnxruntime", scripted)
    monkeypatch.setitem(sys.modules, "tensorrt", None)
    monkeypatch.setenv("NVIDIA_TF32_OVERRIDE", "1")
    return scripted


def script(runtime, variant, **answers):
    """Let sessions put everything on the provider of ``variant``, but for what ``answers`` say; return its backend."""
    provider = load_provider(variant)
    right = {
        "providers": (provider.name, CPU),
        "parts": (part(provider.name, ("Gemm", "layer00.matmul0")),),
        "reported": {provider.name: provider.options(RunConfig(provider.device))},
    }
    for name, value in {**right, **answers}.items():
        setattr(runtime.InferenceSession, name, value)
    return load_backend(f"onnxruntime:{variant}")


GPU = RunConfig("gpu")


@pytest.mark.parametrize("variant", ["cuda", "tensorrt"])
def test_a_gpu_is_timed_without_copies_and_until_it_has_finished(runtime, variant):
    with script(runtime, variant).load(b"model", GPU) as executable:
        assert {place for kind, place in CALLS if kind in ("input", "output")} == {"cuda"}
        CALLS.clear()
        executable.elapsed_ns(3)
    assert [kind for kind, _ in CALLS] == ["run", "run", "run", "synchronize"]


def test_the_host_is_not_synchronised_and_keeps_its_values(runtime):
    config = RunConfig(threads=2)
    reported = {"reported": {"XnnpackExecutionProvider": {"intra_op_num_threads": "2"}}}
    with script(runtime, "xnnpack", **reported).load(b"model", config) as executable:
        executable.elapsed_ns(2)
        assert executable.options["threads"] == 2
        assert executable.idles_quietly  # ONNX Runtime's pool, which would spin, has one thread
    assert ("synchronize", None) not in CALLS
    assert ("input", "cpu") in CALLS


@pytest.mark.parametrize("variant", ["cuda", "tensorrt", "xnnpack"])
def test_one_provider_is_asked_for_and_no_other_is_tried(runtime, variant):
    config = RunConfig(load_provider(variant).device)
    with script(runtime, variant).load(b"model", config) as executable:
        options = load_provider(variant).options(config)
        assert executable.options["provider_options"] == options
        assert json.loads(json.dumps(executable.options)) == executable.options
    assert ("session", ([(load_provider(variant).name, options)], 0)) in CALLS


@pytest.mark.parametrize("variant", ["cuda", "tensorrt", "xnnpack"])
def test_nodes_that_strayed_are_named_and_counted(runtime, variant):
    strayed = [("HardSwish", f"layer0{n}.act1") for n in range(7)]
    parts = (part(load_provider(variant).name, ("Conv", "layer00.conv0")), part(CPU, *strayed))
    backend = script(runtime, variant, parts=parts)
    with pytest.raises(FallbackRefused) as caught:
        backend.load(b"model", RunConfig(backend.device))
    assert f"HardSwish 'layer00.act1' on {CPU}" in str(caught.value)
    assert str(caught.value).count("HardSwish") == 5
    assert "and 2 more nodes" in str(caught.value)
    assert "Conv" not in str(caught.value)


def test_a_provider_that_did_not_start_ends_the_plan_instead_of_timing_the_cpu(runtime):
    with pytest.raises(UnsupportedConfig, match=f"could not start it and chose {CPU}"):
        script(runtime, "cuda", providers=(CPU,)).load(b"model", GPU)


def test_a_third_provider_in_the_session_is_refused(runtime):
    providers = ("TensorrtExecutionProvider", "CUDAExecutionProvider", CPU)
    with pytest.raises(FallbackRefused, match="CUDAExecutionProvider"):
        script(runtime, "tensorrt", providers=providers).load(b"model", GPU)


def test_a_runtime_that_cannot_tell_the_placement_is_made_to_fail_by_itself(runtime):
    backend = script(runtime, "cuda")
    plain = {name: value for name, value in vars(Session).items() if "assignment" not in name}
    runtime.InferenceSession = type("Old", (), {**plain, **vars(runtime.InferenceSession)})
    with backend.load(b"model", GPU) as executable:
        assert executable.options["nodes_checked"] is False
        assert executable._session.options.entries["session.disable_cpu_ep_fallback"] == "1"


def test_an_option_that_the_provider_changed_is_refused(runtime):
    options = {**load_provider("cuda").options(GPU), "use_tf32": "1"}
    with pytest.raises(UnsupportedConfig, match=r"use_tf32=0; it reports 1"):
        script(runtime, "cuda", reported={"CUDAExecutionProvider": options}).load(b"model", GPU)


def test_options_that_the_provider_does_not_report_are_listed(runtime):
    with script(runtime, "cuda", reported={}).load(b"model", GPU) as executable:
        assert "use_tf32" in executable.options["provider_options_unreported"]


@pytest.mark.parametrize("config", [RunConfig(), RunConfig("gpu", threads=2), RunConfig("gpu", "int8")])
def test_a_gpu_takes_its_own_configurations_only(runtime, config):
    with pytest.raises(UnsupportedConfig):
        script(runtime, "cuda").load(b"model", config)


def test_a_gpu_that_does_not_answer_ends_the_plan(runtime, monkeypatch):
    monkeypatch.setattr(runtime.OrtValue, "ortvalue_from_numpy", lambda value, *_: placed(value, "broken"))
    with pytest.raises(BackendUnusable, match=r"no CUDA-capable device.*nvidia-smi"):
        script(runtime, "cuda").load(b"model", GPU)


def test_tensorrt_takes_no_tf32_for_full_precision(runtime):
    script(runtime, "tensorrt").load(b"model", GPU).close()
    assert os.environ["NVIDIA_TF32_OVERRIDE"] == "0"


def test_tensorrt_whose_libraries_are_not_there_is_not_available(runtime, tmp_path):
    (tmp_path / "capi").mkdir()
    for name in ("shared", "tensorrt"):
        (tmp_path / f"capi/libonnxruntime_providers_{name}.so").write_bytes(b"not a library")
    runtime.__file__ = str(tmp_path / "__init__.py")
    with pytest.raises(BackendUnusable, match=r"1\.99\.0 cannot load TensorRT here: .*libonnxruntime") as caught:
        load_provider("tensorrt").start(runtime)
    assert caught.value.install_command.endswith('"tensorrt<11"')


def test_which_gpu_and_driver_it_is_belongs_to_the_versions(tmp_path):
    for place, model in (("0000:01:00.0", "NVIDIA H100 80GB HBM3"), ("0000:02:00.0", "NVIDIA A10")):
        (tmp_path / "proc/driver/nvidia/gpus" / place).mkdir(parents=True)
        told = f"Model: \t\t {model}\nIRQ:   \t\t 77\n"
        (tmp_path / "proc/driver/nvidia/gpus" / place / "information").write_text(told)
    version = (
        "NVRM version: NVIDIA UNIX Open Kernel Module for x86_64  580.65.06  Release Build\nGCC version:  12.3.0\n"
    )
    (tmp_path / "proc/driver/nvidia/version").write_text(version)
    assert cuda.identity(tmp_path) == {"gpu": "NVIDIA H100 80GB HBM3, NVIDIA A10", "gpu_driver": "580.65.06"}
    version = "NVRM version: NVIDIA UNIX x86_64 Kernel Module  470.223.02  Sat Oct  7 15:39:11 UTC 2023\n"
    (tmp_path / "proc/driver/nvidia/version").write_text(version)
    assert cuda.identity(tmp_path)["gpu_driver"] == "470.223.02"


def test_operators_of_a_gpu_are_not_read_off_the_host(runtime):
    with pytest.raises(OperatorsUnavailable, match="onnxruntime:cuda"):
        profile_operators(script(runtime, "cuda"), b"model", GPU, loops=3)


@pytest.mark.parametrize("variant", ["cuda", "tensorrt", "xnnpack"])
def test_a_runtime_without_the_provider_is_answered_with_what_to_install(runtime, variant):
    runtime.get_available_providers = lambda: [CPU]
    with pytest.raises(BackendUnavailable, match=f"1.99.0 as installed here has no .*; it has {CPU}") as caught:
        load_backend(f"onnxruntime:{variant}")
    assert caught.value.install_command == load_provider(variant).install_command
    assert ("onnxruntime-gpu" in str(caught.value)) == (variant != "xnnpack")


def test_every_provider_says_what_the_protocol_asks_for():
    for name in provider_names():
        provider = load_provider(name)
        assert provider.device in ("cpu", "gpu", "npu")
        assert provider.memory in ("cpu", "cuda")
        assert "fp32" in provider.precisions
        assert provider.name.endswith("ExecutionProvider")


@pytest.mark.gpu
@pytest.mark.parametrize("variant", ["cuda", "tensorrt"])
def test_a_real_gpu_holds_the_inputs_of_a_model(variant):
    from gnomon.profilers.testing import affine_model, affine_outputs

    try:
        backend = load_backend(f"onnxruntime:{variant}")
        backend.load(affine_model(), GPU).close()
    except BackendUnavailable as error:
        pytest.skip(str(error))
    inputs = {"x": np.linspace(-1, 1, 16, dtype=np.float32).reshape(AFFINE_SHAPE)}
    with backend.load(affine_model(), GPU) as executable:
        assert executable.elapsed_ns(10) > 0
        assert not executable.options["provider_options_unreported"]
        np.testing.assert_allclose(executable.run(inputs)["y"], affine_outputs(inputs)["y"], rtol=1e-5, atol=1e-6)
