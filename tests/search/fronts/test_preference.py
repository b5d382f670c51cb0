import itertools

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from gnomon.search import ObjectiveInfo, ParetoFront, hypervolume
from gnomon.search.errors import InvalidPick
from gnomon.supernets import Architecture

OBJECTIVES = (ObjectiveInfo("accuracy", "percent", "max"), ObjectiveInfo("latency", "us", "min"))
THREE = (*OBJECTIVES, ObjectiveInfo("params", "params", "min"))
PAIRS = st.lists(st.tuples(*[st.integers(0, 20)] * 2), min_size=1, max_size=30, unique=True)
TRIPLES = st.lists(st.tuples(*[st.integers(0, 9)] * 3), min_size=1, max_size=14, unique=True)
WEIGHT = st.integers(1, 9)
QUICK = settings(deadline=None)


def architecture(number):
    return Architecture("fashion_mnist", (number,) * 26)


def front_of(values, objectives=OBJECTIVES):
    return ParetoFront.of([architecture(i) for i in range(len(values))], np.array(values, dtype=float), objectives)


def value_of(front, chosen):
    return front.values[front.architectures.index(chosen)]


CORNERS = [(60, 100), (80, 1500), (90, 2500), (91, 9000)]


def test_best_is_the_end_of_the_front():
    front = front_of(CORNERS)
    assert front.pick("best accuracy") == front.pick("best:accuracy") == architecture(3)
    assert front.pick("best latency") == front.best("latency") == architecture(0)


def test_ties_in_the_best_fall_to_the_other_objectives():
    front = front_of([(90, 100, 7), (90, 80, 9), (70, 10, 1)], THREE)
    assert front.best("accuracy") == architecture(1)


def test_weights_choose_between_the_ends():
    front = front_of(CORNERS)
    assert front.pick("weights accuracy=1,latency=1") == architecture(2)
    assert front.pick("weights: latency=100, accuracy=1") == architecture(0)
    assert front.pick("weights accuracy=100,latency=1") == architecture(3)
    assert front.weighted({"accuracy": 1, "latency": 1}) == architecture(2)


def test_an_objective_without_a_weight_does_not_count():
    front = front_of(CORNERS)
    assert front.pick("weights accuracy=3") == front.best("accuracy")
    assert front.pick("weights accuracy=0,latency=0.1") == front.best("latency")


def test_a_hollow_of_the_front_can_be_reached_where_a_weighted_sum_cannot():
    hollow = front_of([(100, 100), (40, 50), (0, 0)])  # the middle lies behind the line between the ends
    assert hollow.weighted({"accuracy": 1, "latency": 1}) == architecture(1)


@QUICK
@given(PAIRS)
def test_every_inner_member_is_what_some_weights_prefer(values):
    front = front_of(values)
    costs = front.costs - front.costs.min(axis=0)
    span = np.where(costs.max(axis=0) > 0, costs.max(axis=0), 1)
    for member, loss in zip(front.architectures, costs / span):
        if (loss > 0).all():
            assert front.weighted({"accuracy": 1 / loss[0], "latency": 1 / loss[1]}) == member


@QUICK
@given(PAIRS, WEIGHT, WEIGHT, WEIGHT)
def test_more_weight_never_chooses_worse(values, accuracy, more, latency):
    front = front_of(values)
    picks = [front.weighted({"accuracy": weight, "latency": latency}) for weight in (accuracy, accuracy + more)]
    assert value_of(front, picks[0])[0] <= value_of(front, picks[1])[0]


@QUICK
@given(TRIPLES, st.tuples(WEIGHT, WEIGHT, WEIGHT), st.sampled_from([1e-3, 7.0, 1e6]))
def test_units_do_not_matter_to_any_preference(values, weights, factor):
    front = front_of(values, THREE)
    converted = front_of([(a, b * 1024.0, c / 4.0) for a, b, c in values], THREE)
    named = dict(zip(("accuracy", "latency", "params"), weights))
    assert front.weighted(named) == converted.weighted(named)
    assert front.weighted(named) == front.weighted({name: factor * weight for name, weight in named.items()})
    assert front.spread(2).architectures == converted.spread(2).architectures


@pytest.mark.parametrize(
    ("rule", "said"),
    [
        ("weights accuracy=2,latncy=1", "did you mean 'latency'"),
        ("weights accuracy", "cannot read the weight 'accuracy'"),
        ("weights accuracy=2,accuracy=1", "given twice"),
        ("weights accuracy=much", "'much'; expected a number"),
        ("weights accuracy=-1", "is -1.0; expected a number of at least 0"),
        ("weights accuracy=nan", "is nan; expected"),
        ("weights accuracy=inf", "is inf; expected"),
        ("weights accuracy=0,latency=0", "prefers nothing"),
        ("weights", "write knee, best accuracy"),
        ("best", "write knee, best accuracy"),
        ("best speed", "no objective 'speed'; its objectives are accuracy, latency"),
        ("knee accuracy", "cannot read the pick 'knee accuracy'"),
    ],
)
def test_unreadable_preferences_say_why(rule, said):
    with pytest.raises(InvalidPick, match=said):
        front_of(CORNERS).pick(rule)


def volume(front, members):
    """The hypervolume of some members, scaled to the front's extent, up to a tenth beyond it."""
    costs = front.costs
    span = np.where(np.ptp(costs, axis=0) > 0, np.ptp(costs, axis=0), 1)
    scaled = (costs[list(members)] - costs.min(axis=0)) / span
    return hypervolume(scaled, ["min"] * scaled.shape[1], [1.1] * scaled.shape[1])


def chosen_of(front, n):
    return [front.architectures.index(member) for member in front.spread(n).architectures]


@QUICK
@given(PAIRS, st.integers(1, 5))
def test_a_spread_of_two_objectives_keeps_the_most_there_is(values, n):
    front = front_of(values)
    size = min(n, len(front.values))
    most = max(volume(front, members) for members in itertools.combinations(range(len(front.values)), size))
    assert volume(front, chosen_of(front, n)) == pytest.approx(most)


@QUICK
@given(TRIPLES, st.integers(1, 4))
def test_a_spread_of_three_objectives_keeps_what_greedy_promises(values, n):
    front = front_of(values, THREE)
    size = min(n, len(front.values))
    most = max(volume(front, members) for members in itertools.combinations(range(len(front.values)), size))
    assert volume(front, chosen_of(front, n)) >= (1 - 1 / np.e) * most - 1e-9


@QUICK
@given(st.one_of(PAIRS.map(lambda v: (v, OBJECTIVES)), TRIPLES.map(lambda v: (v, THREE))), st.integers(1, 40))
def test_a_spread_is_a_front_of_that_many_in_the_same_order(case, n):
    front = front_of(*case)
    part = front.spread(n)
    assert len(part.values) == min(n, len(front.values))
    assert chosen_of(front, n) == sorted(set(chosen_of(front, n)))
    assert all(value_of(front, a) == v for a, v in zip(part.architectures, part.values))


def test_a_spread_of_equal_members_and_of_one_objective():
    twins = front_of([(60, 10), (60, 10), (70, 20)])
    assert len(twins.spread(2).values) == 2
    assert set(twins.spread(2).values) == {(60, 10), (70, 20)}
    single = front_of([(5,), (5,), (4,)], OBJECTIVES[:1])
    assert single.spread(1).values == ((5,),)


@pytest.mark.parametrize("n", [0, -3])
def test_an_empty_spread_is_refused(n):
    with pytest.raises(InvalidPick, match=f"a spread of {n} members"):
        front_of(CORNERS).spread(n)
