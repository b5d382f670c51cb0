"""The clean level, on readings whose states are known."""

import math

import numpy as np
import pytest

from gnomon.profilers.timing.clean import SUSTAINED_S, block_marks, clean_levels, low_level, typical_spell


def readings(seed, *, share, seconds=60.0, spell_s=0.2, level=lambda t: 20.0, factor=1.6, every_s=0.004):
    """Times, readings and whether each was contended: spells that come and go, 1 % of noise."""
    rng = np.random.default_rng(seed)
    times = np.arange(0.0, seconds, every_s)
    busy = np.zeros(len(times), bool)
    at = 0.0
    while share and at < seconds:
        at += rng.exponential(spell_s * (1 - share) / share)
        length = rng.exponential(spell_s)
        busy |= (times >= at) & (times < at + length)
        at += length
    clean = np.array([level(t) for t in times]) * (1 + 0.01 * rng.standard_normal(len(times)))
    return times, np.where(busy, clean * factor, clean), busy


@pytest.mark.parametrize("seed", range(3))
@pytest.mark.parametrize("share", [0.0, 0.5, 0.8, 0.9])
@pytest.mark.parametrize("spell_s", [0.005, 0.1, 1.0])
def test_the_level_is_found_however_busy_the_core_is(seed, share, spell_s):
    times, values, _ = readings(seed, share=share, spell_s=spell_s)
    assert clean_levels(times, values) == pytest.approx(20.0, rel=0.03)


@pytest.mark.parametrize("seed", range(3))
@pytest.mark.parametrize("step", [0.5, 2.0])
@pytest.mark.parametrize("share", [0.0, 0.6])
def test_a_clock_that_is_halved_or_doubled_midway_is_followed_to_the_second(seed, step, share):
    times, values, busy = readings(seed, share=share, level=lambda t: 20.0 if t < 30 else 20.0 * step)
    slowness = values / clean_levels(times, values)
    away = np.abs(times - 30) > 1
    assert np.mean((np.abs(slowness - 1) < 0.12)[away] == ~busy[away]) > 0.99


def test_drift_is_followed():
    times, values, busy = readings(0, share=0.5, level=lambda t: 20.0 * (1 + 0.2 * t / 60))
    slowness = values / clean_levels(times, values)
    assert np.mean((np.abs(slowness - 1) < 0.12)[~busy]) > 0.99
    assert np.mean((np.abs(slowness - 1) < 0.12)[busy]) < 0.01


@pytest.mark.parametrize("seed", range(3))
def test_a_neighbour_who_stays_for_a_good_while_and_leaves_is_no_level(seed):
    times, values, _ = readings(seed, share=0.3, seconds=90.0)
    stays = (times // 18) % 2 == 1  # 18 s here, 18 s away: as seen on the host of a rented GPU
    assert clean_levels(times, np.where(stays, values * 1.8, values)) == pytest.approx(20.0, rel=0.03)


def test_a_spell_shorter_than_a_lasting_one_is_no_level():
    times, values, _ = readings(0, share=0.0)
    hit = (times > 20) & (times < 20 + 0.8 * SUSTAINED_S)
    levels = clean_levels(times, np.where(hit, values * 1.5, values))
    assert levels == pytest.approx(20.0, rel=0.03)


def test_a_machine_that_slept_in_between_keeps_its_level():
    times, values, _ = readings(0, share=0.3)
    times = np.where(times > 30, times + 8 * 3600, times)
    assert clean_levels(times, values) == pytest.approx(20.0, rel=0.03)


def test_the_order_of_readings_does_not_matter():
    times, values, _ = readings(0, share=0.5)
    order = np.random.default_rng(0).permutation(len(times))
    assert (clean_levels(times[order], values[order]) == clean_levels(times, values)[order]).all()


def test_a_single_fast_reading_is_no_level():
    assert low_level([14.0, *[20.0] * 10, *[35.0] * 10]) == 20.0
    assert math.isnan(low_level([]))
    assert low_level([20.0, 30.0]) == 20.0
    assert len(clean_levels([], [])) == 0


def test_a_block_is_clean_between_two_clean_readings_if_nothing_interrupted_it():
    slowness = (1.0, 1.05, 1.5, 1.0, 1.0)
    assert block_marks(slowness, (), 4) == (True, False, False, True)
    assert block_marks(slowness, (0, 0, 0, 1), 4) == (True, False, False, False)


def test_the_typical_spell_is_where_half_of_the_shared_time_is():
    assert typical_spell([]) == 0.0
    assert typical_spell([3.0]) == 3.0
    assert typical_spell([*[0.1] * 100, 20.0, 30.0]) == 20.0
