"""Which candidates are new, against the plain formulations."""

import numpy as np
import pytest

from gnomon.search.acquisition.distinct import news, ordered
from gnomon.search.archive import first_occurrences, keys_of
from gnomon.supernets.space.slots import numbering


@pytest.mark.parametrize("radices", [[2, 3, 2], [3] * 45])
def test_new_candidates_are_those_of_a_look_up_in_order(radices):
    rng = np.random.default_rng(0)
    known = rng.integers(0, radices, size=(30, len(radices)))
    rows = np.concatenate([rng.integers(0, radices, size=(40, len(radices))), known[:9]])
    rows = rng.permutation(np.concatenate([rows, rows[:15]]))
    numbers = numbering(radices)
    np.testing.assert_array_equal(rows[ordered(numbers(rows))], np.unique(rows, axis=0))
    expected = np.flatnonzero(first_occurrences(rows, frozenset(keys_of(known))))
    np.testing.assert_array_equal(news(numbers(rows), numbers(known)), expected)
    assert len(news(numbers(rows[:0]), numbers(known))) == 0
