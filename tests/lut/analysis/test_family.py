from dataclasses import replace

import numpy as np
import pytest

from gnomon.lut import ProfileMismatch, load_profile, model_for_space

PROFILE = load_profile("ofa_mobilenetv3/amd-epyc-2c.onnxruntime.fp32.b1.t1")


def test_a_profiles_own_space_is_predicted_as_by_the_profile():
    model = model_for_space([PROFILE], PROFILE.header.space)
    rows = PROFILE.space.sample(20, np.random.default_rng(0))
    ours, theirs = model.predict(rows), PROFILE.latency.predict(rows)
    assert ours.value_us == pytest.approx(theirs.value_us)
    assert set(ours.source) == {"composed"}


def test_another_resolution_is_flagged_and_its_interval_is_wider():
    model = model_for_space([PROFILE], "ofa_mobilenetv3:resolution=192")
    rows = model.space.sample(20, np.random.default_rng(0))
    other, own = model.predict(rows), PROFILE.latency.predict(rows)
    assert "composed" not in set(other.source)
    assert np.all(other.value_us < own.value_us)
    assert np.all(other.ratio > own.ratio)


def test_profiles_of_different_conditions_do_not_mix():
    openvino = load_profile("ofa_mobilenetv3/amd-epyc-2c.openvino.fp32.b1.t1")
    with pytest.raises(ProfileMismatch, match="backend is onnxruntime and openvino"):
        model_for_space([PROFILE, openvino], "ofa_mobilenetv3:resolution=192")
    two_threads = PROFILE.header.config.model_copy(update={"threads": 2})
    other = replace(PROFILE, header=PROFILE.header.model_copy(update={"config": two_threads}))
    with pytest.raises(ProfileMismatch, match="config") as raised:
        model_for_space([PROFILE, other], "ofa_mobilenetv3:resolution=192")
    assert raised.value.fields == ("config",)


def test_without_whole_networks_there_are_values_but_no_interval():
    model = model_for_space([replace(PROFILE, networks=())], "ofa_mobilenetv3:resolution=192")
    estimate = model.predict(model.space.sample(3, np.random.default_rng(0)))
    assert np.all(estimate.value_us > 0)
    assert estimate.log_ratio is None
