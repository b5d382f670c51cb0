"""What the probe says of the core at this moment."""

import pytest

from gnomon.profilers import CoreNoise, core_noise


def noise_of(*readings_us, step_s=0.001):
    return CoreNoise(tuple(step_s * place for place in range(len(readings_us))), readings_us)


@pytest.mark.parametrize(
    ("readings_us", "verdict"),
    [
        ((20.0,) * 20, "ok"),
        ((20.0,) * 15 + (30.0,) * 5, "warn"),
        ((20.0,) * 3 + (30.0,) * 17, "bad"),
        ((20.0, 20.6) * 10, "warn"),
        ((20.0, 21.8) * 10, "bad"),
    ],
)
def test_the_verdict_follows_how_often_the_core_is_shared_and_how_it_jitters(readings_us, verdict):
    assert noise_of(*readings_us).verdict == verdict


def test_spells_are_found_with_how_long_they_lasted():
    noise = noise_of(20.0, 20.1, 20.0, 34.0, 36.0, 20.0, 35.0, 20.0, 20.0, 20.0)
    assert noise.shared == pytest.approx(0.3)
    assert noise.slow_down == pytest.approx(1.75)
    assert noise.spells_s == pytest.approx((0.002, 0.001))
    assert noise.stretch == pytest.approx(1 / 0.7)
    assert "shared 30% of the time, x1.75, in spells of 2 ms (longest 2 ms)" in noise.sentence
    assert noise.sentence.endswith("measuring takes 1.4 times as long as on a quiet machine")


def test_a_spell_that_lasts_to_the_end_counts():
    assert noise_of(20.0, 20.0, 20.0, 35.0, 35.0).spells_s == pytest.approx((0.001,))


def test_jitter_is_no_spell():
    noise = noise_of(*(20.0, 21.0) * 8)
    assert noise.spells_s == ()
    assert noise.sentence == "the core was ours all the time"


def test_a_core_that_is_hardly_ever_ours_says_what_that_does():
    noise = noise_of(*[20.0] * 8, *[35.0] * 92)
    assert noise.verdict == "bad"
    assert "hardly ever ours, and latencies will be corrected ones" in noise.sentence


def test_this_machine_can_be_watched():
    noise = core_noise(watch_s=0.05)
    assert len(noise.readings_us) == len(noise.at_s) >= 9
    assert 0 <= noise.shared <= 1
    assert noise.verdict in {"ok", "warn", "bad"}


@pytest.mark.parametrize("watch_s", [0.0, -1.0, float("nan")])
def test_no_time_to_watch_is_refused(watch_s):
    with pytest.raises(ValueError, match="expected a positive time"):
        core_noise(watch_s=watch_s)
