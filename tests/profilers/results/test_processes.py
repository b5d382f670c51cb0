"""How far one process is from the next, read off models that both timed."""

import math

import numpy as np
import pytest

from gnomon.profilers.results.processes import FEWEST, spread_of_processes


def two_processes(models, *, common=0.0, own=0.0, blocks=12, noise=0.01, seed=0):
    """Clean blocks of some models in two processes that differ by a common factor and by each model's own."""
    rng = np.random.default_rng(seed)
    found = {}
    for model in range(models):
        middle = math.log(rng.uniform(5, 500))
        found[model] = {
            name: np.exp(middle + factor + rng.normal(0, own) + rng.normal(0, noise, blocks)).tolist()
            for name, factor in (("first", 0.0), ("second", common))
        }
    return found


@pytest.mark.parametrize("common", [-0.08, 0.0, 0.05])
@pytest.mark.parametrize("own", [0.0, 0.03])
def test_what_is_common_and_what_is_each_model_s_own_are_told_apart(common, own):
    found = [spread_of_processes(two_processes(24, common=common, own=own, seed=seed)) for seed in range(40)]
    assert np.mean([spread.common for spread in found]) == pytest.approx(common, abs=0.004)
    assert np.median([spread.own for spread in found]) == pytest.approx(own, abs=0.006)


def test_noise_of_blocks_is_no_difference_between_processes():
    found = [spread_of_processes(two_processes(24, noise=0.05, seed=seed)) for seed in range(40)]
    assert np.median([spread.own for spread in found]) < 0.012


def test_models_of_one_process_or_of_few_clean_blocks_do_not_count():
    found = two_processes(FEWEST, common=0.1)
    found["alone"] = {"first": [1.0] * 12}
    found["spoilt"] = {"first": [1.0] * 12, "second": [9.0] * 3}
    assert spread_of_processes(found).models == FEWEST
    del found[0]
    assert spread_of_processes(found) is None
    assert spread_of_processes({}) is None


def test_of_several_processes_those_two_count_that_share_most_models():
    found = two_processes(8, common=0.1)
    for model in range(6):
        found[model]["third"] = [us * 2 for us in found[model]["first"]]
    spread = spread_of_processes(found)
    assert (spread.models, round(spread.common, 1)) == (8, 0.1)


def test_it_reads_as_a_sentence():
    sentence = spread_of_processes(two_processes(24, common=0.05)).sentence
    assert sentence.startswith("a second one took x1.0")
    assert "of 24 models" in sentence
