from dataclasses import replace

import pytest

from gnomon.lut import LutError, ProfileRequest, build_profile, is_this_device, measure_model
from gnomon.supernets.graph import graph_from_layers


@pytest.fixture
def profile(tiny, quick_policy, tmp_path):
    return build_profile(ProfileRequest("tiny", "fake", networks=12, policy=quick_policy), tmp_path / "p.jsonl")


def test_a_model_is_timed_under_the_profiles_conditions(profile, tiny):
    remeasured = measure_model(profile, graph_from_layers(tiny.layers(tiny.architecture([0, 0, 0]))))
    known = {network.indices: m for network, m in zip(profile.networks, profile.network_measurements)}
    assert remeasured.measurement.value_us == known[0, 0, 0].value_us
    assert remeasured.anchor_ratio == 1.0


def test_a_real_runtime_gives_a_time_and_a_ratio(tiny, quick_policy, tmp_path):
    request = ProfileRequest("tiny", "onnxruntime", networks=12, policy=quick_policy)
    profile = build_profile(request, tmp_path / "p.jsonl")
    remeasured = measure_model(profile, graph_from_layers(tiny.layers(tiny.architecture([0, 0, 0]))))
    assert remeasured.measurement.value_us > 0
    assert remeasured.anchor_ratio > 0


def test_a_profile_made_here_is_of_this_device(profile):
    assert is_this_device(profile)
    assert not is_this_device(replace(profile, header=profile.header.model_copy(update={"device": "other-4c"})))


def test_a_model_that_cannot_be_timed_says_why(profile):
    with pytest.raises(LutError, match=r"the model could not be timed: .*Error"):
        measure_model(profile, b"not a model")


def test_a_profile_without_an_anchor_compares_nothing(profile):
    with pytest.raises(LutError, match="has no anchor"):
        measure_model(replace(profile, anchors=()), b"")
