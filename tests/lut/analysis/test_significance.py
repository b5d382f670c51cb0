import math

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy import stats

from gnomon.lut.analysis.significance import (
    BETWEEN_SESSIONS,
    FREEDOM,
    NO_REPEATS,
    bootstrap_error,
    holm,
    log_errors,
    median_interval,
    t_quantile,
    two_sided_p,
    widened,
)
from gnomon.profilers.timing.measurement import Measurement


@given(t=st.floats(-50, 50), half=st.integers(1, 20))
def test_p_is_that_of_students_t(t, half):
    assert two_sided_p(t, 2 * half) == pytest.approx(2 * stats.t.sf(abs(t), 2 * half), abs=1e-9)


@pytest.mark.parametrize("confidence", [0.5, 0.9, 0.95, 0.999])
def test_quantiles_are_those_of_students_t(confidence):
    assert t_quantile(confidence) == pytest.approx(stats.t.ppf((1 + confidence) / 2, FREEDOM), rel=1e-6)


def test_holm_by_hand():
    assert holm([0.01, 0.04, 0.03, 0.005]) == pytest.approx([0.03, 0.06, 0.06, 0.02])
    assert holm([0.9, 0.8]) == pytest.approx([1.0, 1.0])
    assert list(holm([])) == []


@given(st.lists(st.floats(0, 1), min_size=1, max_size=30))
def test_holm_never_lowers_a_p_value_and_keeps_the_order(p):
    corrected = holm(p)
    assert all(after >= before for before, after in zip(p, corrected))
    assert all(np.diff(corrected[np.argsort(p, kind="stable")]) >= 0)


@given(st.lists(st.floats(-5, 5), min_size=1, max_size=60))
def test_the_median_lies_in_its_interval(values):
    low, high = median_interval(np.array(values))
    assert low <= float(np.median(values)) <= high


@pytest.mark.parametrize("n", [6, 15, 93])
def test_the_interval_of_the_median_covers_it_as_often_as_it_says(n):
    rng = np.random.default_rng(n)
    draws = [median_interval(rng.standard_exponential(n) - math.log(2)) for _ in range(2000)]
    assert np.mean([low <= 0 <= high for low, high in draws]) >= 0.94


def visits(*values):
    return Measurement(tuple((value,) for value in values), 1)


def test_a_layer_that_repeats_badly_has_a_larger_error_than_its_table():
    steady, restless = visits(*range(1000, 1008)), visits(*range(1000, 1080, 10))
    errors = log_errors([*[steady] * 20, restless])
    assert errors[-1] > 2 * errors[0]


def test_the_bootstrap_says_how_far_a_latency_strays():
    rng = np.random.default_rng(3)
    draws = [visits(*(100 * np.exp(0.01 * rng.normal(size=20)))) for _ in range(300)]
    strayed = np.std(np.log([draw.value_us for draw in draws]))
    assert np.median([bootstrap_error(draw, rng) for draw in draws]) == pytest.approx(strayed, rel=0.25)


@pytest.mark.parametrize("between", [0.0, 0.03])
def test_the_bootstrap_counts_that_visits_of_one_process_share_what_it_placed(between):
    rng = np.random.default_rng(3)
    processes = tuple(number for number in range(4) for _ in range(5))

    def drawn():
        placed = between * rng.normal(size=4)
        taken = np.exp([placed[number] + 0.01 * rng.normal() for number in processes])
        return Measurement(tuple((100 * one,) for one in taken), 1, processes=processes)

    draws = [drawn() for _ in range(300)]
    strayed = np.std(np.log([draw.value_us for draw in draws]))
    assert np.sqrt(np.mean([bootstrap_error(draw, rng) ** 2 for draw in draws])) == pytest.approx(strayed, rel=0.3)


def test_a_fifth_of_disturbed_visits_hardly_enlarges_the_error():
    quiet = [100, 100.4, 100.1, 100.3, 100.2, 100.5, 100.2, 100.3]
    assert log_errors([visits(*quiet, 170, 160)])[0] < 2 * log_errors([visits(*quiet)])[0]


def test_visits_of_different_lengths_are_drawn_whole():
    uneven = Measurement(((100.0, 101.0, 102.0), (100.0,), (101.0, 103.0), (100.5, 101.0)), 1)
    assert 0 < bootstrap_error(uneven, np.random.default_rng(0)) < 0.05


def test_without_repeats_the_error_is_assumed_and_large():
    assert log_errors([visits(100.0)] * 3) == pytest.approx([NO_REPEATS] * 3)
    mixed = log_errors([*[visits(*range(1000, 1008))] * 9, visits(100.0)])
    assert mixed[-1] > mixed[0]


def test_the_same_profile_has_the_same_errors():
    table = [visits(*range(start, start + 9)) for start in (100, 200, 300)]
    assert np.array_equal(log_errors(table), log_errors(table))


@given(scatter=st.floats(0.0, 0.3), error=st.floats(0.002, 0.05))
@settings(max_examples=30)
def test_errors_grow_with_the_scatter_of_the_bulk_but_not_without_bound(scatter, error):
    ratios = np.random.default_rng(0).normal(0, scatter, 50)
    wide = widened(np.full(50, error), ratios, 0.0)
    assert np.all(wide >= error)
    assert np.all(wide <= math.hypot(error, BETWEEN_SESSIONS) + 1e-12)
