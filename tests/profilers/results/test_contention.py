"""What probe readings say of blocks, on machines that are simulated: which are ours, which were slowed unseen."""

from types import SimpleNamespace

import numpy as np
import pytest

from gnomon.profilers.results.contention import (
    informed_by_all,
    measurement_of,
    probed_visits,
    share_not_slowed,
    summary_of_contention,
)
from gnomon.profilers.results.visits import Visit, anchor_value
from gnomon.profilers.timing.measurement import Contention, Measurement
from gnomon.profilers.timing.schedule import Step


def clean_measurement(rng, us, *, blocks=15, slowed=0.0, by=0.15):
    """A model whose clean blocks scatter by 1 %, some of them slowed by what no probe sees."""
    times = us * (1 + 0.01 * rng.standard_normal(blocks))
    times *= np.where(rng.random(blocks) < slowed, 1 + by * rng.random(blocks), 1.0)
    visits = tuple((float(value),) for value in times)
    return Measurement(visits, 1, Contention(((True,),) * blocks, ((1.0,),) * blocks))


@pytest.mark.parametrize("seed", range(3))
@pytest.mark.parametrize("slowed", [0.0, 0.3, 0.5])
def test_blocks_slowed_by_what_no_probe_sees_move_latencies_by_half_a_percent_at_most(seed, slowed):
    rng = np.random.default_rng(seed)
    truth = dict(enumerate(np.geomspace(30, 3_000, 120)))
    measured = {key: clean_measurement(rng, us, slowed=slowed) for key, us in truth.items()}
    ratios = [found.value_us / truth[key] for key, found in informed_by_all(measured).items()]
    assert abs(np.median(ratios) - 1) < 0.005
    if slowed == 0.5:  # the plain median is fooled
        assert np.median([found.value_us / truth[key] for key, found in measured.items()]) > 1.005


def test_the_share_that_was_not_slowed_is_read_off_many_blocks_only():
    rng = np.random.default_rng(0)
    few = [clean_measurement(rng, 100.0, slowed=0.5) for _ in range(4)]
    assert share_not_slowed(few) == 1.0
    assert share_not_slowed([]) == 1.0
    many = [clean_measurement(rng, 100.0, slowed=0.6) for _ in range(200)]
    assert share_not_slowed(many) < 0.8


def visits_beside(rng, *, shared, rate_per_us, us, loops, visits, factor=1.6, beta=1.0):
    """Visits of three blocks each, every one far from the others, beside a neighbour who comes and goes."""
    made = []
    for number in range(visits):
        state, probe_us, block_us = rng.random() < shared, [], []
        for place in range(4):
            probe_us.append(20.0 * (factor if state else 1.0) * (1 + 0.01 * rng.standard_normal()))
            if place == 3:
                break
            spent = []
            for _ in range(200):
                if rng.random() > np.exp(-rate_per_us * us * loops / 200):
                    state = rng.random() < shared
                spent.append(us * (factor**beta if state else 1.0))
            block_us.append(float(np.mean(spent)) * (1 + 0.005 * rng.standard_normal()))
        made.append(
            SimpleNamespace(
                session="s",
                t_s=0.05 * number,
                loops=loops,
                block_us=tuple(block_us),
                probe_us=tuple(probe_us),
                switches=(),
            )
        )
    return made


@pytest.mark.parametrize(("us", "loops"), [(100.0, 10), (3_000.0, 1)])
def test_a_neighbour_whose_spells_are_as_short_as_blocks_moves_a_latency_by_two_percent_at_most(us, loops):
    rng = np.random.default_rng(1)
    visits = visits_beside(rng, shared=0.8, rate_per_us=1e-3, us=us, loops=loops, visits=240)
    probed = probed_visits(visits)
    found = measurement_of([visit.block_us for visit in visits], loops, probed)
    assert found.value_us == pytest.approx(us, rel=0.02)
    summary = summary_of_contention(visits, probed)
    assert summary.time_share == pytest.approx(0.8, abs=0.06)
    assert summary.slow_down == pytest.approx(1.6, rel=0.03)


def test_a_model_that_is_never_ours_is_corrected_by_how_slow_the_core_must_have_been():
    rng = np.random.default_rng(2)
    visits = visits_beside(rng, shared=0.9, rate_per_us=4e-3, us=20_000.0, loops=1, visits=100)
    found = measurement_of([visit.block_us for visit in visits], 1, probed_visits(visits))
    assert not found.is_undisturbed
    assert found.value_us == pytest.approx(20_000.0, rel=0.03)
    assert min(us for visit in visits for us in visit.block_us) > 1.2 * 20_000.0


def test_visits_without_a_probe_say_nothing_of_the_core():
    visit = SimpleNamespace(session="s", t_s=1.0, loops=1, block_us=(5.0,), probe_us=(), switches=())
    assert probed_visits([visit]) == [None]
    assert summary_of_contention([visit], [None]) is None


def test_an_anchor_is_told_at_the_core_s_clean_clock_too():
    step = Step("anchor", 0, 0)
    visits = [
        Visit("anchor", "anchor", step, 1, (100.0 * clock,) * 3, 0.0, "s", number / 10, (20.0 * clock,) * 4, (0,) * 3)
        for number, clock in enumerate((1.0, 1.05, 1.0, 0.98))
    ]
    told = [anchor_value(visit, probed) for visit, probed in zip(visits, probed_visits(visits))]
    assert [us for us, _ in told] == pytest.approx([100.0] * 4, rel=0.001)
    told = [anchor_value(visit, probed) for visit, probed in zip(visits, probed_visits(visits, has_clock=False))]
    assert told[1] == (105.0, True)
