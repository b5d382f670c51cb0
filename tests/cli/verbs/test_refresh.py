"""`gnomon profile --refresh`: what is asked with it, what it says, and its exit codes."""

import pytest

from gnomon.lut.analysis import refresh
from gnomon.profilers import TimingPolicy


@pytest.mark.slow
def test_a_profile_made_a_moment_ago_holds(gnomon, tiny, tmp_path, monkeypatch):
    monkeypatch.setattr(refresh, "POLICY", TimingPolicy(min_passes=4, max_passes=4, processes=1, network_visits=1))
    monkeypatch.chdir(tmp_path)
    assert gnomon("profile", "tiny", "--backend", "fake", "--networks", 12, "--out", "p.jsonl").code == 0
    outcome = gnomon("profile", "--refresh", "p.jsonl")
    assert outcome.code == 0, outcome.err
    assert "it holds: the device takes x1.000" in outcome.out
    assert "whole networks" in outcome.out
    assert not (tmp_path / "p.refreshed.jsonl").exists()


def test_what_a_profile_says_itself_is_not_asked_with_it(gnomon, profile_name):
    outcome = gnomon("profile", "fashion_mnist", "--refresh", profile_name, "--threads", 2, "--from", "x")
    assert outcome.code == 2
    assert "leave out" in outcome.err
    assert all(word in outcome.err for word in ("SPACE", "--threads", "--from"))


def test_a_profile_of_another_device_is_refused_field_by_field(gnomon, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    name = "fashion_mnist/amd-epyc-2c.onnxruntime.fp32.b1.t1"
    monkeypatch.setattr("os.cpu_count", lambda: 3)
    outcome = gnomon("profile", "--refresh", name)
    assert outcome.code == 2
    assert "cpus: profile 2, here 3" in outcome.err
    assert "profile anew: gnomon profile --space fashion_mnist --backend onnxruntime" in outcome.err
    assert not list(tmp_path.iterdir())
