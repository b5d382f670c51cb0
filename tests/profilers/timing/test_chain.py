"""The two-state chain against a neighbour who is simulated: what it says between two readings, and how it is fitted."""

import numpy as np
import pytest

from gnomon.profilers.timing.chain import Chain, fit_chain


def states(shared, rate_per_us, *, block_us, blocks, seed, inside=200):
    """Simulate blocks in a row: whether the core was shared at their ends, and at `inside` moments within each."""
    rng = np.random.default_rng(seed)
    step_us = block_us / inside
    keeps = np.exp(-rate_per_us * step_us)
    redrawn = rng.random(blocks * inside + 1) > keeps
    redrawn[0] = True
    latest = np.maximum.accumulate(np.where(redrawn, np.arange(len(redrawn)), 0))
    path = (rng.random(len(redrawn)) < shared)[latest]
    ends = path[::inside]
    return ends[:-1], ends[1:], path[:-1].reshape(blocks, inside)


CASES = [(0.2, 1e-4), (0.8, 1e-3), (0.5, 2e-3), (0.9, 1e-5)]


@pytest.mark.parametrize(("shared", "rate_per_us"), CASES)
def test_a_simulated_neighbour_is_found_again(shared, rate_per_us):
    before, after, _ = states(shared, rate_per_us, block_us=1_000.0, blocks=40_000, seed=1)
    chain = fit_chain(before, after, np.full(len(before), 1_000.0))
    assert chain.shared == pytest.approx(shared, abs=0.1)
    assert chain.rate_per_us == pytest.approx(rate_per_us, rel=0.3)


@pytest.mark.parametrize(("shared", "rate_per_us"), CASES)
def test_what_happens_between_two_readings_is_what_the_simulation_does(shared, rate_per_us):
    before, after, inside = states(shared, rate_per_us, block_us=2_000.0, blocks=60_000, seed=2)
    chain = Chain(shared, rate_per_us)
    for first in (False, True):
        for second in (False, True):
            chosen = (before == first) & (after == second)
            if chosen.sum() < 300:
                continue
            expected = chain.shared_within(np.array([first]), np.array([second]), np.array([2_000.0]))[0]
            assert inside[chosen].mean() == pytest.approx(expected, abs=0.03)
            if not first and not second:
                alone = ~inside[chosen].any(axis=1)
                assert alone.mean() == pytest.approx(chain.undisturbed(np.array([2_000.0]))[0], abs=0.03)


def test_short_and_long_blocks_tend_to_what_they_must():
    chain = Chain(0.3, 1e-3)
    ends = np.array([[False, False], [False, True], [True, False], [True, True]])
    assert chain.shared_within(*ends.T, np.full(4, 1e-6)) == pytest.approx([0.0, 0.5, 0.5, 1.0], abs=1e-3)
    assert chain.shared_within(*ends.T, np.full(4, 1e9)) == pytest.approx([0.3] * 4, abs=1e-3)
    assert chain.undisturbed(np.array([0.0, 1e9])) == pytest.approx([1.0, 0.0], abs=1e-6)


def test_readings_that_are_all_alike_or_few_give_no_chain():
    some = np.zeros(100, dtype=bool)
    assert fit_chain(some, some, np.ones(100)) is None
    assert fit_chain(~some, ~some, np.ones(100)) is None
    assert fit_chain(some[:3], ~some[:3], np.ones(3)) is None
    assert fit_chain(some[:0], some[:0], np.ones(0)) is None


def test_one_reading_that_differs_hurts_nothing():
    before, after = np.zeros(200, dtype=bool), np.zeros(200, dtype=bool)
    after[100] = before[101] = True
    chain = fit_chain(before, after, np.full(200, 1_000.0))
    found = chain.undisturbed(np.array([1_000.0]))
    assert 0.9 < found[0] <= 1
    assert np.isfinite(chain.shared_within(before, after, np.full(200, 1_000.0))).all()
