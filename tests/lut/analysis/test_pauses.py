"""The factor from the hot loop to inferences with pauses, and its interval."""

import numpy as np
import pytest

from gnomon.lut import PauseFactor, common_factor, pause_factor
from gnomon.profilers import Measurement
from gnomon.profilers.timing.measurement import Contention

RNG = np.random.default_rng(7)


def measured(us, spread, visits=8, blocks=5):
    times = us * np.exp(spread * RNG.standard_normal((visits, blocks)))
    clean, alike = (((value,) * blocks,) * visits for value in (True, 1.0))
    return Measurement(tuple(map(tuple, times.tolist())), 1, Contention(clean, alike))


def test_the_interval_of_a_factor_covers_the_truth_and_narrows_with_the_noise():
    factors = [pause_factor(measured(100.0, 0.01), measured(130.0, 0.03)) for _ in range(40)]
    assert sum(factor.low <= 1.3 <= factor.high for factor in factors) >= 36
    quiet = pause_factor(measured(100.0, 0.001), measured(130.0, 0.003))
    assert quiet.high / quiet.low < 1.02 < np.median([factor.high / factor.low for factor in factors])
    assert quiet.ratio == pytest.approx(1.3, rel=0.01)


def test_single_visits_say_little_of_a_factor():
    once = pause_factor(Measurement(((100.0,),), 1), Measurement(((130.0,),), 1))
    assert once.low < 1.2
    assert once.high > 1.4


def test_many_models_have_a_common_factor_with_an_interval_and_few_have_all_of_theirs():
    factors = [PauseFactor(1 + n / 100, 0.9, 2.0) for n in range(1, 12)]
    assert common_factor(factors) == PauseFactor(pytest.approx(1.06), pytest.approx(1.02), pytest.approx(1.10), 11)
    assert common_factor(factors[:2]) == PauseFactor(pytest.approx(1.015, rel=1e-3), 0.9, 2.0, 2)
