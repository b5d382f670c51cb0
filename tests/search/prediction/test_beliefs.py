"""Measuring one architecture after another, against conditioning on all of them at once."""

import numpy as np
import pytest

from gnomon.search.prediction.gaussian_process import Evidence, GaussianProcess
from gnomon.search.prediction.kernel import Encoding, Settings
from gnomon.supernets import load_space

SPACE = load_space("fashion_mnist")
ENCODING = Encoding.of(SPACE)
NOISE = 0.05, 0.2


@pytest.fixture
def beliefs():
    rng = np.random.default_rng(0)
    known, new = (SPACE.one_hot(SPACE.sample(n, rng)) for n in (20, 12))
    targets = 80.0 + known @ np.sin(1.3 * np.arange(known.shape[1]))
    settings = Settings((0.3,) * len(ENCODING.views), noise=1e-2, partial_noise=1e-2)
    return GaussianProcess.after(Evidence(known, targets, np.ones(20)), ENCODING, settings).beliefs(new)[1]


def test_measuring_one_after_another_is_conditioning_on_all(beliefs):
    prior = np.stack([beliefs.covariances(position) for position in range(12)])
    measured = [3, 8]
    for position, noise in zip(measured, NOISE):
        beliefs.measure(position, noise)
    own, shared = prior[np.ix_(measured, measured)] + np.diag(NOISE), prior[measured]
    expected = prior - shared.T @ np.linalg.solve(own, shared)
    np.testing.assert_allclose(np.stack([beliefs.covariances(p) for p in range(12)]), expected, atol=1e-9)
    np.testing.assert_allclose(beliefs.variances, np.diag(expected), atol=1e-9)
    assert beliefs.variances[3] < 0.9 * prior[3, 3]


def test_what_was_measured_counts_for_the_others_after_it_is_left_out(beliefs):
    beliefs.measure(1, NOISE[0])
    rest = beliefs.without_first(4)
    np.testing.assert_array_equal(rest.covariances(2), beliefs.covariances(6)[4:])
    rest.measure(2, NOISE[1])
    assert len(beliefs.moves) == 1
    beliefs.measure(6, NOISE[1])
    np.testing.assert_allclose(rest.variances, beliefs.variances[4:], rtol=1e-12)


def test_a_view_that_picks_features_is_what_its_matrix_gives():
    features = SPACE.one_hot(SPACE.sample(9, np.random.default_rng(0)))
    for seen, view in zip(ENCODING.seen(features), ENCODING.views):
        np.testing.assert_array_equal(seen, features @ view)
    mixed = Encoding((np.ones((features.shape[1], 1)), 0.5 * np.eye(features.shape[1])))
    for seen, view in zip(mixed.seen(features), mixed.views):
        np.testing.assert_array_equal(seen, features @ view)
