"""`gnomon profile --kernels` asks for what the options say."""

import pytest

from gnomon.lut.kernels.measuring import build
from gnomon.lut.kernels.profile_file.profile import load_kernel_profile
from gnomon.profilers import fingerprint
from gnomon.profilers.transports import local


@pytest.fixture
def asked(monkeypatch):
    """Return what is asked to be measured, which nothing is."""
    found = []

    def measure(request, path, **how):
        found.append((request, path, how["force"]))
        raise build.LutError("not measured here")

    monkeypatch.setattr(build, "build_kernel_profile", measure)
    return found


def test_defaults_are_those_of_a_kernel_request(gnomon, asked):
    assert gnomon("profile", "--kernels").code != 0
    (request, path, force) = asked[0]
    assert request == build.KernelRequest("onnxruntime")
    assert path.name == f"{fingerprint().slug_of('cpu')}.onnxruntime.t1.kernels.jsonl"
    assert not force


def test_options_reach_the_request(gnomon, asked, tmp_path):
    out = tmp_path / "laptop.kernels.jsonl"
    gnomon(
        "profile",
        "--kernels",
        "--backend",
        "openvino",
        "--networks",
        12,
        "--time-cap-s",
        60,
        "--threads",
        2,
        "--out",
        out,
    )
    (request, path, _) = asked[0]
    assert (request.backend, request.networks, request.policy.time_cap_s, path) == ("openvino", 12, 60.0, out)
    assert request.config.threads == 2


@pytest.mark.parametrize("option", ["--precision=int8", "--batch=8", "--networks-only"])
def test_what_is_of_spaces_is_refused(gnomon, asked, option):
    assert gnomon("profile", "--kernels", option).code == 2
    assert not asked


def test_a_backend_that_does_not_tell_its_kernels_says_so(gnomon, monkeypatch, tmp_path):
    from gnomon.profilers.errors import GraphUnavailable

    def refuse(models, **how):
        raise GraphUnavailable("The backend 'other' does not tell which kernels it makes of a model")

    monkeypatch.setattr(local, "read_fused_graphs", refuse)
    monkeypatch.setattr(build.KernelRequest, "models", property(lambda request: {}))
    outcome = gnomon("profile", "--kernels", "--out", tmp_path / "x.jsonl")
    assert outcome.code != 0
    assert "does not tell which kernels" in outcome.err


def test_a_missing_profile_says_how_to_measure_one(tmp_path):
    from gnomon.lut import UnknownProfile

    with pytest.raises(UnknownProfile, match="gnomon profile --kernels --out"):
        load_kernel_profile(tmp_path / "none.jsonl")


def test_a_dry_run_measures_nothing(gnomon, asked):
    printed = gnomon("profile", "--kernels", "--dry-run", "--networks", 12, "--time-cap-s", 60).out
    assert "12 sampled networks" in printed
    assert "60 s of measuring at most" in printed
    assert not asked
