"""Profiles of a new device or configuration from ten whole networks, with and without another profile."""

from dataclasses import replace

import numpy as np
import pytest

from gnomon.lut import LatencyTable, ProfileMismatch, ProfileRequest, build_profile, check_profile, load_profile
from gnomon.lut.lint import lint_profile
from gnomon.profilers.timing.measurement import Measurement
from gnomon.supernets import load_space

pytestmark = pytest.mark.slow


@pytest.fixture
def request_(tiny, quick_policy):
    return ProfileRequest("tiny", "fake", networks=12, policy=quick_policy)


@pytest.fixture
def elsewhere(request_, tmp_path):
    """A profile of a device on which every layer takes three times as long."""
    here = build_profile(request_, tmp_path / "here.jsonl")
    slow = {
        key: Measurement(tuple(tuple(3 * us for us in visit) for visit in m.block_us), m.loops)
        for key, m in here.table.measurements.items()
    }
    return replace(here, name="elsewhere", table=LatencyTable(slow, {}))


def test_ten_networks_correct_another_devices_layers(request_, elsewhere, tiny, tmp_path):
    out = tmp_path / "new.jsonl"
    profile = build_profile(replace(request_, networks=10, layers=False, source=elsewhere), out)
    assert profile.table.measurements == {}
    assert profile.header.source.kind == "transferred"
    assert profile.header.source.sha256 == elsewhere.digest
    assert profile.fit.mape_percent < 1.0
    estimate = profile.latency.predict(tiny.sample(8, np.random.default_rng(0)))
    assert set(estimate.source) == {"predicted"}
    truth = load_profile(tmp_path / "here.jsonl").latency.predict(tiny.sample(8, np.random.default_rng(0)))
    assert estimate.value_us == pytest.approx(truth.value_us, rel=0.01)


def test_a_transferred_profile_reads_back_as_it_was_written(request_, elsewhere, tmp_path):
    out = tmp_path / "new.jsonl"
    profile = build_profile(replace(request_, networks=10, layers=False, source=elsewhere), out)
    again = load_profile(out)
    assert again.table == profile.table
    assert again.fit == profile.fit
    assert again.latency.report.mape_percent == pytest.approx(profile.fit.mape_percent, abs=1e-3)
    assert not [finding for finding in lint_profile(again) if finding.severity == "error"]


def test_without_layers_or_a_source_a_regression_predicts_whatever_a_search_asks(request_, tmp_path):
    profile = build_profile(replace(request_, layers=False), tmp_path / "whole.jsonl")
    assert profile.table.is_empty
    assert not profile.latency.is_composed
    check_profile(profile)
    assert "undisturbed" not in str(profile)
    assert profile.quality in ("good", "fair")


def test_a_source_of_another_space_is_refused_before_anything_is_measured(request_, tmp_path):
    source = load_profile("fashion_mnist/amd-epyc-2c.onnxruntime.fp32.b1.t1")
    with pytest.raises(ProfileMismatch, match="is of space 'fashion_mnist', not 'tiny'"):
        build_profile(replace(request_, layers=False, source=source), tmp_path / "new.jsonl")
    assert list(tmp_path.iterdir()) == []


def test_a_real_profile_of_one_runtime_is_corrected_to_the_other_by_ten_networks():
    """Both were measured on one machine; the second's own layers are not used."""
    source, target = (
        load_profile(f"ofa_mobilenetv3/amd-epyc-2c.{name}.fp32.b1.t1") for name in ("onnxruntime", "openvino")
    )
    from gnomon.lut import LatencyModel
    from gnomon.lut.latency_model.table import predicted_from

    space = load_space("ofa_mobilenetv3")
    priors = predicted_from({spec.key: source.table.value_us(spec) for spec in space.unique_layers()})
    chosen = np.linspace(0, len(target.networks) - 1, 10).round().astype(int)
    measured = target.network_measurements
    model = LatencyModel.fit(
        space,
        LatencyTable({}, {}, priors),
        [target.networks[i].indices for i in chosen],
        [measured[i] for i in chosen],
    )
    rest = [i for i in range(len(measured)) if i not in set(chosen)]
    truth = np.array([measured[i].value_us for i in rest])
    error = np.abs(model.value_us([target.networks[i].indices for i in rest]) / truth - 1)
    assert 100 * error.mean() < 6
