import math

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from gnomon.profilers import Measurement, TimingPolicy
from gnomon.profilers.testing import ScriptedExecutable
from gnomon.profilers.timing.measurement import Contention
from gnomon.profilers.timing.protocol import calibrate_loops, take_visit

times = st.floats(0.1, 1e6)
visits = st.lists(st.lists(times, min_size=1, max_size=8).map(tuple), min_size=1, max_size=8).map(tuple)


@pytest.mark.parametrize(("script_us", "loops"), [((10.0,), 400), ((400.0,), 10), ((3_000.0,), 1), ((50_000.0,), 1)])
def test_loops_are_calibrated_so_that_a_block_lasts_long_enough(script_us, loops):
    assert calibrate_loops(ScriptedExecutable(script_us), TimingPolicy(block_us=4_000)) == loops


def test_calibration_ignores_a_slow_first_inference():
    assert calibrate_loops(ScriptedExecutable((90_000.0, 10.0)), TimingPolicy(block_us=4_000)) == 400


@pytest.mark.parametrize("disturbed_us", [(300.0,), (300.0, 290.0, 40.0), (900.0, 14.0, 300.0)])
def test_a_model_that_starts_on_a_cold_cache_is_not_taken_for_a_slow_one(disturbed_us):
    script_us = (5_000.0, *disturbed_us, 12.5)
    assert calibrate_loops(ScriptedExecutable(script_us), TimingPolicy(block_us=250, warmup_us=2_000)) == 20


def test_calibration_ends_even_if_the_clock_stands_still():
    assert calibrate_loops(ScriptedExecutable((0.0,)), TimingPolicy()) == 1_000_000


def test_a_visit_throws_its_warm_up_away():
    executable = ScriptedExecutable((900.0, 800.0, 100.0, 101.0, 102.0))
    policy = TimingPolicy(warmup_us=10_000, blocks_per_visit=3)
    assert take_visit(executable, policy, loops=7) == (100.0, 101.0, 102.0)
    assert executable.calls == [7] * 5


@pytest.mark.parametrize(("us", "warm_up"), [(400.0, 5), (5_000.0, 4), (10_000.0, 3), (100_000.0, 2)])
def test_the_warm_up_lasts_its_time_and_is_four_inferences_unless_they_take_too_long_but_two(us, warm_up):
    executable = ScriptedExecutable((us,))
    take_visit(executable, TimingPolicy(warmup_us=2_000, blocks_per_visit=1, visit_us=60_000), loops=1)
    assert len(executable.calls) == warm_up + 1


BLOCKS = [(30.0, 8), (300.0, 6), (1_000.0, 3), (10_000.0, 3), (25_000.0, 2), (500_000.0, 1)]  # of a visit, by us


@pytest.mark.parametrize(("us", "blocks"), BLOCKS)
def test_a_visit_to_a_slow_model_takes_fewer_blocks_but_at_least_one(us, blocks):
    policy = TimingPolicy(block_us=250, blocks_per_visit=8, visit_us=60_000)
    assert len(take_visit(ScriptedExecutable((us,)), policy, loops=max(1, round(250 / us)))) == blocks


def test_a_clock_that_does_not_advance_is_an_error():
    with pytest.raises(ValueError, match="too coarse"):
        take_visit(ScriptedExecutable((0.0,)), TimingPolicy(), loops=1)


def test_slow_visits_do_not_move_the_value_even_when_most_are_slow():
    quiet, slow = (100.0, 101.0, 100.0), (900.0, 950.0, 980.0)
    assert Measurement((quiet, slow, quiet), loops=10).value_us == pytest.approx(100, abs=1)
    visits = (slow, quiet, slow, slow, quiet, slow, slow, quiet)
    assert Measurement(visits, loops=10).value_us == pytest.approx(101, abs=1)


def test_looking_more_often_does_not_lower_the_value():
    once = ((100.0, 104.0, 99.0), (170.0, 150.0, 160.0), (101.0, 98.0, 100.0), (100.0, 102.0, 101.0))
    assert Measurement(once * 10, loops=10).value_us == pytest.approx(Measurement(once, loops=10).value_us, rel=0.005)


def test_a_single_lucky_visit_does_not_decide():
    lucky = ((60.0, 61.0, 60.0), *[(100.0, 101.0, 102.0)] * 7)
    assert Measurement(lucky, loops=10).value_us == pytest.approx(100.0)


def test_visits_go_on_until_two_halves_agree():
    disturbed = Measurement(((100.0,), (170.0,), (101.0,)), loops=10)
    assert disturbed.relative_disagreement > 0.4
    settled = Measurement(((100.0,), (101.0,)) * 4, loops=10)
    assert settled.relative_disagreement == pytest.approx(0.01)


def test_an_outlier_block_does_not_move_the_value():
    assert Measurement(((100.0, 5_000.0, 100.0),), loops=1).value_us == 100.0


def test_split_halves_come_from_alternating_visits():
    measurement = Measurement(((1.0,), (10.0,), (1.0,), (30.0,)), loops=1)
    assert measurement.split_half_us() == (1.0, 15.0)


def test_a_single_visit_says_nothing_about_its_precision():
    measurement = Measurement(((1.0, 2.0),), loops=1)
    assert measurement.split_half_us() is None
    assert measurement.relative_disagreement == math.inf


def test_equal_visits_agree_perfectly():
    assert Measurement(((5.0,), (5.0,), (5.0,)), loops=1).relative_disagreement == 0.0


@settings(deadline=None)
@given(visits)
def test_the_value_lies_between_the_blocks_and_ignores_the_order_of_visits(block_us):
    value = Measurement(block_us, loops=1).value_us
    flat = [block for visit in block_us for block in visit]
    assert min(flat) <= value <= max(flat)
    assert Measurement(tuple(reversed(block_us)), loops=1).value_us == pytest.approx(value)


@settings(deadline=None)
@given(visits, st.sampled_from([0.5, 2.0, 4.0]))
def test_relative_spreads_do_not_depend_on_the_unit(block_us, factor):
    scaled = tuple(tuple(block * factor for block in visit) for visit in block_us)
    original, other = Measurement(block_us, loops=1), Measurement(scaled, loops=1)
    assert other.relative_iqr == pytest.approx(original.relative_iqr)
    assert other.relative_disagreement == pytest.approx(original.relative_disagreement)


@pytest.mark.parametrize("block_us", [(), ((),), ((1.0,), ()), ((0.0,),), ((-1.0,),), ((math.nan,),), ((math.inf,),)])
def test_times_that_cannot_be_are_refused(block_us):
    with pytest.raises(ValueError, match=r"expected|needs"):
        Measurement(block_us, loops=1)


def test_a_policy_survives_json():
    policy = TimingPolicy(block_us=1_000, min_passes=2, seed=9)
    assert TimingPolicy.from_json(policy.to_json()) == policy


@pytest.mark.parametrize(
    "fields",
    [
        {"block_us": 0},
        {"time_cap_s": math.inf},
        {"blocks_per_visit": 0},
        {"anchor_every": 0},
        {"seed": -1},
        {"max_passes": 2, "min_passes": 3},
    ],
)
def test_an_impossible_policy_is_refused(fields):
    with pytest.raises(ValueError, match=next(iter(fields))):
        TimingPolicy(**fields)


def test_an_unknown_policy_field_is_refused():
    with pytest.raises(ValueError, match="repeats"):
        TimingPolicy.from_json(dict(TimingPolicy().to_json(), repeats=3))


def probed(block_us, clean, slowness, **common):
    return Measurement(block_us, 1, Contention(clean, slowness, **common))


def test_the_latency_is_the_median_of_the_clean_blocks_however_few_of_all_they_are():
    clean = (True, *[False] * 9)
    visit = (100.0, *[120.0] * 9)
    found = probed((visit,) * 4, (clean,) * 4, ((1.0, *[1.5] * 9),) * 4)
    assert found.is_undisturbed
    assert found.value_us == 100.0
    assert found.relative_iqr == 0.0
    assert found.split_half_us() == (100.0, 100.0)


def test_too_few_clean_blocks_are_helped_by_corrected_ones_with_a_wider_spread():
    found = probed(((100.0, 144.0),) * 3, ((True, False),) * 3, ((1.0, 1.44),) * 3, beta=1.0, beta_spread=0.2)
    assert not found.is_undisturbed
    assert found.value_us == pytest.approx(100.0)
    assert found.relative_iqr == pytest.approx(0.2 * math.log(1.44) / 2)


def test_marks_of_other_blocks_are_refused():
    with pytest.raises(ValueError, match="marks are not of these blocks"):
        probed(((1.0, 2.0),), ((True,),), ((1.0,),))


def test_blocks_that_lost_the_core_to_others_do_not_count_where_none_was_clean():
    alone_us, waiting_us = (160.0, 161.0, 159.0, 160.0, 162.0), (900.0, 1_300.0, 640.0, 2_000.0, 700.0)
    blocks = (alone_us, waiting_us, waiting_us)
    never, slowness = ((False,) * 5,) * 3, ((1.6,) * 5,) * 3
    switches = ((0,) * 5, (1, 2, 1, 3, 1), (1,) * 5)
    found = probed(blocks, never, slowness, switches=switches)
    assert found.value_us == pytest.approx(100.0)
    assert found.used_by_process == (tuple(tuple(us / 1.6 for us in alone_us) for _ in range(1)),)
    assert probed(blocks, never, slowness).value_us > 300.0
    few = ((0, 1, 1, 1, 1), (2,) * 5, (2,) * 5)
    assert len(probed(blocks, never, slowness, switches=few).used_us[0]) == 5  # four at least, of the fewest switches
