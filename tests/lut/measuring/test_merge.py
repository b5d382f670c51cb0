import json

import numpy as np
import pytest

from gnomon.lut import LutError, ProfileMismatch, load_profile, merge_profiles
from gnomon.lut.profile_file.store import path_of_profile

WHOLE = "fashion_mnist/amd-epyc-2c.openvino.fp32.b1.t1"


@pytest.fixture
def part(tmp_path):
    """Return a function that writes a part of a shipped profile, as another machine would have measured it."""
    lines = [json.loads(line) for line in path_of_profile(WHOLE).read_text().splitlines()]

    def write(name, *, of=2, which=0, slower=1.0, change=None):
        kept = []
        for number, line in enumerate(lines):
            line = json.loads(json.dumps(line))
            if line["record"] in ("layer", "network"):
                if number % of != which:
                    continue
                line["block_us"] = [[us * slower for us in visit] for visit in line["block_us"]]
            if line["record"] == "header":
                line["session_starts_s"] = {name: 0.0}
                line |= change or {}
            if line["record"] == "anchor":
                line |= {"session": name, "value_us": line["value_us"] * slower}
            kept.append(line)
        path = tmp_path / f"{name}.jsonl"
        path.write_text("".join(json.dumps(line) + "\n" for line in kept))
        return path

    return write


@pytest.mark.slow
def test_parts_of_one_kind_are_one_profile_again(part, tmp_path):
    whole = load_profile(WHOLE)
    merged = merge_profiles([part("first"), part("second", which=1)], tmp_path / "merged.jsonl")
    assert set(merged.table.measurements) == set(whole.table.measurements)
    assert {network.id for network in merged.networks} == {network.id for network in whole.networks}
    assert merged.header.sessions == 2
    assert merged.header.seconds == 2 * whole.header.seconds
    assert merged.latency.report.mape_percent == pytest.approx(whole.latency.report.mape_percent, abs=0.2)


@pytest.mark.slow
def test_a_slower_machine_of_the_kind_is_scaled_by_its_anchors(part, tmp_path):
    whole = load_profile(WHOLE)
    merged = merge_profiles([part("first"), part("slow", which=1, slower=1.2)], tmp_path / "merged.jsonl")
    rows = whole.space.sample(200, np.random.default_rng(0))
    ratio = merged.latency.value_us(rows) / whole.latency.value_us(rows)
    assert np.abs(ratio - 1).max() < 0.02


@pytest.mark.slow
def test_machines_too_far_apart_are_refused(part, tmp_path):
    with pytest.raises(ProfileMismatch, match=r"anchors of .* differ by"):
        merge_profiles([part("first"), part("slow", which=1, slower=2.0)], tmp_path / "merged.jsonl")


@pytest.mark.slow
def test_what_both_measured_has_the_visits_of_both(part, tmp_path):
    whole = load_profile(WHOLE)
    merged = merge_profiles([part("first", of=1), part("second", of=1)], tmp_path / "merged.jsonl")
    for key, found in merged.table.measurements.items():
        assert found.visits == 2 * whole.table.measurements[key].visits


@pytest.mark.parametrize(
    ("change", "field"),
    [
        ({"device": "other", "hardware": {"cpu_model": "another"}}, "hardware.cpu_model"),
        ({"versions": {"openvino": "0.1"}}, "versions.openvino"),
        ({"config": {"device": "cpu", "precision": "fp32", "threads": 2, "batch": 1}}, "config.threads"),
        ({"backend": "onnxruntime"}, "backend"),
    ],
)
def test_other_kinds_are_refused_field_by_field_and_nothing_is_written(part, tmp_path, change, field):
    with pytest.raises(ProfileMismatch, match=field.replace(".", "[.]")) as caught:
        merge_profiles([part("first"), part("second", which=1, change=change)], tmp_path / "merged.jsonl")
    assert field in caught.value.fields
    assert not (tmp_path / "merged.jsonl").exists()


def test_one_session_does_not_count_twice(part, tmp_path):
    first = part("first")
    with pytest.raises(ProfileMismatch, match="count twice"):
        merge_profiles([first, first], tmp_path / "merged.jsonl")


def test_one_profile_is_nothing_to_merge(part, tmp_path):
    with pytest.raises(LutError, match="at least 2"):
        merge_profiles([part("first")], tmp_path / "merged.jsonl")
