import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from gnomon.search import hypervolume
from gnomon.search.acquisition.expected_hypervolume import (
    log_expected_hypervolume_improvement,
    log_improvement,
    log_staircase_gain,
)

FRONT = np.array([[90.0, 30.0], [85.0, 20.0], [70.0, 10.0]])
REFERENCE = (60.0, 40.0)
DIRECTIONS = ("max", "min")


def expected_hypervolume_improvement(*arguments):
    return np.exp(log_expected_hypervolume_improvement(*arguments))


def simulated(mean, deviation, front, directions=DIRECTIONS, reference=REFERENCE, draws=8_000):
    """Draw the objectives and average the hypervolume gained; return that and its standard error."""
    rng = np.random.default_rng(0)
    base = hypervolume(front, directions, reference)
    points = mean + deviation * rng.standard_normal((draws, len(mean)))
    gains = [hypervolume(np.vstack([front, point]), directions, reference) - base for point in points]
    return np.mean(gains), np.std(gains) / np.sqrt(draws)


@pytest.mark.parametrize("mean", [[92.0, 35.0], [80.0, 15.0], [65.0, 9.0], [88.0, 30.0], [60.0, 45.0], [50.0, 5.0]])
@pytest.mark.parametrize("deviation", [[0.5, 0.0], [5.0, 0.0], [0.0, 4.0], [5.0, 4.0], [0.5, 12.0]])
def test_the_closed_form_is_what_simulation_says(mean, deviation):
    found = expected_hypervolume_improvement(np.array([mean]), np.array([deviation]), FRONT, DIRECTIONS, REFERENCE)[0]
    expected, error = simulated(np.array(mean), np.array(deviation), FRONT)
    assert abs(found - expected) < 4.5 * error + 1e-3


@pytest.mark.parametrize(("direction", "best", "reference"), [("max", 88.0, 60.0), ("min", 30.0, 50.0)])
@pytest.mark.parametrize("mean", [86.0, 90.0, 29.0, 32.0])
@pytest.mark.parametrize("sigma", [0.0, 2.0])
def test_one_objective_gains_its_expected_improvement(direction, best, reference, mean, sigma):
    front, deviation = np.array([[best], [reference]]), np.array([[sigma]])
    found = expected_hypervolume_improvement(np.array([[mean]]), deviation, front, (direction,), (reference,))[0]
    expected, error = simulated(np.array([mean]), deviation[0], front, (direction,), (reference,))
    assert abs(found - expected) < 4.5 * error + 1e-6


def test_each_candidate_gains_by_itself():
    mean = np.array([[92.0, 35.0], [80.0, 15.0], [50.0, 45.0]])
    deviation = np.array([[1.0, 2.0], [3.0, 0.0], [0.0, 0.0]])
    together = expected_hypervolume_improvement(mean, deviation, FRONT, DIRECTIONS, REFERENCE)
    alone = [
        expected_hypervolume_improvement(m[None], d[None], FRONT, DIRECTIONS, REFERENCE)[0]
        for m, d in zip(mean, deviation)
    ]
    assert together == pytest.approx(alone)


def test_the_order_of_the_objectives_does_not_matter():
    mean, deviation = np.array([[80.0, 15.0]]), np.array([[3.0, 1.0]])
    one = expected_hypervolume_improvement(mean, deviation, FRONT, DIRECTIONS, REFERENCE)
    other = expected_hypervolume_improvement(
        mean[:, ::-1], deviation[:, ::-1], FRONT[:, ::-1], ("min", "max"), REFERENCE[::-1]
    )
    assert one == pytest.approx(other)


points = st.tuples(st.floats(0, 10), st.floats(0, 10))


@settings(max_examples=60, deadline=None)
@given(front=st.lists(points, max_size=6), point=points)
def test_a_certain_gain_is_the_hypervolume_it_adds(front, point):
    measured, row = np.array(front).reshape(-1, 2), np.array([point])
    both = np.vstack([measured, row])
    added = hypervolume(both, ("min", "min"), (8.0, 8.0)) - hypervolume(measured, ("min", "min"), (8.0, 8.0))
    found = np.exp(log_staircase_gain(row, np.zeros((1, 2)), measured, np.array([8.0, 8.0])))
    assert found == pytest.approx([added], abs=1e-9)


def test_dominated_points_of_the_front_and_points_beyond_the_corner_change_nothing():
    mean, deviation = np.array([[82.0, 15.0]]), np.array([[3.0, 2.0]])
    surplus = np.vstack([FRONT, [[84.0, 25.0], [59.0, 5.0], [99.0, 41.0]]])
    found = expected_hypervolume_improvement(mean, deviation, surplus, DIRECTIONS, REFERENCE)
    assert found == pytest.approx(expected_hypervolume_improvement(mean, deviation, FRONT, DIRECTIONS, REFERENCE))


@pytest.mark.parametrize("deviation", [[2.0, 0.0, 0.0], [2.0, 1.5, 0.0]])
def test_three_objectives_are_drawn(deviation):
    front = np.array([[90.0, 30.0, 5.0], [80.0, 20.0, 4.0]])
    mean = np.array([[92.0, 18.0, 4.5]])
    arguments = (("max", "min", "min"), (60.0, 40.0, 10.0))
    found = expected_hypervolume_improvement(mean, np.array([deviation]), front, *arguments)[0]
    expected, _ = simulated(mean[0], np.array(deviation), front, *arguments, draws=4000)
    assert found == pytest.approx(expected, rel=0.15)


def test_three_objectives_without_a_chance_gain_nothing():
    front, mean = np.array([[90.0, 30.0, 5.0]]), np.array([[50.0, 39.0, 9.0], [92.0, 18.0, 4.5]])
    found = expected_hypervolume_improvement(
        mean, np.full((2, 3), 0.1), front, ("max", "min", "min"), (60.0, 40.0, 10.0)
    )
    assert found[0] == 0.0
    assert found[1] > 0.0


@pytest.mark.parametrize("m", [1, 2, 3])
def test_without_anything_measured_all_of_a_point_is_gain(m):
    mean, deviation = np.array([[80.0, 15.0, 4.0]])[:, :m], np.array([[0.1, 0.0, 0.0]])[:, :m]
    found = expected_hypervolume_improvement(
        mean, deviation, np.empty((0, m)), ("max", "min", "min")[:m], (60.0, 40.0, 10.0)[:m]
    )
    assert found == pytest.approx([(20.0, 20.0 * 25.0, 20.0 * 25.0 * 6.0)[m - 1]], rel=1e-3)


@pytest.mark.parametrize("z", [5.0, 0.5, -0.9, -1.1, -6.0, -10.0, -37.0, -60.0, -999.0, -2e4, -1e6])
def test_the_improvement_is_right_however_small_it_is(z):
    import mpmath

    with mpmath.workdps(60):
        exact = mpmath.log(mpmath.npdf(z) + mpmath.mpf(z) * mpmath.ncdf(z)) if z > -100 else None
        if exact is None:  # the asymptotic series, whose next term is 15 / z^6 of the first
            exact = -(mpmath.mpf(z) ** 2) / 2 - mpmath.log(2 * mpmath.pi) / 2
            exact += mpmath.log((1 - 3 / mpmath.mpf(z) ** 2) / mpmath.mpf(z) ** 2)
        scaled = exact + mpmath.log(3)
    found = log_improvement(np.array([[3.0 * z]]), np.zeros((1, 1)), np.full((1, 1), 3.0))[0, 0]
    assert found == pytest.approx(float(scaled), rel=1e-9)


def test_candidates_whose_gains_underflow_are_still_ordered():
    mean = np.array([[60.0 - worse, 39.0] for worse in (0.1, 0.2, 0.3)])
    deviation = np.array([[1e-3, 0.0]] * 3)
    gains = log_expected_hypervolume_improvement(mean, deviation, FRONT, DIRECTIONS, REFERENCE)
    assert gains[0] > gains[1] > gains[2] > -np.inf
    assert expected_hypervolume_improvement(mean, deviation, FRONT, DIRECTIONS, REFERENCE).tolist() == [0.0] * 3


def test_what_certainly_gains_nothing_has_the_log_of_zero():
    gains = log_expected_hypervolume_improvement(
        np.array([[50.0, 45.0]]), np.zeros((1, 2)), FRONT, DIRECTIONS, REFERENCE
    )
    assert gains.tolist() == [-np.inf]


def test_each_threshold_is_judged_by_the_formula_that_is_exact_there():
    z = np.array([-1e6, -2e5, -1e5, -9e4, -30.0, -1.0, -0.999, 0.0, 3.0, 60.0])
    alone = np.concatenate([log_improvement(one[None, None], np.zeros((1, 1)), np.ones((1, 1)))[0] for one in z])
    np.testing.assert_array_equal(log_improvement(z[None], np.zeros((1, 1)), np.ones((1, 1)))[0], alone)
    assert (np.diff(alone) > 0).all()
    assert alone[-1] == pytest.approx(np.log(60.0))


def test_exact_candidates_beside_uncertain_ones_gain_what_they_do_alone():
    means, deviations = np.array([[1.0], [2.0]]), np.array([[0.0], [0.5]])
    both = log_improvement(np.array([[1.5, 0.5]]), means, deviations)
    np.testing.assert_array_equal(both[:1], log_improvement(np.array([[1.5, 0.5]]), means[:1], deviations[:1]))
    np.testing.assert_array_equal(both[1:], log_improvement(np.array([[1.5, 0.5]]), means[1:], deviations[1:]))
    assert both[0].tolist() == [np.log(0.5), -np.inf]
