"""What a profile says of a CPU quota that it was measured under."""

from dataclasses import replace
from pathlib import Path

import pytest

from gnomon.lut import load_profile
from gnomon.lut.profile_file.quota import quota_during

SAMPLE = Path(__file__).parents[1] / "samples" / "profile_v3.jsonl"
HALF = {
    "cpu_quota_cpus": [0.5, 0.5],
    "cpu_quota_slice_ms": [50.0, 50.0],
    "cpu_quota_stops": [7.0, 207.0],
    "cpu_quota_stopped_s": [1.0, 11.2],
}


def under(conditions):
    profile = load_profile(SAMPLE)
    hardware = {**profile.header.hardware, "conditions": conditions}
    return replace(profile, header=profile.header.model_copy(update={"hardware": hardware}))


def test_a_profile_says_how_often_a_quota_stopped_it_and_clocks_stay_clocks():
    said = str(under({**HALF, "sm_clock_mhz": [1380, 1560]}))
    assert (
        "quota    a CPU quota of 0.50 CPUs stopped it 200 times, for 10.2 s; blocks that were stopped do not count"
        in said
    )
    assert "clocks   sm clock mhz 1380 to 1560" in said
    assert "clocks" not in str(under(HALF))
    assert "did not stop it" in str(under({**HALF, "cpu_quota_stops": [7.0, 7.0]}))


def test_networks_longer_than_what_a_quota_allows_make_a_profile_poor():
    assert not any("so their latencies hold its stops" in text for _, text in under(HALF).doubts)
    slow = under({**HALF, "cpu_quota_slice_ms": [0.01, 0.01]})
    assert slow.quality == "poor"
    assert any("so their latencies hold its stops" in text for _, text in slow.doubts)


@pytest.mark.parametrize(
    "told", [None, [], "half", {}, {**HALF, "cpu_quota_stops": "many"}, {**HALF, "cpu_quota_cpus": [True, 1]}]
)
def test_conditions_of_anything_else_are_no_quota(told):
    assert quota_during(told) is None
