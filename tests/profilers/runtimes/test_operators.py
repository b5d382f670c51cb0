"""Operators are profiled in a child; whatever happens to it, the parent gets a profile or one error."""

import json
import os
import signal
import sys

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gnomon.profilers import (
    ModelRejected,
    OperatorProfile,
    OperatorsUnavailable,
    OperatorTime,
    RunConfig,
    UnknownBackend,
    UnsupportedConfig,
    WorkerCrashed,
    load_backend,
    profile_operators,
)
from gnomon.profilers.runtimes.backends.onnxruntime import WARMUP_LOOPS, _nodes_of, _profile_from_events
from gnomon.profilers.runtimes.operators import ROUNDS, measure_operators
from gnomon.profilers.testing import LARGE_AFFINE_SHAPE, FakeBackend, affine_model

PLUGIN = '''
import json, os
from gnomon.profilers.runtimes.backend import OperatorProfile, OperatorTime
from gnomon.profilers.errors import ModelRejected
from gnomon.profilers.testing import FakeBackend

class Profiler(FakeBackend):
    """Model bytes are JSON: the wall time of each round, or a signal to die of, or an error."""

    rounds = 0

    def operator_times(self, model, config, loops):
        wish = json.loads(model)
        if "die" in wish:
            os.kill(os.getpid(), wish["die"])
        if "error" in wish:
            raise ModelRejected(wish["error"])
        print("runtimes print", flush=True)
        wall_us = wish["rounds_us"][self.rounds]
        self.rounds += 1
        tell = os.environ["OMP_NUM_THREADS"], str(os.getpid()), str(loops)
        return OperatorProfile((OperatorTime("one", "Conv", wall_us / 2, tell),), wall_us)

def open_backend():
    return Profiler(None, "profiler")
'''

texts = st.text(max_size=20)
times = st.floats(0, 1e9)
operators = st.builds(OperatorTime, texts, texts, times, st.lists(texts, max_size=3).map(tuple))


@pytest.fixture
def profiler(install_backend):
    """Make the backend ``profiler`` known to child processes."""
    return install_backend("profiler", PLUGIN)


def measure(backend, wish, threads=1):
    return measure_operators(json.dumps(wish).encode(), backend=backend, config=RunConfig(threads=threads), loops=7)


@given(st.builds(OperatorProfile, st.lists(operators, max_size=4).map(tuple), times))
def test_a_profile_survives_json(profile):
    assert OperatorProfile.from_json(json.loads(json.dumps(profile.to_json()))) == profile


@pytest.mark.slow
@pytest.mark.parametrize("name", ["onnxruntime", "openvino"])
def test_both_runtimes_can_profile_operators_in_a_child(name):
    pytest.importorskip(name)
    imported = name in sys.modules
    profile = measure_operators(affine_model(LARGE_AFFINE_SHAPE), backend=name, config=RunConfig(), loops=20)
    assert any(node.startswith("layer00.") for operator in profile.operators for node in operator.nodes)
    assert profile.inference_us > 0
    assert (name in sys.modules) == imported


@pytest.mark.slow
def test_the_fastest_round_is_kept_whole(profiler):
    walls = [9.0, 8.0, 4.0, 6.0, 5.0, 1.0]
    assert len(walls) > ROUNDS
    profile = measure(profiler, {"rounds_us": walls})
    assert profile.inference_us == 4.0
    assert [operator.value_us for operator in profile.operators] == [2.0]


@pytest.mark.slow
def test_the_runtime_runs_in_another_process_with_the_threads_asked_for(profiler):
    threads, pid, loops = measure(profiler, {"rounds_us": [1.0] * ROUNDS}, threads=3).operators[0].nodes
    assert (threads, loops) == ("3", "7")
    assert int(pid) != os.getpid()


def test_a_backend_without_a_profiler_says_so(fake_backend):
    with pytest.raises(OperatorsUnavailable, match="'fake' cannot profile operators"):
        measure(fake_backend, {"us": [1.0]})


def test_a_runtime_that_takes_the_child_down_is_named(profiler):
    with pytest.raises(WorkerCrashed, match="profiler died with SIGKILL") as caught:
        measure(profiler, {"die": signal.SIGKILL})
    assert caught.value.exit_code == -signal.SIGKILL


@pytest.mark.slow
def test_a_bug_in_a_backend_brings_its_last_words(profiler):
    with pytest.raises(WorkerCrashed, match="exit code 1") as caught:
        measure(profiler, {"no": "rounds"})
    assert "KeyError" in caught.value.stderr_tail


@pytest.mark.slow
def test_errors_of_the_child_are_raised_as_themselves(profiler):
    with pytest.raises(ModelRejected, match="not this one"):
        measure(profiler, {"error": "not this one"})
    with pytest.raises(UnknownBackend, match="profilr"):
        measure("profilr", {})
    with pytest.raises(UnsupportedConfig):
        measure_operators(affine_model(), backend="onnxruntime", config=RunConfig(precision="fp16"), loops=1)


def test_no_loops_are_no_profile():
    with pytest.raises(ValueError, match="loops is 0"):
        profile_operators(FakeBackend(lambda model: (1.0,)), b"", RunConfig(), loops=0)


def events(durations, name="layer00.conv0_nchwc", kind="Conv"):
    kernel = {"cat": "Node", "name": f"{name}_kernel_time", "args": {"op_name": kind, "node_index": "3"}}
    return [{**kernel, "dur": duration} for duration in durations]


def test_onnxruntimes_warm_up_and_slower_half_do_not_count():
    warm_up = [900] * (WARMUP_LOOPS + 1)
    inferences = [{"cat": "Session", "name": "model_run", "dur": us, "args": {}} for us in [*warm_up, 30, 10, 20, 500]]
    other = [{"cat": "Session", "name": "session_initialization", "dur": 7}]
    profile = _profile_from_events([*other, *events([*warm_up, 5, 80, 2, 3]), *inferences])
    (operator,) = profile.operators
    assert operator == OperatorTime("layer00.conv0_nchwc", "Conv", 2.5, ("layer00.conv0",))
    assert profile.inference_us == 15.0


def test_onnxruntimes_operators_of_one_name_are_kept_apart_by_their_node():
    first = events([1] * (WARMUP_LOOPS + 2), name="")
    second = [{**event, "args": {**event["args"], "node_index": "4"}} for event in first]
    profile = _profile_from_events([*first, *second, *[{"name": "model_run", "dur": 5}] * (WARMUP_LOOPS + 2)])
    assert len(profile.operators) == 2


@pytest.mark.parametrize(
    ("name", "kind", "nodes"),
    [
        ("layer01.relu3_nchwc", "Conv", ("layer01.relu3",)),
        ("layer11.gemm87", "Gemm", ("layer11.gemm87",)),
        ("fused layer00.matmul0/MatMulAddFusion", "FusedGemm", ("layer00.matmul0",)),
        ("ReorderOutput_token_106", "ReorderOutput", ()),
        ("", "Conv", ()),
    ],
)
def test_onnxruntimes_operators_know_the_nodes_they_execute(name, kind, nodes):
    assert _nodes_of(name, kind) == nodes


@pytest.mark.parametrize("name", ["onnxruntime", "openvino"])
def test_profiling_leaves_the_next_measurement_unprofiled(name, tmp_path, monkeypatch):
    pytest.importorskip(name)
    monkeypatch.chdir(tmp_path)
    backend = load_backend(name)
    backend.operator_times(affine_model(), RunConfig(), 3)
    with backend.load(affine_model(), RunConfig()) as executable:
        assert executable.elapsed_ns(10) > 0
        if name == "openvino":
            assert executable._compiled.get_property("PERF_COUNT") in ("NO", False)
    assert list(tmp_path.iterdir()) == []
