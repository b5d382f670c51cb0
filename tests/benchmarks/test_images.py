"""Partial validations as the landscapes assume them."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from search_harness.images import Images, bridge

IMAGES = Images(number=50_000, disagreement=0.1, accuracy=0.75)


@given(st.binary(max_size=20), st.integers(0, 1000))
def test_all_images_leave_no_error(key, seed):
    assert bridge(key, 1.0, seed) == pytest.approx(0.0, abs=1e-12)


def test_errors_of_nested_shares_go_together_and_those_of_the_rest_do_not():
    keys = [str(n).encode() for n in range(4000)]
    small, large = (np.array([bridge(key, share, 0) for key in keys]) for share in (0.1, 0.2))
    rest = (0.2 * large - 0.1 * small) / 0.1  # mean over the images that only the larger share has
    assert small.var() == pytest.approx(1 / 0.1 - 1, rel=0.1)
    assert large.var() == pytest.approx(1 / 0.2 - 1, rel=0.1)
    assert rest.var() == pytest.approx(1 / 0.1 - 1, rel=0.1)
    assert np.corrcoef(small, large)[0, 1] > 0.6
    assert np.corrcoef(small, rest)[0, 1] == pytest.approx(-1 / 9, abs=0.05)


@pytest.mark.slow
def test_the_difference_of_two_networks_has_the_variance_of_their_disagreement():
    rows = np.arange(8000).reshape(-1, 1)
    errors = IMAGES.errors(rows, 0.1, 3)
    differences = errors[::2] - errors[1::2]
    expected = IMAGES.disagreement * 1e4 * (1 / (0.1 * IMAGES.number) - 1 / IMAGES.number)
    assert differences.var() == pytest.approx(expected, rel=0.1)


@pytest.mark.slow
def test_one_network_over_many_seeds_has_the_variance_of_its_accuracy():
    row = np.array([[4, 2]])
    errors = [IMAGES.errors(row, 0.1, seed)[0] for seed in range(4000)]
    expected = 0.75 * 0.25 * 1e4 * (1 / (0.1 * IMAGES.number) - 1 / IMAGES.number)
    assert np.var(errors) == pytest.approx(expected, rel=0.1)


def test_errors_depend_on_the_genes_and_not_on_company():
    rows = np.random.default_rng(0).integers(0, 3, size=(20, 8))
    together = IMAGES.errors(rows, 0.3, 1)
    np.testing.assert_array_equal([IMAGES.errors(row[None], 0.3, 1)[0] for row in rows], together)
