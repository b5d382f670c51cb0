"""Crowding is computed of all ranks at once: it is what it would be rank by rank."""

import numpy as np
import pytest

from gnomon.search.fronts.ranking import best_first, crowding_by_rank


def alone(values):
    """Return the gaps around each of (n, m) points, as defined (Deb et al. 2002)."""
    total = np.zeros(len(values))
    for column in values.T:
        order = np.argsort(column, kind="stable")
        span = column[order[-1]] - column[order[0]]
        for place, point in enumerate(order):
            if span > 0 and 0 < place < len(order) - 1:
                total[point] += (column[order[place + 1]] - column[order[place - 1]]) / span
            elif span > 0:
                total[point] = np.inf
    return total


@pytest.mark.parametrize("objectives", [1, 2, 3])
def test_all_ranks_at_once_are_as_each_by_itself(objectives):
    rng = np.random.default_rng(objectives)
    values = np.round(rng.standard_normal((60, objectives)), 1)  # some are equal
    values[:6, 0] = 1.0  # a rank without a span
    ranks = np.concatenate([np.zeros(6, dtype=np.int64), rng.permutation(np.arange(54) % 5 + 1)])
    crowding = crowding_by_rank(values, ranks)
    for rank in range(6):
        np.testing.assert_array_equal(crowding[ranks == rank], alone(values[ranks == rank]))


def test_the_ends_of_a_front_come_before_what_is_between_and_what_is_dominated():
    values = np.array([[0.0, 4.0], [1.0, 3.0], [1.1, 2.9], [4.0, 0.0], [5.0, 5.0]])
    assert best_first(values, ("min", "min")).tolist() == [0, 3, 2, 1, 4]
