from dataclasses import replace

import pytest

from gnomon.lut import LutError, application_with, is_this_device, measure_model
from gnomon.lut.measuring import measure
from gnomon.lut.measuring.measure import device_differences
from gnomon.profilers import read_results
from gnomon.supernets.graph import graph_from_layers

pytestmark = pytest.mark.slow


@pytest.fixture
def profile(tiny, measured):
    return measured("tiny", "fake")


def test_a_model_is_timed_under_the_profiles_conditions(profile, tiny):
    remeasured = measure_model(profile, graph_from_layers(tiny.layers(tiny.architecture([0, 0, 0]))))
    known = {network.indices: m for network, m in zip(profile.networks, profile.network_measurements)}
    assert remeasured.measurement.value_us == known[0, 0, 0].value_us
    assert remeasured.anchor_ratio == 1.0


def test_several_processes_time_a_model_one_after_the_other(profile, tiny, tmp_path, monkeypatch):
    monkeypatch.setattr(measure, "POLICY", replace(measure.POLICY, processes=2))
    model = graph_from_layers(tiny.layers(tiny.architecture([0, 0, 0])))
    measure.measure_models(profile, {"model": model}, building=tmp_path / "building")
    found = read_results(tmp_path / "building" / "results.jsonl")
    assert [{visit.key for visit in found.visits if visit.session == session.id} for session in found.sessions] == [
        {"model", profile.anchors[0].key}
    ] * 2


def test_a_real_runtime_gives_a_time_and_a_ratio(tiny, measured):
    profile = measured("tiny", "onnxruntime")
    remeasured = measure_model(profile, graph_from_layers(tiny.layers(tiny.architecture([0, 0, 0]))))
    assert remeasured.measurement.value_us > 0
    assert remeasured.anchor_ratio > 0


def test_a_profile_made_here_is_of_this_device(profile):
    assert is_this_device(profile)
    assert not is_this_device(replace(profile, header=profile.header.model_copy(update={"device": "other-4c"})))


@pytest.mark.parametrize("field", ["cpu_model", "cpus", "architecture", "virtual_machine"])
def test_a_machine_that_only_shares_its_name_is_another_device(profile, field):
    changed = dict(profile.header.hardware, **{field: "other"})
    other = replace(profile, header=profile.header.model_copy(update={"hardware": changed}))
    assert not is_this_device(other)
    assert [difference.partition(":")[0] for difference in device_differences(other)] == [field]


@pytest.mark.parametrize("field", ["kernel", "memory_mib", "governor"])
def test_an_update_does_not_make_another_device(profile, field):
    changed = dict(profile.header.hardware, **{field: "other"})
    assert is_this_device(replace(profile, header=profile.header.model_copy(update={"hardware": changed})))


def test_a_profile_that_does_not_say_its_hardware_is_of_another_device(profile):
    assert not is_this_device(replace(profile, header=profile.header.model_copy(update={"hardware": {}})))


def test_a_model_that_cannot_be_timed_says_why(profile):
    with pytest.raises(LutError, match=r"the model could not be timed: .*Error"):
        measure_model(profile, b"not a model")


def test_a_profile_without_an_anchor_compares_nothing(profile):
    with pytest.raises(LutError, match="has no anchor"):
        measure_model(replace(profile, anchors=()), b"")


def test_what_an_application_sees_is_measured_where_it_is_asked_for(profile, tiny):
    model = graph_from_layers(tiny.layers(tiny.architecture([0, 0, 0])))
    seen = measure_model(profile, model, application=application_with(2.0)).seen
    assert (len(seen.load_ms), seen.paced.visits) == (5, 5)
    assert seen.first_us == (seen.paced.value_us,) * 5
    assert measure_model(profile, model, application=application_with(None)).seen.paced is None
    assert measure_model(profile, model).seen is None


@pytest.mark.parametrize("period_ms", [0.0, -1.0, 61_000.0, float("nan")])
def test_a_period_that_none_can_be_is_refused(period_ms):
    with pytest.raises(LutError, match="expected 1 ms to 60 s"):
        application_with(period_ms)
