import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from gnomon.search.prediction.gaussian_process import Evidence, GaussianProcess, best_settings
from gnomon.search.prediction.kernel import Encoding
from gnomon.search.prediction.warp import POWERS, Warp, bent, straight

ENCODING = Encoding.plain(12)


@given(st.sampled_from(POWERS), st.lists(st.floats(-20, 20), min_size=1, max_size=30))
def test_straightening_undoes_bending(power, values):
    z = np.array(values)
    np.testing.assert_allclose(straight(bent(z, power), power), z, rtol=1e-6, atol=1e-9)


@given(st.sampled_from(POWERS), st.lists(st.floats(20, 95), min_size=3, max_size=30, unique=True))
def test_a_warp_keeps_the_order_and_gives_the_targets_back(power, values):
    targets = np.sort(np.array(values))
    warp = Warp.of(targets, power, np.ones(len(targets)))
    warped = warp.standardised(targets)
    assert (np.diff(warped) >= 0).all()
    np.testing.assert_allclose(warp.restored(warped), targets, rtol=1e-6)


@pytest.mark.parametrize("power", POWERS)
def test_the_slope_is_that_of_restored(power):
    warp = Warp.of(np.array([45.0, 70.0, 85.0, 90.0, 92.0, 93.0]), power, np.ones(6))
    at = np.array([-0.7, 0.3, 0.9])
    apart = (warp.restored(at + 1e-3) - warp.restored(at - 1e-3)) / 2e-3
    np.testing.assert_allclose(warp.slope(at), apart, rtol=1e-3)


def test_additive_targets_are_left_as_they_are_and_saturating_ones_are_bent():
    rows = np.random.default_rng(0).integers(0, 2, size=(60, 12)).astype(float)
    total = rows @ np.linspace(0.5, 1.5, 12)
    additive = Evidence(rows, total, np.ones(60))
    saturating = Evidence(rows, 95.0 - 60.0 * np.exp(-0.9 * total), np.ones(60))
    assert best_settings(additive, ENCODING).power == 1.0
    assert best_settings(saturating, ENCODING).power > 1.0


def test_bending_predicts_saturating_targets_better(monkeypatch):
    rows = np.random.default_rng(1).integers(0, 2, size=(120, 12)).astype(float)
    targets = 95.0 - 60.0 * np.exp(-0.6 * rows @ np.linspace(0.5, 1.5, 12))
    evidence = Evidence(rows[:40], targets[:40], np.ones(40))

    def error():
        process = GaussianProcess.after(evidence, ENCODING, best_settings(evidence, ENCODING))
        good = targets[40:] > np.median(targets)
        return np.sqrt(np.mean((process.mean(rows[40:]) - targets[40:])[good] ** 2))

    bending = error()
    monkeypatch.setattr("gnomon.search.prediction.gaussian_process.POWERS", (1.0,))
    assert bending < error()
