import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from gnomon.search import ObjectiveInfo, ParetoFront, hypervolume, non_dominated
from gnomon.search.errors import Infeasible, InvalidConstraint, UnknownName
from gnomon.supernets import Architecture

OBJECTIVES = (ObjectiveInfo("accuracy", "percent", "max"), ObjectiveInfo("latency", "us", "min"))
DIRECTIONS = ("max", "min")
points = st.lists(st.tuples(st.integers(0, 20), st.integers(0, 20)), min_size=1, max_size=40)


def architecture(number):
    return Architecture("fashion_mnist", (number,) * 26)


def front_of(values):
    return ParetoFront.of([architecture(i) for i in range(len(values))], np.array(values, dtype=float), OBJECTIVES)


def dominates(a, b):
    return a[0] >= b[0] and a[1] <= b[1] and a != b


@settings(deadline=None)
@given(points)
def test_front_is_what_nothing_dominates(values):
    kept = {values[i] for i in np.flatnonzero(non_dominated(np.array(values, dtype=float), DIRECTIONS))}
    assert kept == {a for a in values if not any(dominates(b, a) for b in values)}


@settings(deadline=None)
@given(points, st.randoms(use_true_random=False))
def test_front_does_not_depend_on_order(values, random):
    pairs = [(architecture(i), value) for i, value in enumerate(values)]
    shuffled = random.sample(pairs, len(pairs))
    again = ParetoFront.of([a for a, _ in shuffled], np.array([v for _, v in shuffled], dtype=float), OBJECTIVES)
    assert again == front_of(values)


def test_hypervolume_of_two_points_by_hand():
    values = np.array([[80.0, 10.0], [90.0, 30.0]])
    assert hypervolume(values, DIRECTIONS, (70.0, 50.0)) == pytest.approx(10 * 40 + 10 * 20)
    assert hypervolume(values[:0], DIRECTIONS, (70.0, 50.0)) == 0
    assert hypervolume(values, DIRECTIONS, (95.0, 5.0)) == 0


def test_knee_is_the_corner():
    front = front_of([(60, 0), (88, 10), (90, 50), (91, 100)])
    assert front.knee() == architecture(1)


def test_knee_of_one_point_is_that_point():
    assert front_of([(60, 10)]).knee() == architecture(0)


def test_rules_pick_the_most_accurate_that_fits():
    front = front_of([(60, 100), (80, 1500), (90, 2500)])
    assert front.pick("latency<=2ms") == architecture(1)
    assert front.pick("latency<=0.1ms") == architecture(0)
    assert front.pick("accuracy>=85 %, latency<3000us") == architecture(2)
    assert front.pick("knee") == front.knee()


def test_ids_pick_by_unique_prefix():
    front = front_of([(60, 100), (80, 1500)])
    identity = architecture(1).id
    assert front.pick(identity) == front.pick(identity[:5]) == architecture(1)
    with pytest.raises(UnknownName, match="no id begins so"):
        front.pick("ffffffff" if not identity.startswith("f") else "00000000")


def test_ambiguous_prefix_is_refused():
    twins = [architecture(i) for i in range(70_000)]
    by_prefix = {}
    for twin in twins:
        by_prefix.setdefault(twin.id[:4], []).append(twin)
    first, second = next(group for group in by_prefix.values() if len(group) > 1)[:2]
    front = ParetoFront.of([first, second], np.array([[60.0, 1.0], [70.0, 2.0]]), OBJECTIVES)
    with pytest.raises(UnknownName, match="more than one"):
        front.pick(first.id[:4])


def test_infeasible_rule_carries_the_nearest():
    with pytest.raises(Infeasible, match="latency 100 us") as raised:
        front_of([(60, 100), (80, 1500)]).pick("latency<=50us")
    assert raised.value.nearest == architecture(0)


@pytest.mark.parametrize(
    ("rule", "said"),
    [
        ("latency<=2", "has no unit"),
        ("latency<=2kg", "'kg'"),
        ("latncy<=2ms", "did you mean 'latency'"),
        ("fast please", "cannot read"),
        ("latency<=nanms", "cannot read"),
        ("", "cannot read"),
    ],
)
def test_unreadable_rules_say_why(rule, said):
    with pytest.raises(InvalidConstraint, match=said):
        front_of([(60, 100)]).pick(rule)


def test_knee_of_three_objectives_is_closest_to_the_ideal():
    infos = (*OBJECTIVES, ObjectiveInfo("params", "params", "min"))
    values = np.array([[90.0, 100.0, 9.0], [60.0, 0.0, 5.0], [85.0, 20.0, 2.0], [70.0, 90.0, 1.0]])
    front = ParetoFront.of([architecture(i) for i in range(4)], values, infos)
    assert len(front.architectures) == 4
    assert front.knee() == architecture(2)


def test_rules_without_a_maximised_objective_pick_the_least_of_the_first():
    infos = (ObjectiveInfo("latency", "us", "min"), ObjectiveInfo("params", "params", "min"))
    front = ParetoFront.of([architecture(i) for i in range(3)], np.array([[1.0, 9.0], [2.0, 5.0], [3.0, 1.0]]), infos)
    assert front.pick("params<=6") == architecture(1)


def test_front_lists_the_best_of_the_first_objective_first():
    assert front_of([(60, 100), (90, 2500), (80, 1500), (70, 2000)]).values == ((90, 2500), (80, 1500), (60, 100))


@settings(deadline=None)
@given(points, st.tuples(st.integers(0, 20), st.integers(0, 20)))
def test_a_further_point_never_makes_a_front_worse(values, further):
    before = hypervolume(np.array(values, dtype=float), DIRECTIONS, (-1.0, 21.0))
    after = hypervolume(np.array([*values, further], dtype=float), DIRECTIONS, (-1.0, 21.0))
    assert after >= before
    assert after > before or any(further == value or dominates(value, further) for value in values)
