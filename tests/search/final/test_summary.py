import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from gnomon.search import non_dominated
from gnomon.search.final.summary import LatencyAgreement, Optimism, Standing, kendall_tau, standings

DIRECTIONS = {"accuracy": "max", "latency": "min"}
POINTS = st.lists(st.tuples(st.integers(0, 9), st.integers(0, 9)), min_size=1, max_size=20)


def standings_of(values, *, unknown=None, limit=None):
    return standings(
        [str(i) for i in range(len(values))],
        [{"accuracy": float(a), "latency": float(b)} for a, b in values],
        DIRECTIONS,
        unknown=unknown or {},
        violated=lambda value: f"latency<={limit}" if limit is not None and value["latency"] > limit else "",
    )


@settings(deadline=None)
@given(POINTS)
def test_who_stays_is_who_nothing_dominates(values):
    kept = non_dominated(np.array(values, dtype=float), ["max", "min"])
    found = standings_of(values)
    assert [standing.on_front for standing in found] == kept.tolist()
    assert all(bool(standing.reason) != standing.on_front for standing in found)


@settings(deadline=None)
@given(POINTS)
def test_who_is_named_as_better_stays(values):
    found = standings_of(values)
    for standing in found:
        if standing.reason:
            assert found[int(standing.reason.removesuffix(" is better"))].on_front


def test_what_breaks_a_constraint_neither_stays_nor_drives_out():
    found = standings_of([(90, 30), (80, 20), (70, 10), (60, 15)], limit=20)
    assert found == (
        Standing(False, "breaks latency<=20"),
        Standing(True),
        Standing(True),
        Standing(False, "2 is better"),
    )


def test_what_could_not_be_timed_is_not_decided_and_drives_nobody_out():
    found = standings_of([(90, 1), (80, 20)], unknown={"0": "could not be timed: it crashed"})
    assert found == (Standing(None, "could not be timed: it crashed"), Standing(True))


@settings(deadline=None)
@given(st.lists(st.tuples(st.integers(0, 6), st.integers(0, 6)), min_size=2, max_size=25))
def test_kendalls_tau_is_that_of_scipy(pairs):
    from scipy.stats import kendalltau

    a, b = zip(*pairs)
    ours = kendall_tau(a, b)
    if len(set(a)) == 1 or len(set(b)) == 1:
        assert ours is None
    else:
        assert ours == pytest.approx(kendalltau(a, b).statistic)


def test_optimism_by_hand():
    found = Optimism.of([(92.0, 91.0), (90.0, 89.5)], [(85.0, 85.5), (80.0, 80.7)], "max")
    assert (found.front, found.controls) == pytest.approx((0.75, -0.6))
    assert found.curse == pytest.approx(1.35)
    assert found.standard_error == pytest.approx(np.sqrt(0.125 / 2 + 0.02 / 2))


def test_optimism_of_a_minimised_objective_is_the_other_way_round():
    assert Optimism.of([(5.0, 6.0)], [], "min") == Optimism(1.0, None, None, None)


def test_one_control_gives_no_standard_error():
    assert Optimism.of([(5.0, 6.0), (4.0, 6.0)], [(3.0, 3.0)], "min").standard_error is None


@settings(deadline=None)
@given(
    st.lists(st.tuples(st.floats(10, 1e4), st.floats(-0.3, 0.3)), min_size=1, max_size=12),
    st.integers(0, 3000),
)
def test_a_difference_between_splits_is_not_taken_for_luck(pairs, shift):
    accuracies = [(60 + i, 60 + i + shift / 1000) for i in range(len(pairs))]
    found = Optimism.of(accuracies, [(50.0, 50.0 + shift / 1000), (55.0, 55.0 + shift / 1000)], "max")
    assert found.curse == pytest.approx(0, abs=1e-9)


def test_a_slower_hour_is_taken_out_before_intervals_are_judged():
    found = LatencyAgreement.of([100.0, 200.0], [125.0, 250.0], [(95.0, 105.0), (195.0, 199.0)], 1.25)
    assert (found.mean_absolute_error_us, found.mape_percent) == pytest.approx((37.5, 20.0))
    assert found.mape_at_pace_percent == pytest.approx(0)
    assert found.within_interval_percent == 50
    assert found.kendall == 1


def test_without_intervals_nothing_is_said_of_them():
    assert LatencyAgreement.of([100.0], [90.0], [None], 1.0).within_interval_percent is None
    assert LatencyAgreement.of([100.0], [90.0], [None], 1.0).kendall is None
