import numpy as np
import pytest

from gnomon.search import hypervolume
from gnomon.search.acquisition import cumulative, expected_gain

FRONT = np.array([[90.0, 30.0], [85.0, 20.0], [70.0, 10.0]])
REFERENCE = (60.0, 40.0)
DIRECTIONS = ("max", "min")


def simulated(mean, deviation, front, directions=DIRECTIONS, reference=REFERENCE, draws=20_000):
    rng = np.random.default_rng(0)
    base = hypervolume(front, directions, reference)
    points = mean + deviation * rng.standard_normal((draws, len(mean)))
    return np.mean([hypervolume(np.vstack([front, point]), directions, reference) - base for point in points])


@pytest.mark.parametrize("mean", [[92.0, 35.0], [80.0, 15.0], [65.0, 9.0], [88.0, 30.0], [60.0, 45.0], [50.0, 5.0]])
@pytest.mark.parametrize("sigma", [0.5, 5.0])
def test_the_closed_form_is_what_simulation_says(mean, sigma):
    deviation = np.array([[sigma, 0.0]])
    found = expected_gain(np.array([mean]), deviation, FRONT, DIRECTIONS, REFERENCE)[0]
    assert found == pytest.approx(simulated(np.array(mean), deviation[0], FRONT), rel=0.06, abs=0.05)


def test_the_order_of_the_objectives_does_not_matter():
    mean, deviation = np.array([[80.0, 15.0]]), np.array([[3.0, 0.0]])
    one = expected_gain(mean, deviation, FRONT, DIRECTIONS, REFERENCE)
    other = expected_gain(mean[:, ::-1], deviation[:, ::-1], FRONT[:, ::-1], ("min", "max"), REFERENCE[::-1])
    assert one == pytest.approx(other)


def test_a_certain_gain_is_the_hypervolume_it_adds():
    point = np.array([[95.0, 25.0]])
    added = hypervolume(np.vstack([FRONT, point]), DIRECTIONS, REFERENCE) - hypervolume(FRONT, DIRECTIONS, REFERENCE)
    assert expected_gain(point, np.array([[1e-6, 0.0]]), FRONT, DIRECTIONS, REFERENCE) == pytest.approx([added])


def test_two_predicted_objectives_are_drawn():
    mean, deviation = np.array([[92.0, 15.0], [50.0, 45.0]]), np.array([[2.0, 2.0], [1.0, 1.0]])
    found = expected_gain(mean, deviation, FRONT, DIRECTIONS, REFERENCE)
    assert found[0] == pytest.approx(simulated(mean[0], deviation[0], FRONT), rel=0.15)
    assert found[1] == 0.0


def test_three_objectives_are_drawn():
    front = np.array([[90.0, 30.0, 5.0], [80.0, 20.0, 4.0]])
    mean, deviation = np.array([[92.0, 18.0, 4.5]]), np.array([[2.0, 0.0, 0.0]])
    arguments = (("max", "min", "min"), (60.0, 40.0, 10.0))
    assert expected_gain(mean, deviation, front, *arguments)[0] == pytest.approx(
        simulated(mean[0], deviation[0], front, *arguments, draws=4000), rel=0.15
    )


def test_without_anything_measured_all_of_a_point_is_gain():
    none = np.empty((0, 2))
    found = expected_gain(np.array([[80.0, 15.0]]), np.array([[0.1, 0.0]]), none, DIRECTIONS, REFERENCE)
    assert found == pytest.approx([20.0 * 25.0], rel=1e-3)


def test_the_normal_distribution_function_is_scipys():
    from scipy.stats import norm

    z = np.linspace(-6, 6, 101)
    assert cumulative(z) == pytest.approx(norm.cdf(z), abs=2e-7)
