import os
import subprocess
import sys
from dataclasses import replace

import pytest

from gnomon.profilers import Measurement, TimingPolicy
from gnomon.profilers.timing.measurement import Contention
from gnomon.profilers.timing.schedule import (
    Models,
    Turn,
    expected_visits,
    is_never_clean,
    is_reviewed,
    pass_steps,
)

KEYS = [f"layer{number}" for number in range(10)]
PRECISE = Measurement(((5.0,), (5.0,), (5.0,)), loops=1)
VAGUE = Measurement(((5.0,), (6.0,), (8.0,)), loops=1)


def keys_of(steps):
    return [step.key for step in steps]


def test_a_pass_visits_everything_once_in_a_new_order():
    policy = TimingPolicy()
    first = keys_of(pass_steps(Models(KEYS), pass_index=0, policy=policy, earlier={}))
    second = keys_of(pass_steps(Models(KEYS), pass_index=1, policy=policy, earlier=dict.fromkeys(KEYS, VAGUE)))
    assert sorted(first) == sorted(second) == KEYS
    assert first != second


def test_the_order_depends_on_the_seed_but_not_on_the_order_of_the_plan():
    order = keys_of(pass_steps(Models(KEYS), pass_index=0, policy=TimingPolicy(seed=1), earlier={}))
    assert order == keys_of(pass_steps(Models(KEYS[::-1]), pass_index=0, policy=TimingPolicy(seed=1), earlier={}))
    assert order != keys_of(pass_steps(Models(KEYS), pass_index=0, policy=TimingPolicy(seed=2), earlier={}))


@pytest.mark.parametrize("hash_seed", ["0", "1"])
def test_the_order_is_the_same_in_another_process(hash_seed):
    code = (
        "from gnomon.profilers.timing.schedule import Models, pass_steps; from gnomon.profilers import TimingPolicy;"
        f"print([s.key for s in pass_steps(Models({KEYS}), pass_index=0, policy=TimingPolicy(), earlier={{}})])"
    )
    environment = dict(os.environ, PYTHONHASHSEED=hash_seed)
    there = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, env=environment).stdout.strip()
    assert there == str(keys_of(pass_steps(Models(KEYS), pass_index=0, policy=TimingPolicy(), earlier={})))


def test_anchors_stand_at_both_ends_and_regularly_between():
    order = keys_of(
        pass_steps(Models(KEYS, anchors=("anchor",)), pass_index=0, policy=TimingPolicy(anchor_every=4), earlier={})
    )
    assert [place for place, key in enumerate(order) if key == "anchor"] == [0, 5, 10, 13]


def test_every_slot_is_its_own():
    steps = pass_steps(Models(KEYS, anchors=("anchor",)), pass_index=0, policy=TimingPolicy(anchor_every=4), earlier={})
    assert [step.slot for step in steps] == list(range(len(steps)))


def test_a_precise_model_is_left_alone_after_the_least_number_of_passes():
    earlier = dict.fromkeys(KEYS, PRECISE) | {"layer3": VAGUE}
    assert len(pass_steps(Models(KEYS), pass_index=3, policy=TimingPolicy(min_passes=4), earlier=earlier)) == 10
    policy = TimingPolicy(min_passes=3)
    assert keys_of(pass_steps(Models(KEYS), pass_index=3, policy=policy, earlier=earlier)) == ["layer3"]


def test_nothing_is_visited_once_everything_is_precise_not_even_the_anchor():
    earlier = dict.fromkeys([*KEYS, "anchor"], PRECISE)
    policy = TimingPolicy(min_passes=3)
    assert pass_steps(Models(KEYS, anchors=("anchor",)), pass_index=8, policy=policy, earlier=earlier) == ()


def test_nothing_is_visited_after_the_last_pass():
    policy = TimingPolicy(min_passes=2, max_passes=4)
    assert pass_steps(Models(KEYS), pass_index=4, policy=policy, earlier=dict.fromkeys(KEYS, VAGUE)) == ()


def test_what_failed_is_not_visited_again():
    earlier = dict.fromkeys(KEYS, VAGUE) | {"layer3": None, "anchor": None}
    order = keys_of(pass_steps(Models(KEYS, anchors=("anchor",)), pass_index=1, policy=TimingPolicy(), earlier=earlier))
    assert sorted(order) == sorted(set(KEYS) - {"layer3"})


def marked(*clean):
    """A measurement of one block a visit, each clean or not."""
    marks = tuple((is_clean,) for is_clean in clean)
    return Measurement(((5.0,),) * len(clean), 1, Contention(marks, ((1.0,),) * len(clean)))


def test_after_the_least_passes_whoever_has_fewest_clean_blocks_comes_first_and_who_has_enough_is_left_alone():
    earlier = {key: marked(*[number < place for number in range(12)]) for place, key in enumerate(KEYS)}
    policy = TimingPolicy(min_passes=3, clean_blocks=8, blocks_per_visit=1)
    assert keys_of(pass_steps(Models(KEYS), pass_index=3, policy=policy, earlier=earlier)) == KEYS[:8]
    policy = TimingPolicy(min_passes=13, clean_blocks=8)
    assert sorted(keys_of(pass_steps(Models(KEYS), pass_index=3, policy=policy, earlier=earlier))) == KEYS


def test_a_pass_visits_whole_networks_several_times_until_they_have_as_many_times_the_clean_blocks():
    models, policy = (
        Models(["layer"], ["network"]),
        TimingPolicy(min_passes=2, clean_blocks=2, blocks_per_visit=1, network_visits=3),
    )
    assert sorted(keys_of(pass_steps(models, pass_index=0, policy=policy, earlier={}))) == ["layer", *["network"] * 3]
    earlier = {"layer": marked(True, True), "network": marked(*[True] * 5)}
    assert keys_of(pass_steps(models, pass_index=2, policy=policy, earlier=earlier)) == ["network"] * 3
    earlier["network"] = marked(*[True] * 6)
    assert pass_steps(models, pass_index=2, policy=policy, earlier=earlier) == ()


def test_of_slow_models_whose_visits_have_fewer_blocks_fewer_are_needed():
    policy = TimingPolicy(min_passes=2, clean_blocks=8, blocks_per_visit=4)
    for blocks, needed in ((4, 8), (1, 2)):
        for clean in (needed - 1, needed):
            visits = -(-max(clean, 2) // blocks)
            marks = [number < clean for number in range(visits * blocks)]
            shaped = tuple(tuple(marks[v * blocks : (v + 1) * blocks]) for v in range(visits))
            ones = tuple((1.0,) * blocks for _ in range(visits))
            earlier = {"layer": Measurement(ones, 1, Contention(shaped, ones))}
            steps = pass_steps(Models(["layer"]), pass_index=2, policy=policy, earlier=earlier)
            assert bool(steps) is (clean < needed or visits < 2)


def test_a_process_that_others_follow_makes_its_share():
    policy = TimingPolicy(min_passes=6, clean_blocks=8, processes=3)
    first = Turn(0, 0, is_last=False)
    assert (first.least_visits(policy), first.passes(policy), first.clean_blocks(policy)) == (2, 2, 3)
    middle = Turn(1, 4, is_last=False)
    assert (middle.since, middle.least_visits(policy), middle.clean_blocks(policy)) == (4, 2, 3)
    assert middle.until_s(TimingPolicy(processes=3, time_cap_s=100.0), 40.0) == 70.0


def test_a_process_that_is_the_last_before_its_number_makes_what_the_others_would_have():
    policy = TimingPolicy(min_passes=6, clean_blocks=9, processes=3)
    turn = Turn(1, 4, is_last=True)
    assert (turn.least_visits(policy), turn.passes(policy), turn.clean_blocks(policy)) == (4, 4, 6)
    assert turn.until_s(TimingPolicy(processes=3, time_cap_s=100.0), 40.0) == 100.0


def test_without_a_probe_all_visits_count_and_only_the_last_process_makes_more_than_the_least():
    policy = TimingPolicy(min_passes=4, processes=2)
    first, last = Turn(0, 0, is_last=False, is_probed=False), Turn(1, 2, is_last=True, is_probed=False)
    assert (first.since, last.since, last.least_visits(policy), last.passes(policy)) == (0, 0, 4, 2)
    for turn, pass_index, is_visited in ((first, 3, False), (last, 4, True)):
        earlier = dict.fromkeys(KEYS, Measurement(((5.0,), (6.0,), (8.0,), (5.0,)), loops=1))
        steps = pass_steps(Models(KEYS), pass_index=pass_index, policy=policy, earlier=earlier, turn=turn)
        assert bool(steps) is is_visited


def test_a_machine_is_never_clean_when_all_passes_would_not_give_a_model_enough():
    policy = TimingPolicy(max_passes=40)
    assert is_never_clean(policy, [marked(*[False] * 50), None])
    assert is_never_clean(policy, [marked(*[False] * 19, True)])
    assert not is_never_clean(policy, [marked(*[False] * 9, True)])
    assert not is_never_clean(policy, [VAGUE, None])


def visits_left(models, **asked):
    return sum(expected_visits(models, **asked).values())


def test_a_machine_without_marks_is_not_called_never_clean_and_its_least_visits_are_expected():
    policy, vague = TimingPolicy(min_passes=8), dict.fromkeys(KEYS, VAGUE)
    assert visits_left(Models(KEYS), pass_index=0, policy=policy, earlier={}) == 7 * len(KEYS)
    assert visits_left(Models(KEYS), pass_index=3, policy=policy, earlier=vague) == 4 * len(KEYS)
    assert visits_left(Models(KEYS), pass_index=3, policy=policy, earlier=dict.fromkeys(KEYS, None)) == 0


def test_as_many_visits_are_expected_as_the_missing_clean_blocks_take_at_the_models_own_rate():
    policy = TimingPolicy(min_passes=2, clean_blocks=4, blocks_per_visit=1, max_passes=100)
    models = Models(["a", "b", "c"])
    earlier = {"a": marked(*[True, False] * 2), "b": marked(*[True] * 4), "c": marked(*[False] * 12)}
    # 6 clean blocks in 20 visits; a lacks 2 at (2 + 0.3) / 5 a visit, c lacks 4 at 0.3 / 13; this pass visits both once
    assert expected_visits(models, pass_index=4, policy=policy, earlier=earlier) == {"a": 4, "b": 0, "c": 173 - 80 + 2}
    policy = replace(policy, max_passes=8)
    assert expected_visits(models, pass_index=4, policy=policy, earlier=earlier) == {"a": 3, "b": 0, "c": 3}


def test_networks_that_are_left_alone_are_expected_at_their_own_rate_and_the_anchors_around_them():
    policy = TimingPolicy(min_passes=2, clean_blocks=4, blocks_per_visit=1, max_passes=100, network_visits=3)
    layers = {f"layer{number}": marked(*[True] * 4) for number in range(200)}
    earlier = layers | {"network": marked(*([True] + [False] * 9) * 2)}
    models = Models(list(layers), networks=["network"], anchors=["anchor"])
    left = expected_visits(models, pass_index=6, policy=policy, earlier=earlier)
    assert set(layers) & {key for key, visits in left.items() if visits} == set()
    assert 50 < left["network"] < 100  # 10 clean blocks are missing, one in ten visits is clean
    assert left["anchor"] == 2 * -(-left["network"] // 3)


def test_further_processes_are_expected_to_make_as_many_visits_as_this_one_did():
    policy = TimingPolicy(min_passes=8, clean_blocks=32, blocks_per_visit=1, processes=4)
    earlier = {f"layer{n}": marked(*[True] * 8) for n in range(300)} | {"late": marked(*[False] * 38, True, True)}
    turn = Turn(0, 0, is_last=False)
    made = 300 * 8 + 40
    left = visits_left(Models(list(earlier)), pass_index=40, policy=policy, earlier=earlier, turn=turn)
    assert 3 * made < left < 4 * made


def test_looking_at_all_that_was_measured_gets_rarer():
    seen, looks = 0, []
    for visits in range(0, 240 * 10, 10):  # passes of ten
        if is_reviewed(visits, seen):
            seen = visits
            looks.append(visits // 10)
    assert looks[:20] == [*range(20)]
    assert len(looks) < 100
    assert all(later - sooner <= 1 + later / 24 for sooner, later in zip(looks, looks[1:]))
