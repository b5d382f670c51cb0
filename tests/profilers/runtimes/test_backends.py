"""The contract, over every backend there is and over the scripted one."""

import os
import subprocess
import sys
import threading
import time
from importlib.metadata import EntryPoint
from pathlib import Path
from types import SimpleNamespace

import pytest

from gnomon.profilers import (
    BackendUnavailable,
    ModelRejected,
    RunConfig,
    UnknownBackend,
    backend_names,
    load_backend,
)
from gnomon.profilers.errors import UnsupportedConfig, VersionMissing
from gnomon.profilers.runtimes.backends.openvino import unpinned
from gnomon.profilers.runtimes.registry import device_of
from gnomon.profilers.runtimes.requirements import check_versions, install_command
from gnomon.profilers.testing import LARGE_AFFINE_SHAPE, BackendContract, FakeBackend, affine_model


def is_installed(name):
    try:
        load_backend(name)
    except BackendUnavailable:
        return False
    return True


def script(model):
    if model != affine_model():
        raise ModelRejected("no script for this model")
    return (50.0,)


class TestRegisteredBackends(BackendContract):
    @pytest.fixture
    def backend(self, registered_backend):
        return registered_backend

    def test_ours_take_two_threads_on_a_cpu(self, backend):
        if backend.device != "cpu":
            pytest.skip("threads of the CPU do not compute there")
        with backend.load(affine_model(), RunConfig(threads=2)) as executable:
            assert executable.options["threads"] == 2


class TestFakeBackend(BackendContract):
    @pytest.fixture
    def backend(self):
        return FakeBackend(script)


class OneThread(FakeBackend):
    """A third party's runtime that knows no threads."""

    def load(self, model, config):
        if config.threads != 1:
            raise UnsupportedConfig(f"{self.name} runs on one thread, not on {config.threads}")
        return super().load(model, config)


class TestOneThread(BackendContract):
    @pytest.fixture
    def backend(self):
        return OneThread(script, "one_thread")


class Nameless(FakeBackend):
    """A third party's runtime whose version stands under another name, so that profiles would not know it."""

    def versions(self):
        return {"the_runtime": "1.0"}


class Blank(FakeBackend):
    def version(self):
        return " "

    def versions(self):
        return {self.name: " "}


@pytest.mark.parametrize("kind", [Nameless, Blank])
def test_a_backend_without_its_version_is_refused_by_contract_and_loader(kind, monkeypatch):
    with pytest.raises(VersionMissing, match=r"'poor' does not say which version it is.* under 'poor'"):
        BackendContract().test_says_who_it_is(kind(script, "poor"))
    point = EntryPoint("poor", "poor_backend:open_backend", "gnomon.backends")
    monkeypatch.setitem(sys.modules, "poor_backend", SimpleNamespace(open_backend=lambda: kind(script, "poor")))
    monkeypatch.setattr("gnomon.profilers.runtimes.registry._entry_points", lambda: (point,))
    with pytest.raises(VersionMissing, match="'poor' does not say which version it is"):
        load_backend("poor")


def test_the_version_of_a_variant_may_stand_under_its_runtime():
    check_versions("fake:fast", FakeBackend(script))


@pytest.mark.slow
@pytest.mark.parametrize("name", ["onnxruntime:openvino"])
def test_a_backend_that_takes_a_process_keeps_the_contracts_in_one_of_its_own(name, require):
    require(name)
    files = [__file__, str(Path(__file__).with_name("test_program.py"))]
    command = [sys.executable, "-m", "pytest", "-q", "-p", "no:cacheprovider", *files, "-k", "TestRegisteredBackends"]
    environment = {**os.environ, "GNOMON_TESTED_BACKENDS": name}
    found = subprocess.run(command, env=environment, capture_output=True, text=True)
    assert found.returncode == 0, found.stdout[-4_000:]
    assert "passed" in found.stdout.splitlines()[-1]
    assert "skipped" not in found.stdout.splitlines()[-1]


@pytest.mark.parametrize("name", backend_names())
def test_a_backend_is_there_or_says_how_it_is_installed(name, require):
    if is_installed(name):
        assert load_backend(name).name == name
        require(name)
        return
    with pytest.raises(BackendUnavailable) as caught:
        load_backend(name)
    assert caught.value.install_command
    assert caught.value.install_command in str(caught.value)
    pytest.skip(str(caught.value))


def test_the_folder_is_the_registry():
    devices = {
        **{"onnxruntime": "cpu", "onnxruntime:cuda": "gpu", "onnxruntime:openvino": "cpu"},
        **{"onnxruntime:tensorrt": "gpu", "onnxruntime:xnnpack": "cpu"},
        **{"openvino": "cpu", "openvino:gpu": "gpu", "openvino:npu": "npu"},
    }
    assert devices.items() <= {name: device_of(name) for name in backend_names()}.items()


def test_an_unknown_backend_is_answered_with_the_known_and_the_closest():
    with pytest.raises(UnknownBackend, match=r"openvino.*Did you mean 'openvino'") as caught:
        load_backend("openvinno")
    assert caught.value.known == backend_names()


@pytest.mark.parametrize("name", ["onnxruntime", "openvino"])
def test_a_missing_runtime_is_answered_with_the_install_command(name, monkeypatch):
    monkeypatch.setitem(sys.modules, name, None)
    with pytest.raises(BackendUnavailable, match="Install it: python3 -m pip install") as caught:
        load_backend(name)
    assert caught.value.install_command == install_command(name)


def test_listing_the_backends_imports_no_runtime():
    code = (
        "import sys, gnomon.profilers as p; p.backend_names();"
        "print([name for name in ('onnxruntime', 'openvino', 'tensorrt') if name in sys.modules])"
    )
    assert subprocess.run([sys.executable, "-c", code], capture_output=True, text=True).stdout.strip() == "[]"


def test_openvino_is_loaded_without_its_telemetry():
    pytest.importorskip("openvino")
    code = (
        "import sys, gnomon.profilers as p; p.load_backend('openvino');"
        "print(any(module and name.startswith('openvino_telemetry') for name, module in sys.modules.items()))"
    )
    assert subprocess.run([sys.executable, "-c", code], capture_output=True, text=True).stdout.strip() == "False"


@pytest.mark.skipif(
    not hasattr(os, "sched_getaffinity") or len(os.sched_getaffinity(0)) < 2, reason="there is one core to run on"
)
@pytest.mark.parametrize("name", ["onnxruntime", "openvino"])
def test_inferences_of_one_thread_stay_free_to_run_on_any_core(name):
    pytest.importorskip(name)
    cores_of_caller, done = [], threading.Event()
    with load_backend(name).load(affine_model(LARGE_AFFINE_SHAPE), RunConfig()) as executable:

        def infer():
            cores_of_caller.append(threading.get_native_id())
            while not done.is_set():
                executable.elapsed_ns(100)

        thread = threading.Thread(target=infer)
        thread.start()
        seen = set()
        while len(cores_of_caller) < 1:
            time.sleep(0.001)
        for _ in range(200):
            seen.add(frozenset(os.sched_getaffinity(cores_of_caller[0])))
            time.sleep(0.0005)
        done.set()
        thread.join()
    assert seen == {frozenset(os.sched_getaffinity(0))}


@pytest.mark.parametrize(("threads", "is_said"), [(1, True), (2, False)])
def test_openvino_pins_several_threads_as_it_does_by_default(threads, is_said):
    pytest.importorskip("openvino")
    assert unpinned(RunConfig(threads=threads)) == ({"ENABLE_CPU_PINNING": False} if is_said else {})


def test_onnxruntime_reports_where_every_node_was_placed():
    pytest.importorskip("onnxruntime")
    with load_backend("onnxruntime").load(affine_model(), RunConfig()) as executable:
        assert executable.options["nodes_checked"] is True
        assert executable.options["session.intra_op.allow_spinning"] == "1"
