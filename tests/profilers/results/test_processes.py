"""How far processes are from each other, read off models that several of them timed."""

import math

import numpy as np
import pytest

from gnomon.profilers.results.processes import FEWEST, factors_of_processes, spread_of_processes


def timed(models, *, processes=4, common=0.0, own=0.0, blocks=6, noise=0.01, seed=0):
    """Clean blocks of some models in processes that differ by a common factor and by each model's own."""
    rng = np.random.default_rng(seed)
    factors = rng.normal(0, common, processes)
    found = {}
    for model in range(models):
        middle = math.log(rng.uniform(5, 500))
        found[model] = {
            f"p{number}": np.exp(middle + factor + rng.normal(0, own) + rng.normal(0, noise, blocks)).tolist()
            for number, factor in enumerate(factors)
        }
    return found


@pytest.mark.parametrize("common", [0.0, 0.05])
@pytest.mark.parametrize("own", [0.0, 0.03])
def test_what_is_common_and_what_is_each_model_s_own_are_told_apart(common, own):
    found = [spread_of_processes(timed(60, common=common, own=own, seed=seed)) for seed in range(60)]
    assert math.sqrt(np.mean([spread.common**2 for spread in found])) == pytest.approx(common, abs=0.008)
    assert np.median([spread.own for spread in found]) == pytest.approx(own, abs=0.005)


def test_noise_of_blocks_is_no_difference_between_processes():
    found = [spread_of_processes(timed(60, noise=0.05, seed=seed)) for seed in range(40)]
    assert np.median([spread.own for spread in found]) < 0.012


def test_models_of_one_process_or_of_few_clean_blocks_do_not_count():
    found = timed(FEWEST, processes=2)
    found["alone"] = {"p0": [1.0] * 12}
    found["spoilt"] = {"p0": [1.0] * 12, "p1": [9.0] * 2}
    spread = spread_of_processes(found)
    assert (spread.models, spread.processes) == (FEWEST, 2)
    assert spread.per_model == pytest.approx((2 * FEWEST + 2) / (FEWEST + 2))
    del found[0]
    assert spread_of_processes(found) is None
    assert spread_of_processes({}) is None


def test_a_process_that_shares_too_few_models_is_left_out():
    found = timed(8, processes=2)
    for model in range(FEWEST - 1):
        found[model]["p2"] = [us * 2 for us in found[model]["p0"]]
    assert spread_of_processes(found).processes == 2


def test_a_model_that_is_slow_in_one_process_does_not_move_the_factor_of_all():
    levels = {(model, f"p{number}"): 1.0 * model + 0.1 * number for model in range(9) for number in range(3)}
    levels[4, "p1"] += 2.0
    factors, rest = factors_of_processes(levels)
    assert factors == {"p0": pytest.approx(-0.1), "p1": pytest.approx(0.0), "p2": pytest.approx(0.1)}
    assert rest[4, "p1"] == pytest.approx(2.0)
    assert sum(abs(value) > 1e-9 for value in rest.values()) == 1


def test_it_reads_as_a_sentence():
    sentence = spread_of_processes(timed(24, common=0.02)).sentence
    assert sentence.startswith("4 processes differ by ")
    assert "24 models" in sentence
