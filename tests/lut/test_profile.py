import dataclasses
from pathlib import Path

import pytest

from gnomon.lut import ProfileMismatch, check_profile, load_profile
from gnomon.lut.schema import AnchorRecord

SAMPLE = Path(__file__).parent / "samples" / "profile_v1.jsonl"


@pytest.fixture(scope="module")
def profile():
    return load_profile(SAMPLE)


def with_header(profile, **changes):
    return dataclasses.replace(profile, header=profile.header.model_copy(update=changes))


def test_another_space_is_refused_with_the_command_that_measures_it(profile):
    with pytest.raises(ProfileMismatch, match="gnomon profile --space ofa_mobilenetv3") as raised:
        profile.space_named("ofa_mobilenetv3")
    assert raised.value.fields == ("space",)


def test_a_space_whose_layers_changed_is_refused(profile):
    with pytest.raises(ProfileMismatch) as raised:
        check_profile(with_header(profile, space_digest="0" * 16))
    assert raised.value.fields == ("space_digest",)


def test_another_precision_is_refused(profile):
    with pytest.raises(ProfileMismatch) as raised:
        check_profile(profile, precision="int8")
    assert raised.value.fields == ("config.precision",)


def test_environment_is_compared_field_by_field(profile):
    versions = {**profile.header.versions, "onnxruntime": "0.1"}
    hardware = {**profile.header.hardware, "cpus": 96}
    found = profile.differences(versions=versions, hardware=hardware)
    assert len(found) == 2
    assert any(line.startswith("versions.onnxruntime: profile") and line.endswith("here 0.1") for line in found)
    assert any(line.startswith("hardware.cpus: profile") and line.endswith("here 96") for line in found)


def test_same_environment_has_no_differences(profile):
    assert profile.differences(versions=profile.header.versions, hardware=profile.header.hardware) == ()


def anchors(values):
    return tuple(AnchorRecord(key="anchor:x", session="s", t_s=float(i), value_us=v) for i, v in enumerate(values))


def test_drift_is_how_far_the_anchor_moved(profile):
    assert dataclasses.replace(profile, anchors=anchors([100.0] * 8)).drift_percent == 0
    assert dataclasses.replace(profile, anchors=anchors([100.0] * 8 + [120.0] * 8)).drift_percent == 20
    assert dataclasses.replace(profile, anchors=anchors([100.0] * 7)).drift_percent is None


def test_disturbed_visits_are_counted_and_are_no_drift(profile):
    disturbed = dataclasses.replace(profile, anchors=anchors([100.0, 170.0, 100.0, 100.0] * 4))
    assert disturbed.disturbed_percent == 25
    assert disturbed.drift_percent == 0


def test_doubts_lower_the_quality(profile):
    steady = dataclasses.replace(profile, anchors=anchors([100.0] * 8))
    drifting = dataclasses.replace(profile, anchors=anchors([100.0] * 8 + [120.0] * 8))
    failed = dataclasses.replace(steady, table=dataclasses.replace(steady.table, failures={"head": "crashed"}))
    rank = ["good", "fair", "poor"].index
    assert rank(drifting.quality) >= 1
    assert any("drifted" in text for _, text in drifting.doubts)
    assert failed.quality == "poor"
    assert "1 models could not be timed" in failed.quality_reason
