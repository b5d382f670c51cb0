"""The INA3221 read from a scripted tree of hwmon, by the real sampling process."""

import signal

import pytest

from gnomon.profilers import CounterUnavailable
from gnomon.profilers.resources.counters.ina import DRIVER, INTERVAL_S, open_counter


@pytest.fixture
def hwmon(tmp_path):
    """A board that draws 5 V x 2 A; its channel is the second of three."""
    folder = tmp_path / DRIVER / "1-0040" / "hwmon" / "hwmon3"
    folder.mkdir(parents=True)
    for number, (label, millivolts, milliamperes) in enumerate(
        [("VDD_CPU_GPU_CV", 900, 100), ("VDD_IN", 5_000, 2_000), ("VDD_SOC", 800, 50)], start=1
    ):
        (folder / f"in{number}_label").write_text(f"{label}\n")
        (folder / f"in{number}_input").write_text(f"{millivolts}\n")
        (folder / f"curr{number}_input").write_text(f"{milliamperes}\n")
    return folder


def sampled(counter, times=20):
    """Return readings that far apart."""
    before = after = counter.read()
    while after["samples"] < before["samples"] + times:
        after = counter.read()
    return before, after


def test_constant_power_is_integrated_exactly(hwmon, tmp_path):
    with open_counter(tmp_path) as counter:
        before, after = sampled(counter)
    (spent_mj,) = counter.spent_mj(before, after).values()
    assert counter.total == ("VDD_IN",)
    assert spent_mj == pytest.approx(10.0 * (after["ns"] - before["ns"]) / 1e6, abs=0.01)


def test_a_sampler_that_fell_behind_measured_nothing(hwmon, tmp_path):
    with open_counter(tmp_path) as counter:
        before = counter.read()
        few = dict(before, ns=before["ns"] + 10**10, samples=before["samples"] + round(2 / INTERVAL_S))
        with pytest.raises(CounterUnavailable, match=r"sampled 200 times in 10\.0 s, expected 100 a second"):
            counter.spent_mj(before, few)


def test_a_killed_sampler_is_an_error_that_says_where_to_look(hwmon, tmp_path, send):
    with open_counter(tmp_path) as counter:
        send(counter._sampler, signal.SIGKILL)
        with pytest.raises(CounterUnavailable, match=r"has ended.*cat \S+in2_input \S+curr2_input"):
            counter.read()


def test_a_sensor_that_stops_saying_numbers_is_an_error(hwmon, tmp_path):
    with open_counter(tmp_path) as counter:
        (hwmon / "curr2_input").write_text("n/a")
        with pytest.raises(CounterUnavailable, match="has ended"):
            sampled(counter)


def test_a_sensor_without_numbers_is_no_counter(hwmon, tmp_path):
    (hwmon / "in2_input").write_text("")
    with pytest.raises(CounterUnavailable, match="has ended"):
        open_counter(tmp_path)


def test_a_closed_counter_leaves_no_process(hwmon, tmp_path):
    counter = open_counter(tmp_path)
    counter.close()
    counter.close()
    assert counter._sampler.returncode == 0


def test_other_channels_are_named(hwmon, tmp_path):
    (hwmon / "in2_label").write_text("GPU\n")
    with pytest.raises(CounterUnavailable, match="its channels are GPU, VDD_CPU_GPU_CV, VDD_SOC"):
        open_counter(tmp_path)


def test_other_machines_have_none(tmp_path):
    with pytest.raises(CounterUnavailable, match="Jetson boards have one"):
        open_counter(tmp_path)
