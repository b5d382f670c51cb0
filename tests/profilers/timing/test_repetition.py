"""What a second process times again: a few models of every speed, until they have enough clean blocks."""

import pytest

from gnomon.profilers.timing.measurement import Contention, Measurement
from gnomon.profilers.timing.protocol import TimingPolicy
from gnomon.profilers.timing.repetition import MOST_PASSES, UNPROBED_PASSES, models_to_repeat, repetition_steps

POLICY = TimingPolicy(clean_blocks=6, max_passes=10, anchor_every=2)


def measured(us, blocks=3, *, clean=None):
    marks = None if clean is None else Contention(((clean,) * blocks,), ((1.0,) * blocks,))
    return Measurement(((us,) * blocks,), 1, marks)


def roles(layers, networks):
    return {
        **{f"layer{number}": "layer" for number in range(layers)},
        **{f"network{number}": "network" for number in range(networks)},
        "anchor": "anchor",
    }


def test_layers_and_networks_of_every_speed_are_repeated():
    known = roles(100, 30)
    latencies = {key: measured(1.0 + number) for number, key in enumerate(known) if key != "anchor"}
    chosen = models_to_repeat(known, latencies, 24)
    layers = sorted(int(key[5:]) for key in chosen if key.startswith("layer"))
    assert (len(layers), len(chosen)) == (12, 24)
    assert layers[0] < 10
    assert layers[-1] > 90
    assert max(b - a for a, b in zip(layers, layers[1:])) < 15


def test_layers_take_the_places_that_networks_leave():
    known = roles(100, 2)
    assert len(models_to_repeat(known, {key: measured(1.0) for key in known}, 24)) == 24


@pytest.mark.parametrize("count", [0, 5])
def test_too_few_show_nothing(count):
    known = roles(100, 30)
    assert models_to_repeat(known, {key: measured(1.0) for key in known}, count) == ()


def test_what_failed_is_not_repeated():
    known = roles(8, 0)
    latencies = {key: None if key == "layer3" else measured(1.0) for key in known}
    assert "layer3" not in models_to_repeat(known, latencies, 24)


def test_a_pass_of_the_repetition_follows_those_of_the_run_and_has_its_anchors():
    steps = repetition_steps(["a", "b", "c"], ["anchor"], number=0, policy=POLICY, earlier={})
    assert {step.pass_index for step in steps} == {10}
    assert [step.key for step in steps].count("anchor") == 3
    assert {step.key for step in steps} == {"a", "b", "c", "anchor"}


@pytest.mark.parametrize(
    ("earlier", "number", "again"),
    [
        (measured(1.0, 3, clean=True), 1, True),  # one visit is no two
        (measured(1.0, 6, clean=True), 2, False),
        (measured(1.0, 6, clean=False), 2, True),
        (measured(1.0, 6, clean=False), MOST_PASSES, False),
        (measured(1.0), UNPROBED_PASSES - 1, True),
        (measured(1.0), UNPROBED_PASSES, False),
        (None, 1, False),
    ],
)
def test_visits_go_on_until_there_are_enough_clean_blocks(earlier, number, again):
    steps = repetition_steps(["a"], [], number=number, policy=POLICY, earlier={"a": earlier})
    assert bool(steps) is again
