"""ONNX Runtime's OpenVINO plugin for real, each time in a process of its own, as it takes that process for itself."""

import json
import subprocess
import sys

import pytest

from gnomon.profilers import (
    PlannedModel,
    RunConfig,
    TimingPolicy,
    fingerprint,
    read_results,
    run_plan_locally,
    write_plan,
)
from gnomon.profilers.testing import LARGE_AFFINE_SHAPE, affine_model

pytestmark = pytest.mark.slow

NAME = "onnxruntime:openvino"
SETUP = """
import json, os, sys
from gnomon.profilers import *
from gnomon.profilers.testing import LARGE_AFFINE_SHAPE, affine_model
from gnomon.profilers.runtimes.providers import openvino as plugin
"""


@pytest.fixture(autouse=True)
def _usable(require):
    require(NAME)


def test_whoever_asks_is_told_the_version_and_keeps_no_library(require):
    assert said(
        "from gnomon.profilers.runtimes.availability import availability\n"
        f"found = [availability(name).state for name in ('openvino', '{NAME}', 'openvino')]\n"
        "print(json.dumps([found, 'onnxruntime_ep_openvino' in sys.modules]))"
    ) == [["available"] * 3, False]


def said(code):
    """Run code in a process of its own and return the JSON it prints last."""
    found = subprocess.run([sys.executable, "-c", SETUP + code], capture_output=True, text=True)
    assert found.returncode == 0, found.stderr[-2_000:]
    return json.loads(found.stdout.splitlines()[-1])


def test_opening_it_loads_no_library_so_that_all_backends_can_be_listed_in_one_process():
    assert (
        said(
            f"load_backend('{NAME}').versions(); load_backend('openvino').versions()\n"
            "print(json.dumps('onnxruntime_ep_openvino' in sys.modules))"
        )
        is False
    )


@pytest.mark.parametrize(("first", "second"), [("openvino", NAME), (NAME, "openvino")])
def test_a_second_openvino_in_the_process_is_refused(first, second):
    pytest.importorskip("openvino")
    message = said(
        f"load_backend('{first}').load(affine_model(), RunConfig())\n"
        f"try:\n    load_backend('{second}').load(affine_model(), RunConfig())\n"
        f"except RuntimeConflict as error:\n    print(json.dumps(str(error)))"
    )
    assert "both bring libopenvino" in message
    assert "gnomon profile" in message


def test_threads_take_effect():
    count = (
        f"with load_backend('{NAME}').load(affine_model(LARGE_AFFINE_SHAPE), RunConfig(threads=%d)) as one:\n"
        "    one.elapsed_ns(20)\n    print(json.dumps(len(os.listdir('/proc/self/task'))))"
    )
    if not sys.platform.startswith("linux"):
        pytest.skip("threads are counted in /proc")
    assert said(count % 1) < said(count % 2)


def test_a_precision_that_does_not_exist_is_refused_by_openvino_itself():
    message = said(
        "plugin.PRECISION_HINTS['fp32'] = 'f99'\n"
        f"try:\n    load_backend('{NAME}').load(affine_model(), RunConfig())\n"
        "except ModelRejected as error:\n    print(json.dumps(str(error)))"
    )
    assert "INFERENCE_PRECISION_HINT" in message


@pytest.mark.skipif("avx512f" not in fingerprint().isa, reason="OpenVINO rounds to bf16 from AVX-512 on")
def test_precision_takes_effect():
    code = (
        "plugin.PRECISION_HINTS['fp32'] = '%s'\n"
        "import numpy as np\n"
        f"with load_backend('{NAME}').load(affine_model(), RunConfig()) as one:\n"
        "    print(json.dumps(float(one.run({'x': np.full((1, 16), 1.001, np.float32)})['y'].sum())))"
    )
    assert said(code % "f32") != said(code % "bf16")


def test_a_plugin_that_ignores_its_properties_is_refused():
    message = said(
        "plugin.CANARY = 'NUM_STREAMS'\n"
        f"try:\n    load_backend('{NAME}').load(affine_model(), RunConfig())\n"
        "except BackendUnusable as error:\n    print(json.dumps(str(error)))"
    )
    assert "would ignore threads and precision" in message


def test_a_plugin_that_fails_for_another_reason_has_not_proven_that_it_reads_them():
    message = said(
        "plugin.RELU = b'this is not ONNX'\n"
        f"try:\n    load_backend('{NAME}').load(affine_model(), RunConfig())\n"
        "except BackendUnusable as error:\n    print(json.dumps(str(error)))"
    )
    assert "does not work here" in message


def test_more_threads_than_cpus_are_refused_because_openvino_would_take_fewer():
    message = said(
        f"try:\n    load_backend('{NAME}').load(affine_model(), RunConfig(threads=4096))\n"
        "except UnsupportedConfig as error:\n    print(json.dumps(str(error)))"
    )
    assert "4096 threads" in message


def test_a_node_that_openvino_lacks_is_named():
    from onnx import TensorProto, helper

    graph = helper.make_graph(
        [helper.make_node("Relu", ["x"], ["r"], name="fine"), helper.make_node("Det", ["r"], ["y"], name="stray")],
        "stray",
        [helper.make_tensor_value_info("x", TensorProto.FLOAT, [2, 3, 3])],
        [helper.make_tensor_value_info("y", TensorProto.FLOAT, [2])],
    )
    model = helper.make_model(graph, opset_imports=[helper.make_opsetid("", 17)], ir_version=8).SerializeToString()
    message = said(
        f"try:\n    load_backend('{NAME}').load(bytes.fromhex('{model.hex()}'), RunConfig())\n"
        "except FallbackRefused as error:\n    print(json.dumps(str(error)))"
    )
    assert "Det 'stray' on CPUExecutionProvider" in message
    assert "fine" not in message


def test_a_plan_runs_to_its_end_in_the_worker(tmp_path):
    models = [
        PlannedModel("anchor", "anchor", affine_model()),
        PlannedModel("layer", "layer", affine_model(LARGE_AFFINE_SHAPE)),
    ]
    policy = TimingPolicy(block_us=500, min_passes=2, max_passes=2, processes=1)
    write_plan(tmp_path / "plan", backend=NAME, config=RunConfig(), policy=policy, models=models)
    run_plan_locally(tmp_path / "plan", tmp_path / "results.jsonl")
    results = read_results(tmp_path / "results.jsonl")
    assert set(results.measurements) == {"layer"}
    assert not results.failures
    (session,) = results.sessions
    assert session.options["providers"] == ["OpenVINOExecutionProvider", "CPUExecutionProvider"]
    assert session.options["load_config"]["INFERENCE_NUM_THREADS"] == "1"
    assert session.versions["onnxruntime-ep-openvino"]
