import numpy as np
import pytest
from scipy import stats

from gnomon.lut.latency_model.verification import (
    SESSION_LOG_RATIO,
    conformal_quantile,
    noise_floor_percent,
    session_log_ratio,
    share_within,
    spearman,
)
from gnomon.profilers.results.processes import ProcessSpread
from gnomon.profilers.timing.measurement import Measurement


@pytest.mark.parametrize("seed", range(5))
def test_spearman_agrees_with_scipy_on_ties(seed):
    rng = np.random.default_rng(seed)
    a, b = rng.integers(0, 8, 40).astype(float), rng.integers(0, 8, 40).astype(float)
    assert spearman(a, b) == pytest.approx(stats.spearmanr(a, b).statistic)


def test_processes_that_are_further_apart_widen_the_interval():
    widths = [session_log_ratio(ProcessSpread(4, 24, common, 0.0, 4.0, {})) for common in (0.0, 0.05, 0.2)]
    assert session_log_ratio(None) == SESSION_LOG_RATIO
    assert 0.5 * SESSION_LOG_RATIO < widths[0] < SESSION_LOG_RATIO < widths[1] < widths[2]


def test_what_single_models_differ_by_counts_as_far_as_it_was_averaged_out():
    of_one, of_four = (session_log_ratio(ProcessSpread(4, 24, 0.0, 0.03, seen, {})) for seen in (1.0, 4.0))
    assert of_one == session_log_ratio(ProcessSpread(4, 24, 0.0, 0.0, 4.0, {}))
    assert of_four > of_one


@pytest.mark.parametrize("values", [[1.0, 2.0], [3.0, 3.0, 3.0]])
def test_spearman_of_too_little_is_unknown(values):
    assert spearman(np.array(values), np.arange(len(values), dtype=float)) is None


def test_noise_floor_is_the_distance_between_halves():
    measured = [Measurement(((100.0,), (110.0,), (100.0,), (110.0,)), 1), Measurement(((50.0,), (50.0,)), 1)]
    assert noise_floor_percent(measured) == pytest.approx(100 * (10 / 105) / 2)


def test_noise_floor_of_single_visits_is_unknown():
    assert noise_floor_percent([Measurement(((100.0,),), 1)]) is None


def test_share_within_counts_both_signs():
    assert share_within(np.array([-5.0, 5.0, 5.1, -9.0]), 5) == 50.0


def test_conformal_quantile_takes_the_rank_that_covers():
    scores = np.log(np.arange(1.0, 20.0))
    assert np.exp(conformal_quantile(scores, 0.9)) == pytest.approx(18.0)
    with pytest.raises(ValueError, match="cannot show"):
        conformal_quantile(scores[:5], 0.9)
