"""Whether a profile holds, on simulated devices: at its stated rates, and never for want of significance."""

import math
from collections import Counter

import numpy as np
import pytest

from gnomon.lut.analysis.validity import validity_of
from gnomon.profilers import Measurement
from gnomon.profilers.timing.measurement import Contention

GROUPS = ["layers of kind head"] * 4 + ["layers of kind mbconv"] * 12 + ["whole networks"] * 8
KEYS = [f"model{number}" for number in range(len(GROUPS))]


def measured(rng, us, noise, visits=6, blocks=3):
    times = us * np.exp(noise * rng.standard_normal((visits, blocks)))
    clean, alike = (((value,) * blocks,) * visits for value in (True, 1.0))
    return Measurement(tuple(map(tuple, times.tolist())), 1, Contention(clean, alike))


def judged(seed, factor_of=lambda group: 1.0, *, noise=0.006, process=0.008, model=0.004, processes=3):
    """Judge a profile of one process by some others of a device whose groups take so many times as long.

    process, model: by how much all models, and each by itself, differ from process to process.
    """
    rng = np.random.default_rng(seed)
    truth = 100.0 * np.exp(rng.uniform(-1, 1, len(KEYS)))

    def one_process(factors, shift):
        own = np.exp(model * rng.standard_normal(len(KEYS)))
        return [measured(rng, us * f * o * shift, noise) for us, f, o in zip(truth, factors, own)]

    then = one_process(np.ones(len(KEYS)), 1.0)
    factors = [factor_of(group) for group in GROUPS]
    shifts = np.exp(process * rng.standard_normal(processes))
    return validity_of(KEYS, GROUPS, then, [one_process(factors, shift) for shift in shifts])


def answers(count=60, *arguments, **options):
    return Counter(judged(seed, *arguments, **options).answer for seed in range(count))


def test_a_device_that_did_not_move_holds_and_is_hardly_ever_called_changed_or_moved():
    found = answers()
    assert found["holds"] >= 54
    assert found["changed"] + found["moved"] <= 4


def test_a_device_that_moved_as_a_whole_is_said_to_with_an_interval_that_covers_the_factor():
    found = [judged(seed, lambda group: 1.07) for seed in range(60)]
    assert Counter(one.answer for one in found)["moved"] >= 54
    assert sum(one.low <= 1.07 <= one.high for one in found) >= 51
    assert all(one.low < one.ratio < one.high for one in found)
    assert "the device moved as a whole, by x1.0" in found[0].sentence


@pytest.mark.parametrize("kind", ["layers of kind head", "layers of kind mbconv", "whole networks"])
def test_a_group_that_moved_by_itself_is_found_and_named(kind):
    found = [judged(seed, lambda group: 1.08 if group == kind else 1.0) for seed in range(20)]
    assert all(one.answer == "changed" for one in found)
    assert any(kind in one.sentence for one in found)


def test_a_single_model_that_moved_is_found():
    assert judged(1).answer == "holds"
    rng = np.random.default_rng(3)
    then = [measured(rng, 100.0, 0.006) for _ in KEYS]
    now = [[measured(rng, 130.0 if key == "model7" else 100.0, 0.006) for key in KEYS] for _ in range(3)]
    found = validity_of(KEYS, GROUPS, then, now)
    assert found.answer == "changed"
    assert [model.key for model in found.models if model.specific] == ["model7"]


def test_where_little_is_known_it_is_not_said_to_hold():
    found = answers(20, noise=0.25, model=0.1)
    assert found["holds"] == 0
    assert found["unsure"] >= 18
    assert "cannot be told" in judged(0, noise=0.25, model=0.1).sentence
    assert answers(20, process=0.08)["holds"] <= 4


def test_one_process_says_less_than_three():
    one, three = judged(5, processes=1), judged(5)
    assert math.log(one.high / one.low) > 1.5 * math.log(three.high / three.low)


def test_nothing_says_nothing():
    with pytest.raises(ValueError, match="say nothing"):
        validity_of([], [], [], [])
