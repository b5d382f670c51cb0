"""Single inferences with pauses, on a scripted clock: when they begin, what counts, and when there are enough."""

import pytest

from gnomon.profilers.testing import ScriptedExecutable, ScriptedProbe
from gnomon.profilers.timing.application import Application, application_steps, take_paced
from gnomon.profilers.timing.schedule import Step


class Clock:
    """Seconds that pass only while somebody sleeps or a scripted inference runs."""

    def __init__(self, us):
        self.now_s, self.slept_s = 0.0, []
        self.executable = ScriptedExecutable([us])
        elapsed_ns = self.executable.elapsed_ns

        def run(loops):
            taken = elapsed_ns(loops)
            self.now_s += taken / 1e9
            return taken

        self.executable.elapsed_ns = run

    def __call__(self):
        return self.now_s

    def sleep(self, seconds):
        self.slept_s.append(seconds)
        self.now_s += seconds


def paced(us, period_us, probe=None):
    clock = Clock(us)
    return take_paced(clock.executable, period_us, probe=probe, clock=clock, sleep=clock.sleep), clock


def test_inferences_begin_a_period_apart_one_at_a_time_and_the_first_is_thrown_away():
    found, clock = paced(3_000.0, 33_000.0)
    assert found.us == (3_000.0,) * 5
    assert clock.executable.calls == [1] * 6
    assert clock.slept_s == pytest.approx([0.033, *[0.030] * 5])
    assert (found.late, found.before_us, found.after_us, found.switches) == (0, (), (), ())


def test_the_probe_is_read_right_before_and_right_after_each():
    found, _ = paced(
        3_000.0, 33_000.0, ScriptedProbe([50.0, 21.0, 31.0, 22.0, 32.0, 23.0, 33.0, 24.0, 34.0, 25.0, 35.0])
    )
    assert found.before_us == (21.0, 22.0, 23.0, 24.0, 25.0)
    assert found.after_us == (31.0, 32.0, 33.0, 34.0, 35.0)
    assert found.switches == (0,) * 5


def test_a_model_slower_than_its_period_has_no_pauses_and_says_so():
    found, clock = paced(40_000.0, 33_000.0)
    assert found.late == 5
    assert len(clock.slept_s) == 1


def test_a_clock_that_stands_still_is_an_error():
    with pytest.raises(ValueError, match="too coarse"):
        paced(0.0, 33_000.0)


@pytest.mark.parametrize("period_us", [0, 999.0, 60_000_001.0, float("nan"), "33ms", True])
def test_an_impossible_period_is_refused(period_us):
    with pytest.raises(ValueError, match="the period is"):
        Application(period_us)


def test_an_unknown_field_is_refused():
    assert Application.from_json(Application(33_000.0).to_json()) == Application(33_000.0)
    with pytest.raises(ValueError, match="burst"):
        Application.from_json({"period_us": 33_000.0, "burst": 2})


def made(application, clean):
    """Count the visits to the models a and b, where each visit of one with a probe finds so many clean inferences."""
    taken = set()
    while steps := application_steps(
        ["a", "b"],
        application,
        taken,
        {key: None if n is None else n * len([s for s in taken if s.key == key]) for key, n in clean.items()},
    ):
        taken |= set(steps)
    return [sum(step.key == key for step in taken) for key in ("a", "b")]


def test_models_are_visited_until_they_have_enough_clean_inferences_but_not_for_ever():
    assert made(Application(33_000.0), {"a": 5, "b": 1}) == [5, 12]
    assert made(Application(33_000.0), {"a": 0, "b": None}) == [20, 5]
    assert made(Application(None), {"a": 0, "b": None}) == [3, 3]


def test_a_pass_that_was_interrupted_is_ended_first():
    application = Application(33_000.0)
    steps = application_steps(["a", "b"], application, {Step("a", 0, -2), Step("b", 0, -2), Step("a", 1, -2)}, {})
    assert steps == (Step("b", 1, -2),)
