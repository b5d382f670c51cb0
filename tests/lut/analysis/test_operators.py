from dataclasses import replace
from functools import cache

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from gnomon.lut import (
    ProfileMismatch,
    ProfileRequest,
    build_profile,
    explain,
    explain_operators,
    load_profile,
    shipped_profiles,
)
from gnomon.lut.analysis.operators import layer_of, operators_by_layer
from gnomon.profilers import OperatorProfile, OperatorsUnavailable, OperatorTime, RunConfig

pytestmark = pytest.mark.slow


@cache
def explanation():
    profile = load_profile(shipped_profiles()[0])
    return explain(profile, profile.space.architecture(profile.space.radices - 1))


def operator(*nodes, value_us=1.0):
    return OperatorTime("op", "Conv", value_us, nodes)


@pytest.mark.parametrize(
    ("nodes", "position"),
    [
        (("layer00.conv0",), 0),
        (("layer02.conv7/WithoutBiases", "layer02.conv7", "layer02.relu8"), 2),
        (("layer02.conv7", "Constant_9440"), 2),
        (("output",), 11),
        (("layer11.gemm87", "output"), 11),
        ((), None),
        (("ReorderOutput_token_106",), None),
        (("input_abcd_acdb_layer00.conv0",), None),
        (("layer02.conv7", "layer03.conv8"), None),
        (("layer12.conv99",), None),
    ],
)
def test_an_operator_belongs_to_the_one_layer_whose_nodes_it_executes(nodes, position):
    assert layer_of(operator(*nodes), layers=12) == position


node_names = st.sampled_from(["layer00.conv0", "layer05.relu7", "layer11.gemm87", "output", "reorder", "layer99.x"])
lists = st.lists(st.builds(operator, node_names, node_names, value_us=st.floats(0.1, 1e4)), max_size=30)


@settings(deadline=None)  # the first example reads the profile
@given(lists, st.floats(1, 1e6), st.floats(1, 1e6))
def test_every_operator_is_counted_once_and_nothing_is_scaled(operators, inference_us, measured_us):
    profiled = OperatorProfile(tuple(operators), inference_us)
    report = operators_by_layer(explanation(), [profiled], measured_us=measured_us, anchor_ratio=1.0)
    sorted_in = [op for found in report.layers for op in found.operators] + list(report.unexplained)
    assert sorted(map(id, sorted_in)) == sorted(map(id, operators))
    assert report.profiled_us == pytest.approx(sum(op.value_us for op in operators))
    assert sum(found.profiled_us for found in report.layers) + report.unexplained_us == pytest.approx(
        report.profiled_us
    )
    shares = sum(found.share for found in report.layers) + report.unexplained_share
    assert shares == pytest.approx(1.0 if operators else 0.0)
    assert report.overhead == inference_us / measured_us
    assert report.outside_us == inference_us - report.profiled_us


@pytest.fixture
def profile_of(tiny, quick_policy, tmp_path):
    def build(backend, batch=1):
        config = RunConfig(batch=batch)
        request = ProfileRequest("tiny", backend, config, networks=12, policy=quick_policy)
        return build_profile(request, tmp_path / "p.jsonl")

    return build


@pytest.mark.parametrize("backend", ["onnxruntime", "openvino"])
def test_a_real_runtimes_operators_land_in_their_layers(profile_of, tiny, backend):
    report = explain_operators(profile_of(backend, batch=32), tiny.architecture([1, 1, 2]))
    assert [found.layer.slot for found in report.layers] == ["stem", "block1", "block2", "block3", "head"]
    assert report.measured_us > 0
    assert all(found.operators for found in report.layers)
    assert sum(found.profiled_us for found in report.layers) > report.unexplained_us


def test_a_profile_of_another_device_is_refused_before_anything_runs(profile_of, tiny):
    profile = profile_of("fake")
    hardware = dict(profile.header.hardware, cpus=99)
    elsewhere = replace(profile, header=profile.header.model_copy(update={"hardware": hardware}))
    with pytest.raises(ProfileMismatch, match="cpus: profile 99, here") as caught:
        explain_operators(elsewhere, tiny.architecture([0, 0, 0]))
    assert caught.value.fields == ("cpus",)


def test_a_backend_without_a_profiler_says_so(profile_of, tiny):
    with pytest.raises(OperatorsUnavailable, match="'fake' cannot profile operators"):
        explain_operators(profile_of("fake"), tiny.architecture([0, 0, 0]))
