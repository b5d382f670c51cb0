"""On which share of the examples an evaluation counts in a front."""

import numpy as np
import pytest

from gnomon.search.fronts.counting import FEWEST_PAIRS, LEFT, MOST, STEP, counts_from, share_from
from gnomon.search.fronts.pareto import hypervolume, non_dominated

DIRECTIONS = ("max", "min")
FULL = {number: (80.0 + number, 10.0 * number) for number in range(6)}


def partial(error, share, pairs=4, shift=0.0):
    return [(n, share, (FULL[n][0] + shift + error * (-1) ** n, FULL[n][1])) for n in range(pairs)]


def least(error, budget, *, share=0.1, pairs=4, shift=0.0):
    """Return what counts where `pairs` architectures err by `error` on a share, up and down, and all by `shift`."""
    return counts_from(FULL, partial(error, share, pairs, shift), budget)


def test_exact_evaluations_count_on_any_share():
    assert least(0.0, 10) == 0.0


def test_the_share_grows_with_the_error_and_with_the_budget_and_then_nothing_counts():
    assert [least(error, 20) for error in (0.1, 0.5, 1.0, 3.0)] == [0.1, 0.2, 0.3, 1.0]
    assert [least(0.5, budget) for budget in (5, 20, 60, 1000)] == [0.1, 0.2, 0.35, 1.0]
    assert least(0.2, 10**9) == 1.0


def test_a_shift_of_all_is_an_error_beside_full_evaluations():
    assert least(0.0, 20, shift=0.5) == least(0.5, 20)


def test_an_error_on_a_larger_share_counts_for_more():
    assert least(0.3, 20, share=0.3) > least(0.3, 20, share=0.1)


def test_a_larger_share_stands_for_all_in_a_pair():
    """Of independent errors, those on two shares of the same examples differ by what the smaller errs more."""
    rng, shares, unit = np.random.default_rng(0), (0.05, 0.2), 0.1
    steps = rng.normal(0.0, unit, (2000, 2)) * np.sqrt([1 / shares[0] - 1 / shares[1], 1 / shares[1] - 1])
    both = [
        (n, share, (80.0 + error, 0.0))
        for n, row in enumerate(steps)
        for share, error in zip(shares, (row.sum(), row[1]))
    ]
    ends = {-1: (80.0, 0.0), -2: (85.0, 10.0)}
    told = counts_from(ends, both, 20)
    exact = {**ends, **dict.fromkeys(range(2000), (80.0, 0.0))}
    assert told == counts_from(exact, both, 20) == share_from(np.array([unit, 0.0]), np.array([5.0, 10.0]), 20)


def test_few_pairs_or_no_range_tell_nothing():
    assert least(0.0, 10, pairs=FEWEST_PAIRS - 1) == 1.0
    alone = {number: (80.0, 10.0 * number) for number in range(6)}
    assert counts_from(alone, partial(1.0, 0.1), 10) == 1.0


def test_values_that_may_differ_by_chance_tell_nothing():
    assert share_from(np.array([0.1]), np.array([0.9]), 5) < 1.0
    assert share_from(np.array([0.1]), np.array([0.7]), 5) == 1.0


@pytest.mark.parametrize(("budget", "ratio"), [(8, 0.1), (8, 0.25), (16, 0.25), (16, 0.5), (32, 0.5), (32, 1.0)])
def test_the_share_costs_little_more_than_the_best_one(budget, ratio):
    """Networks on a noisy line, each evaluated on one share: the front that the budget buys, with true values."""
    rng = np.random.default_rng(0)
    unit = ratio / budget
    chosen = share_from(np.array([unit / LEFT]), np.array([1.0]), budget)  # there is no surrogate here
    assert chosen in np.round(np.arange(STEP, MOST + STEP, STEP), 2)

    def reached(share):
        found = []
        for _ in range(60):
            n = int(budget / share)
            price = rng.random(n)
            accuracy = price - 0.1 * rng.random(n) ** 4
            seen = np.stack([accuracy + unit * np.sqrt(1 / share - 1) * rng.standard_normal(n), price], axis=1)
            kept = non_dominated(seen, DIRECTIONS)
            found.append(hypervolume(np.stack([accuracy, price], axis=1)[kept], DIRECTIONS, (0.0, 1.0)))
        return np.mean(found)

    by_share = {share: reached(share) for share in (0.025, 0.05, 0.1, 0.2, 0.3, 0.5, 1.0, chosen)}
    best, worst = max(by_share.values()), min(by_share.values())
    assert by_share[chosen] > best - 0.15 * (best - worst) - 0.004
