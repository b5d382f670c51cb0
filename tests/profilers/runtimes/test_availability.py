"""Whether a backend works here is asked of it: by scripted runtimes, in this process and in real children."""

import json
import os
import re
import subprocess
import sys

import pytest

from gnomon.profilers import (
    BackendBroken,
    BackendUnusable,
    PlannedModel,
    RunConfig,
    TimingPolicy,
    load_backend,
    read_results,
    run_plan_locally,
    write_plan,
)
from gnomon.profilers.runtimes.availability import availability
from gnomon.profilers.testing import affine_model
from gnomon.profilers.transports.local import LocalDevice

PLUGIN = "onnxruntime:openvino"
# A plugin of ONNX Runtime that can be registered and then offers what a test wants; the rest of the runtime is real.
SCRIPTED_PLUGIN = """
import json, os
from types import SimpleNamespace
import onnxruntime

OFFERED = json.loads(os.environ["SCRIPTED_DEVICES"])
found, real = [], onnxruntime.get_ep_devices

def register(name, path):
    assert path == "scripted.so"
    found.extend(
        SimpleNamespace(ep_name="OpenVINOExecutionProvider", ep_metadata={"ov_device": device}) for device in OFFERED
    )

onnxruntime.get_ep_devices = lambda: [*real(), *found]
onnxruntime.register_execution_provider_library = register

def get_library_path():
    if "SCRIPTED_DEATH" in os.environ:
        os.kill(os.getpid(), int(os.environ["SCRIPTED_DEATH"]))
    return "scripted.so"
"""


def install(folder, monkeypatch, name, version, *, entry_points="", **modules):
    """Install a package for this process and its children: its metadata, and modules by name."""
    info = folder / f"{name.replace('-', '_')}-{version}.dist-info"
    info.mkdir(parents=True)
    (info / "METADATA").write_text(f"Metadata-Version: 2.1\nName: {name}\nVersion: {version}\n")
    (info / "entry_points.txt").write_text(entry_points)
    for module, code in modules.items():
        (folder / f"{module}.py").write_text(code)
    monkeypatch.syspath_prepend(str(folder))
    monkeypatch.setenv("PYTHONPATH", os.pathsep.join([str(folder), os.environ.get("PYTHONPATH", "")]))


@pytest.fixture
def plugin(tmp_path, monkeypatch):
    """Install a scripted OpenVINO plugin in front of a real one; returns what sets the devices that it offers."""
    code = {"onnxruntime_ep_openvino": SCRIPTED_PLUGIN}
    install(tmp_path / "plugin", monkeypatch, "onnxruntime-ep-openvino", "9.9", **code)
    return lambda *devices: monkeypatch.setenv("SCRIPTED_DEVICES", json.dumps(devices))


def plan_for(folder, backend, model):
    policy = TimingPolicy(min_passes=2, max_passes=2)
    models = [PlannedModel("anchor", "anchor", model), PlannedModel("layer", "layer", model)]
    write_plan(folder, backend=backend, config=RunConfig(), policy=policy, models=models)
    return folder


@pytest.mark.parametrize(("devices", "told"), [((), "none"), (("GPU", "NPU"), "GPU, NPU")])
def test_a_plugin_without_the_device_is_installed_and_not_available(plugin, devices, told):
    plugin(*devices)
    assert load_backend(PLUGIN).name == PLUGIN  # which is what once passed for being available
    found = availability(PLUGIN)
    assert (found.state, found.version, found.device) == ("not available", "", "cpu")
    assert f"asked onnxruntime-ep-openvino 9.9 for its device CPU; on this processor it has {told}." in found.reason
    assert isinstance(found.cause, BackendUnusable)
    assert "onnxruntime_ep_openvino" not in sys.modules, "it was asked elsewhere"


def test_a_plugin_that_takes_its_process_down_takes_only_that_one(plugin, monkeypatch):
    plugin("CPU")
    monkeypatch.setenv("SCRIPTED_DEATH", "11")
    found = availability(PLUGIN)
    assert found.state == "not available"
    assert "the process died with SIGSEGV" in found.reason


@pytest.mark.slow
def test_a_plugin_whose_library_cannot_be_loaded_is_not_available(tmp_path, monkeypatch):
    code = {"onnxruntime_ep_openvino": "def get_library_path():\n    return '/nowhere/plugin.so'\n"}
    install(tmp_path / "plugin", monkeypatch, "onnxruntime-ep-openvino", "9.9", **code)
    found = availability(PLUGIN)
    assert found.state == "not available"
    assert "onnxruntime-ep-openvino 9.9 cannot be loaded here" in found.reason
    assert "\n" not in found.reason


@pytest.mark.slow
def test_a_plan_for_it_is_refused_before_and_by_the_worker_and_measures_nothing(plugin, tmp_path):
    plugin()
    with pytest.raises(BackendUnusable, match="its device CPU"):
        LocalDevice().require(PLUGIN)
    with pytest.raises(BackendUnusable, match="its device CPU"):
        run_plan_locally(plan_for(tmp_path / "plan", PLUGIN, affine_model()), tmp_path / "results.jsonl")
    results = read_results(tmp_path / "results.jsonl")
    assert (results.visits, results.failures) == ((), ())


def test_a_provider_that_needs_no_start_is_asked_here():
    assert availability("onnxruntime").version == load_backend("onnxruntime").version()


def test_openvino_without_its_device_is_not_available(monkeypatch):
    backend = load_backend("openvino")

    def refuse(self, device, name):
        raise RuntimeError(f"no plugin for\n{device}")

    monkeypatch.setattr(type(backend._core), "get_property", refuse)
    found = availability("openvino")
    assert found.state == "not available"
    assert found.reason.endswith("cannot use its device CPU here: no plugin for CPU")


BROKEN = {
    "module": ("bad = nosuchmodule:x", "", "ModuleNotFoundError: No module named 'nosuchmodule'"),
    "attribute": ("bad = bad_backend:nowhere", "", "AttributeError: .*nowhere"),
    "import": ("bad = bad_backend:x", "import sys; sys.exit('a script, not a module')", "SystemExit: a script"),
    "syntax": ("bad = bad_backend:x", "def x(:", "SyntaxError"),
    "opening": ("bad = bad_backend:x", "def x():\n    raise ValueError('two\\nlines')", "ValueError: two lines"),
    "nothing": ("bad = bad_backend:x", "def x():\n    pass", "AttributeError: 'NoneType'"),
}


@pytest.fixture(params=sorted(BROKEN))
def broken(request, tmp_path, monkeypatch):
    """Install a package with a broken backend ``bad``; returns what should be said of it."""
    point, code, told = BROKEN[request.param]
    text = f"[gnomon.backends]\n{point}\n"
    install(tmp_path / "bad", monkeypatch, "bad-plug-in", "1.0", entry_points=text, bad_backend=code)
    monkeypatch.delitem(sys.modules, "bad_backend", raising=False)
    yield told
    sys.modules.pop("bad_backend", None)


def test_a_broken_plug_in_says_what_is_broken_and_whose_it_is(broken):
    with pytest.raises(BackendBroken, match=f"The backend 'bad' is broken: {broken}") as caught:
        load_backend("bad")
    assert re.search(r"the entry point 'nosuchmodule:x|bad_backend:\w+' of bad-plug-in 1\.0", str(caught.value))
    assert "\n" not in str(caught.value)
    assert availability("bad").state == "broken"


def test_a_runtime_of_ours_that_breaks_in_an_unforeseen_way_is_broken_too(tmp_path, monkeypatch):
    install(tmp_path / "site", monkeypatch, "openvino", "9.9", openvino="raise OSError('libopenvino.so: bad ELF')")
    code = (
        "from gnomon.profilers.runtimes.availability import *; f = availability('openvino'); print(f.state, f.reason)"
    )
    told = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True).stdout
    assert told.startswith("broken The backend 'openvino' is broken: OSError: libopenvino.so: bad ELF")
