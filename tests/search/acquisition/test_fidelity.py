"""Whether partial evaluations on the examples that decide pay, in cases where outcomes mean little or nothing."""

import numpy as np
import pytest

from gnomon.search.acquisition.fidelity import partial_evaluations_pay
from gnomon.search.acquisition.opening import PAIRS
from gnomon.search.archive import Archive
from gnomon.search.problem.user_objective import UserObjective
from gnomon.search.testing.contracts import problem_of
from gnomon.supernets import load_space
from gnomon.supernets.evaluation.deciding import DecidingExamples, Outcomes

SHARE, LOOKS, SEARCHES = 0.1, 20, 20


def trial(seed, network):
    """Tell whether partial evaluations pay after a search's trial of networks drawn by `network(rng)`."""
    rng = np.random.default_rng(seed)
    space = load_space("fashion_mnist")
    rows = np.unique(space.sample(3 * LOOKS, rng), axis=0)[: LOOKS + 2]
    pilots = [network(rng), network(rng)]
    examples = DecidingExamples.of(pilots)
    networks = [network(rng) for _ in range(LOOKS)]
    looked = [examples.percent(one.at(examples.rows(SHARE))) for one in networks]
    full = [*zip(rows, networks[:PAIRS]), *zip(rows[-2:], pilots)]
    return partial_evaluations_pay(
        Archive.of(
            space,
            problem_of(space, (UserObjective("accuracy", "percent", divisible=True),)),
            measured=[(0, row, [one.percent]) for row, one in full],
            partial=[(SHARE, row, [value]) for row, value in zip(rows, looked)],
        ),
        SHARE,
    )


def how_often(network):
    return np.mean([trial(seed, network) for seed in range(SEARCHES)])


def guessing(examples, classes):
    """Networks at chance, whose margins mean nothing."""

    def network(rng):
        return Outcomes(rng.random(examples) < 1 / classes, rng.random(examples).astype(np.float16))

    return network


def able(examples, noise, spread=0.1, own=0.1):
    """Networks of different quality on examples of different difficulty; labels are wrong in a share `noise`."""
    difficulty = np.random.default_rng(7).normal(-1.0, 1.0, examples)
    wrong = np.random.default_rng(8).random(examples) < noise

    def network(rng):
        margin = rng.normal(0.0, spread) - difficulty + rng.normal(0.0, own, examples)
        return Outcomes((margin > 0) != wrong, np.abs(margin).astype(np.float16))

    return network


def test_they_pay_where_networks_differ():
    assert how_often(able(2500, noise=0.0)) > 0.9


def test_they_pay_where_a_tenth_of_the_labels_is_wrong():
    assert how_often(able(2500, noise=0.1)) > 0.9


@pytest.mark.parametrize(("examples", "classes"), [(2500, 10), (100, 10), (10_000, 1000)])
def test_a_supernet_at_chance_seldom_fools_them(examples, classes):
    """A search that is fooled spends three more validations' worth on looks where no network is better."""
    assert how_often(guessing(examples, classes)) <= 0.2


def test_ten_of_a_hundred_examples_tell_what_the_hundred_would():
    assert how_often(able(100, noise=0.0)) > 0.7


def test_networks_that_are_all_alike_tell_nothing():
    assert how_often(able(100, noise=0.0, spread=0.0, own=0.0)) == 0.0
