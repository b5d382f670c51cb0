import os
import subprocess
import sys

import pytest

from gnomon.profilers import Measurement, TimingPolicy
from gnomon.profilers.timing.measurement import Contention
from gnomon.profilers.timing.schedule import expected_visits, is_never_clean, is_reviewed, pass_steps

KEYS = [f"layer{number}" for number in range(10)]
PRECISE = Measurement(((5.0,), (5.0,), (5.0,)), loops=1)
VAGUE = Measurement(((5.0,), (6.0,), (8.0,)), loops=1)


def keys_of(steps):
    return [step.key for step in steps]


def test_a_pass_visits_everything_once_in_a_new_order():
    policy = TimingPolicy()
    first = keys_of(pass_steps(KEYS, (), pass_index=0, policy=policy, earlier={}))
    second = keys_of(pass_steps(KEYS, (), pass_index=1, policy=policy, earlier=dict.fromkeys(KEYS, VAGUE)))
    assert sorted(first) == sorted(second) == KEYS
    assert first != second


def test_the_order_depends_on_the_seed_but_not_on_the_order_of_the_plan():
    order = keys_of(pass_steps(KEYS, (), pass_index=0, policy=TimingPolicy(seed=1), earlier={}))
    assert order == keys_of(pass_steps(KEYS[::-1], (), pass_index=0, policy=TimingPolicy(seed=1), earlier={}))
    assert order != keys_of(pass_steps(KEYS, (), pass_index=0, policy=TimingPolicy(seed=2), earlier={}))


@pytest.mark.parametrize("hash_seed", ["0", "1"])
def test_the_order_is_the_same_in_another_process(hash_seed):
    code = (
        "from gnomon.profilers.timing.schedule import pass_steps; from gnomon.profilers import TimingPolicy;"
        f"print([s.key for s in pass_steps({KEYS}, (), pass_index=0, policy=TimingPolicy(), earlier={{}})])"
    )
    environment = dict(os.environ, PYTHONHASHSEED=hash_seed)
    there = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, env=environment).stdout.strip()
    assert there == str(keys_of(pass_steps(KEYS, (), pass_index=0, policy=TimingPolicy(), earlier={})))


def test_anchors_stand_at_both_ends_and_regularly_between():
    order = keys_of(pass_steps(KEYS, ("anchor",), pass_index=0, policy=TimingPolicy(anchor_every=4), earlier={}))
    assert [place for place, key in enumerate(order) if key == "anchor"] == [0, 5, 10, 13]


def test_every_slot_is_its_own():
    steps = pass_steps(KEYS, ("anchor",), pass_index=0, policy=TimingPolicy(anchor_every=4), earlier={})
    assert [step.slot for step in steps] == list(range(len(steps)))


def test_a_precise_model_is_left_alone_after_the_least_number_of_passes():
    earlier = dict.fromkeys(KEYS, PRECISE) | {"layer3": VAGUE}
    policy = TimingPolicy(min_passes=3)
    assert len(pass_steps(KEYS, (), pass_index=2, policy=policy, earlier=earlier)) == 10
    assert keys_of(pass_steps(KEYS, (), pass_index=3, policy=policy, earlier=earlier)) == ["layer3"]


def test_nothing_is_visited_once_everything_is_precise_not_even_the_anchor():
    earlier = dict.fromkeys([*KEYS, "anchor"], PRECISE)
    assert pass_steps(KEYS, ("anchor",), pass_index=8, policy=TimingPolicy(), earlier=earlier) == ()


def test_nothing_is_visited_after_the_last_pass():
    policy = TimingPolicy(min_passes=2, max_passes=4)
    assert pass_steps(KEYS, (), pass_index=4, policy=policy, earlier=dict.fromkeys(KEYS, VAGUE)) == ()


def test_what_failed_is_not_visited_again():
    earlier = dict.fromkeys(KEYS, VAGUE) | {"layer3": None, "anchor": None}
    order = keys_of(pass_steps(KEYS, ("anchor",), pass_index=1, policy=TimingPolicy(), earlier=earlier))
    assert sorted(order) == sorted(set(KEYS) - {"layer3"})


def marked(*clean):
    """A measurement of one block a visit, each clean or not."""
    marks = tuple((is_clean,) for is_clean in clean)
    return Measurement(((5.0,),) * len(clean), 1, Contention(marks, ((1.0,),) * len(clean)))


def test_after_the_least_passes_whoever_has_fewest_clean_blocks_comes_first_and_who_has_enough_is_left_alone():
    earlier = {key: marked(*[number < place for number in range(12)]) for place, key in enumerate(KEYS)}
    policy = TimingPolicy(min_passes=3, clean_blocks=8)
    assert keys_of(pass_steps(KEYS, (), pass_index=3, policy=policy, earlier=earlier)) == KEYS[:8]
    assert sorted(keys_of(pass_steps(KEYS, (), pass_index=2, policy=policy, earlier=earlier))) == KEYS


def test_a_machine_is_never_clean_when_all_passes_would_not_give_a_model_enough():
    policy = TimingPolicy(max_passes=40)
    assert is_never_clean(policy, [marked(*[False] * 50), None])
    assert is_never_clean(policy, [marked(*[False] * 19, True)])
    assert not is_never_clean(policy, [marked(*[False] * 9, True)])
    assert not is_never_clean(policy, [VAGUE, None])


def test_a_machine_without_marks_is_not_called_never_clean_and_its_least_visits_are_expected():
    policy = TimingPolicy(min_passes=8)
    assert expected_visits(KEYS, pass_index=0, policy=policy, earlier={}) == 7 * len(KEYS)
    assert expected_visits(KEYS, pass_index=3, policy=policy, earlier=dict.fromkeys(KEYS, VAGUE)) == 4 * len(KEYS)
    assert expected_visits(KEYS, pass_index=3, policy=policy, earlier=dict.fromkeys(KEYS, None)) == 0


def test_as_many_visits_are_expected_as_the_missing_clean_blocks_take_at_the_rate_so_far():
    policy = TimingPolicy(min_passes=2, clean_blocks=4, max_passes=100)
    earlier = {"a": marked(True, False, False, False), "b": marked(*[True] * 4), "c": marked(*[False] * 4)}
    # 5 clean blocks in 12 visits; 3 + 4 are missing: 17 visits, of which this pass makes 2
    assert expected_visits(list(earlier), pass_index=4, policy=policy, earlier=earlier) == 15
    policy = TimingPolicy(min_passes=2, clean_blocks=4, max_passes=8)
    assert expected_visits(list(earlier), pass_index=4, policy=policy, earlier=earlier) == 2 * 3


def test_looking_at_all_that_was_measured_gets_rarer():
    reviewed = [index for index in range(240) if is_reviewed(index)]
    assert reviewed[:20] == [*range(16), 16, 18, 20, 22]
    assert len(reviewed) < 50
    assert all(later - sooner <= max(1, sooner / 8) for sooner, later in zip(reviewed, reviewed[1:]))
