import pytest

from gnomon.profilers import TimerNoise, timer_noise


@pytest.mark.parametrize(
    ("block_us", "verdict"),
    [((100.0,) * 8, "ok"), ((100.0, 105.0) * 4, "warn"), ((100.0, 150.0) * 4, "bad")],
)
def test_the_verdict_follows_the_spread(block_us, verdict):
    assert TimerNoise(block_us).verdict == verdict


def test_timer_noise_is_measured_in_so_many_blocks():
    noise = timer_noise(blocks=10, block_us=2_000.0)
    assert len(noise.block_us) == 10
    assert noise.value_us > 0
    assert noise.verdict in {"ok", "warn", "bad"}


def test_spells_are_found_with_how_long_they_lasted():
    noise = TimerNoise((100.0, 100.0, 100.0, 150.0, 160.0, 100.0, 130.0, 101.0), loops=10_000)
    assert noise.spells_s == pytest.approx((3.1, 1.3))
    assert noise.interference == pytest.approx(4.4 / 9.41)


def test_a_spell_that_ends_with_the_workload_counts():
    assert TimerNoise((100.0, 100.0, 100.0, 150.0), loops=10_000).spells_s == pytest.approx((1.5,))


def test_jitter_is_no_spell():
    assert TimerNoise((100.0, 110.0) * 4).spells_s == ()


def test_spells_the_spread_does_not_show_are_in_the_verdict():
    noise = TimerNoise((100.0,) * 80 + (150.0,) * 15)
    assert noise.relative_iqr == 0.0
    assert noise.verdict == "warn"
