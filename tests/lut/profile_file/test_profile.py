import dataclasses
import sys
from pathlib import Path
from types import SimpleNamespace

import pytest

from gnomon.lut import ProfileMismatch, check_profile, load_profile
from gnomon.lut.profile_file.schema import AnchorRecord
from gnomon.profilers.results.processes import ProcessSpread

SAMPLE = Path(__file__).parents[1] / "samples" / "profile_v1.jsonl"


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


def test_how_each_process_places_the_anchor_is_no_drift(profile):
    taken = tuple(
        AnchorRecord(key="anchor:x", session=session, t_s=float(t), value_us=us)
        for session, us in (("a", 100.0), ("b", 107.0))
        for t in range(8)
    )
    spread = ProcessSpread(2, 24, 0.01, 0.02, 2.0, {"a": 0.0, "b": 0.01})
    assert dataclasses.replace(profile, anchors=taken, processes=spread).drift_percent == 0
    assert dataclasses.replace(profile, anchors=taken, processes=None).drift_percent == pytest.approx(7)


def test_disturbed_visits_are_counted_and_are_no_drift(profile):
    disturbed = dataclasses.replace(profile, anchors=anchors([100.0, 170.0, 100.0, 100.0] * 4))
    assert disturbed.disturbed_percent == 25
    assert disturbed.drift_percent == 0


@pytest.fixture
def verdict(profile):
    """Return quality and doubts of a blameless profile whose report, failures or anchors are changed."""

    def judge(*, failures=(), anchor_us=(100.0,) * 8, is_composed=True, **report):
        blameless = {"mape_percent": 2.0, "noise_floor_percent": 1.0}
        table = dataclasses.replace(profile.table, failures=dict.fromkeys(failures, "crashed"))
        judged = dataclasses.replace(profile, table=table, anchors=anchors(anchor_us))
        judged.__dict__["latency"] = SimpleNamespace(
            report=profile.latency.report.model_copy(update=blameless | report), is_composed=is_composed
        )
        return judged

    return judge


def test_a_profile_without_doubt_is_good(verdict):
    assert verdict().quality == "good"
    assert verdict().doubts == ()
    assert "small error" in verdict().quality_reason


@pytest.mark.parametrize(
    ("change", "quality", "said"),
    [
        ({"failures": ("head", "stem")}, "poor", "2 models could not be timed"),
        ({"mape_percent": 10.1}, "poor", "misses whole networks by 10.1 %"),
        ({"mape_percent": 10.0}, "fair", "misses whole networks by 10.0 %"),
        ({"mape_percent": 5.1}, "fair", "misses whole networks by 5.1 %"),
        ({"is_composed": False}, "fair", "layers do not add up here"),
        ({"mape_percent": None}, "poor", "no whole network verified the table"),
        ({"noise_floor_percent": None}, "fair", "repeat noise is unknown"),
        ({"noise_floor_percent": 3.1}, "fair", "repeats of one network differ by 3.1 %"),
        ({"anchor_us": (100.0,) * 8 + (106.0,) * 8}, "fair", "drifted by 6.0 %"),
        ({"anchor_us": (100.0, 120.0, 120.0, 100.0, 100.0, 120.0, 120.0) * 4}, "fair", "other work slowed 57 %"),
    ],
)
def test_each_doubt_is_said_once_and_lowers_the_quality(verdict, change, quality, said):
    judged = verdict(**change)
    assert [severity for severity, _ in judged.doubts] == [quality]
    assert judged.quality == quality
    assert said in judged.quality_reason
    assert "gnomon doctor" in judged.quality_reason


def test_the_worst_doubt_is_the_reason(verdict):
    judged = verdict(mape_percent=6.0, noise_floor_percent=None, failures=("head",))
    assert len(judged.doubts) == 3
    assert judged.quality == "poor"
    assert judged.quality_reason.startswith("1 models could not be timed")


@pytest.mark.parametrize("backend", ["onnxruntime", "a_plug_in_of_another_machine"])
def test_a_runtime_that_is_not_here_is_a_difference(profile, monkeypatch, backend):
    monkeypatch.setitem(sys.modules, "onnxruntime", None)
    assert check_profile(with_header(profile, backend=backend)) == (f"{backend} is not installed here",)


def test_versions_that_one_side_does_not_have_are_not_compared(profile):
    versions = {**profile.header.versions, "another": "1.0"}
    versions.pop("python")
    assert profile.differences(versions=versions, hardware=profile.header.hardware) == ()


def test_doubts_lower_the_quality(profile):
    steady = dataclasses.replace(profile, anchors=anchors([100.0] * 8))
    drifting = dataclasses.replace(profile, anchors=anchors([100.0] * 8 + [120.0] * 8))
    failed = dataclasses.replace(steady, table=dataclasses.replace(steady.table, failures={"head": "crashed"}))
    rank = ["good", "fair", "poor"].index
    assert rank(drifting.quality) >= 1
    assert any("drifted" in text for _, text in drifting.doubts)
    assert failed.quality == "poor"
    assert "1 models could not be timed" in failed.quality_reason


@pytest.mark.parametrize(
    ("backend", "versions", "version"),
    [
        ("openvino", {"openvino": "2026.4"}, "2026.4"),
        ("openvino:gpu", {"openvino": "2026.4", "numpy": "2.0"}, "2026.4"),
        ("openvino:gpu", {"openvino": "2026.4", "openvino:gpu": "2025.1"}, "2025.1"),  # as imported tables have it
        ("openvino:gpu", {"numpy": "2.0"}, ""),
    ],
)
def test_the_runtime_version_of_a_variant_is_that_of_its_runtime(profile, backend, versions, version):
    assert with_header(profile, backend=backend, versions=versions).header.runtime_version == version
