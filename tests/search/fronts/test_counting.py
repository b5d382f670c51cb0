"""From which share on an evaluation counts in a front."""

import numpy as np
import pytest

from gnomon.search.fronts.counting import FEWEST_PAIRS, MOST, STEP, counts_from
from gnomon.search.fronts.pareto import hypervolume, non_dominated

DIRECTIONS = ("max", "min")
FULL = {number: (80.0 + number, 10.0 * number) for number in range(6)}


def least(error, budget, *, share=0.1, pairs=4, shift=0.0):
    """Return what counts where `pairs` architectures err by `error` on a share, up and down, and all by `shift`."""
    partial = [(n, share, (FULL[n][0] + shift + error * (-1) ** n, FULL[n][1])) for n in range(pairs)]
    return counts_from(FULL, partial, DIRECTIONS, budget)


def test_exact_evaluations_count_on_any_share():
    assert least(0.0, 10) == 0.0


def test_the_share_grows_with_the_error_and_with_the_budget_and_then_nothing_counts():
    assert [least(error, 20) for error in (0.1, 0.3, 0.5, 2.0)] == [0.05, 0.25, 0.45, 1.0]
    assert [least(0.2, budget) for budget in (10, 20, 40, 1000)] == [0.05, 0.15, 0.35, 1.0]
    assert least(0.2, 10**9) == 1.0


def test_a_shift_of_all_is_an_error_beside_full_evaluations():
    assert least(0.0, 20, shift=0.5) == least(0.5, 20)


def test_an_error_on_a_larger_share_counts_for_more():
    assert least(0.3, 20, share=0.3) > least(0.3, 20, share=0.1)


def test_few_pairs_or_no_front_tell_nothing():
    assert least(0.0, 10, pairs=FEWEST_PAIRS - 1) == 1.0
    alone = {number: (80.0, 10.0 * number) for number in range(6)}
    partial = [(n, 0.1, (80.0 + (-1) ** n, 10.0 * n)) for n in range(4)]
    assert counts_from(alone, partial, DIRECTIONS, 10) == 1.0


@pytest.mark.parametrize("budget", [8, 16, 32])
@pytest.mark.parametrize("error", [0.02, 0.05, 0.2])
def test_where_they_count_the_true_front_is_the_better_one(budget, error):
    """Networks on a noisy line: as many full evaluations as the budget buys, or as many partial ones."""
    rng, reference, gains = np.random.default_rng(0), (0.0, 1.0), []
    share = counts_from(
        {n: (n / 5, n / 5) for n in range(6)},
        [(n, 0.1, (n / 5 + 3 * error * (-1) ** n, n / 5)) for n in range(4)],
        DIRECTIONS,
        budget,
    )
    assert share in (1.0, *np.round(np.arange(STEP, MOST + STEP, STEP), 2))
    for _ in range(40):
        reached = []
        for n, deviation in ((budget, 0.0), (int(budget / share), error * np.sqrt(1 / share - 1))):
            price = rng.random(n)
            accuracy = price - 0.1 * rng.random(n) ** 4
            seen = np.stack([accuracy + deviation * rng.standard_normal(n), price], axis=1)
            kept = non_dominated(seen, DIRECTIONS)
            reached.append(hypervolume(np.stack([accuracy, price], axis=1)[kept], DIRECTIONS, reference))
        gains.append(reached[1] - reached[0])
    assert np.mean(gains) >= 0.0 if share == 1.0 else np.mean(gains) > 0.0
