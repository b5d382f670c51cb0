"""Clocks, heat and power: what is found, and the fix that is right for the machine."""

import pytest

CPU = "sys/devices/system/cpu"


@pytest.mark.parametrize(
    ("files", "fix"),
    [
        ({}, f"echo performance | sudo tee /{CPU}/cpu*/cpufreq/scaling_governor"),
        ({"usr/bin/cpupower": ""}, "sudo cpupower frequency-set -g performance"),
        ({f"{CPU}/cpu0/cpufreq/scaling_available_governors": "ondemand powersave"}, "modprobe cpufreq_performance"),
    ],
)
def test_the_governors_fix_uses_what_is_there(causes_of, files, fix):
    found = causes_of({f"{CPU}/cpu0/cpufreq/scaling_governor": "powersave", **files})["governor"]
    assert found.severity == "warn"
    assert fix in found.fix


def test_one_cpu_under_another_governor_is_found(causes_of):
    files = {f"{CPU}/cpu{cpu}/cpufreq/scaling_governor": "performance" for cpu in range(3)}
    files[f"{CPU}/cpu2/cpufreq/scaling_governor"] = "schedutil"
    found = causes_of({**files, f"{CPU}/online": "0-2", f"{CPU}/cpu0/cpufreq/scaling_driver": "amd-pstate"})["governor"]
    assert (found.severity, found.value) == ("warn", "performance, schedutil (amd-pstate)")


@pytest.mark.parametrize(
    ("files", "fix"),
    [
        ({}, "echo performance | sudo tee /sys/firmware/acpi/platform_profile"),
        ({"usr/bin/powerprofilesctl": ""}, "powerprofilesctl set performance"),
        ({"sys/firmware/acpi/platform_profile_choices": "quiet balanced"}, "echo balanced | sudo tee"),
    ],
)
def test_the_power_profiles_fix_uses_what_is_there(causes_of, files, fix):
    found = causes_of({"sys/firmware/acpi/platform_profile": "quiet", **files})["power profile"]
    assert found.severity == "warn"
    assert fix in found.fix


def test_the_fastest_power_profile_there_is_will_do(causes_of):
    files = {"sys/firmware/acpi/platform_profile": "balanced"}
    assert causes_of(files)["power profile"].severity == "warn"
    files["sys/firmware/acpi/platform_profile_choices"] = "quiet balanced"
    assert causes_of(files)["power profile"].severity == "ok"


def test_threads_that_cannot_be_switched_off_are_left_alone(causes_of):
    files = {f"{CPU}/cpu{cpu}/topology/thread_siblings_list": f"{cpu % 2},{cpu % 2 + 2}" for cpu in range(4)}
    found = causes_of(
        {**files, f"{CPU}/online": "0-3", f"{CPU}/smt/active": "1", f"{CPU}/smt/control": "notimplemented"}
    )
    assert "taskset -c 0-1 gnomon profile" in found["smt"].fix


def test_fast_cores_are_named_where_there_are_slow_ones(causes_of):
    files = {f"{CPU}/cpu{cpu}/cpufreq/cpuinfo_max_freq": str(khz) for cpu, khz in enumerate([18, 18, 24, 24])}
    found = causes_of({**files, f"{CPU}/online": "0-3"})["hybrid cores"]
    assert (found.severity, found.value, found.fix) == (
        "warn",
        "2 of 4 CPUs are fast ones",
        "taskset -c 2-3 gnomon profile",
    )


def test_slow_cores_of_a_hybrid_machine_are_not_a_spread_of_clocks(causes_of):
    files = {f"{CPU}/online": "0-1"}
    for cpu, khz in enumerate([1_800_000, 2_400_000]):
        files[f"{CPU}/cpu{cpu}/cpufreq/cpuinfo_max_freq"] = files[f"{CPU}/cpu{cpu}/cpufreq/scaling_cur_freq"] = str(khz)
    assert causes_of(files)["clocks"].severity == "ok"


@pytest.mark.parametrize(("celsius", "severity"), [(45, "ok"), (72, "warn"), (80, "bad"), (95, "bad")])
def test_the_temperature_is_judged_by_what_is_left(causes_of, celsius, severity):
    zone = "sys/class/thermal/thermal_zone"
    files = {
        f"{zone}0/temp": str(celsius * 1000),
        f"{zone}0/type": "cpu-thermal",
        f"{zone}0/trip_point_0_type": "active",
        f"{zone}0/trip_point_0_temp": "30000",
        f"{zone}0/trip_point_1_type": "passive",
        f"{zone}0/trip_point_1_temp": "80000",
        f"{zone}0/trip_point_2_type": "critical",
        f"{zone}0/trip_point_2_temp": "100000",
        f"{zone}1/temp": "20000",
        f"{zone}1/trip_point_0_type": "critical",
        f"{zone}1/trip_point_0_temp": "-274000",
    }
    found = causes_of(files)["temperature"]
    assert found.severity == severity
    assert found.value == f"cpu-thermal {celsius} °C, slowed down from 80 °C"


@pytest.mark.parametrize(
    ("bits", "severity", "value", "fix"),
    [
        ("0", "ok", "free", ""),
        ("throttled=0x0", "ok", "free", ""),
        ("50000", "warn", "since start too low a voltage, since start throttling", "power supply"),
        ("0x20002", "bad", "now a capped clock", "heat sink"),
        ("80008", "bad", "now the soft temperature limit", "fan"),
    ],
)
def test_the_firmwares_bits_are_read(causes_of, bits, severity, value, fix):
    found = causes_of({"sys/devices/platform/soc/soc:firmware/get_throttled": bits})["firmware"]
    assert (found.severity, found.value) == (severity, value)
    assert fix in found.fix


def test_throttling_of_any_core_counts(causes_of):
    files = {f"{CPU}/cpu{cpu}/thermal_throttle/core_throttle_count": "0" for cpu in range(3)}
    assert causes_of(files)["throttling"].severity == "ok"
    assert causes_of({f"{CPU}/cpu2/thermal_throttle/package_throttle_count": "7"})["throttling"].value.startswith("7 ")


def test_the_battery_of_a_mouse_is_none(causes_of):
    mouse = "sys/class/power_supply/hidpp_battery_0"
    assert "battery" not in causes_of({f"{mouse}/type": "Battery", f"{mouse}/scope": "Device"})
    found = causes_of(
        {"sys/class/power_supply/macsmc/type": "Battery", "sys/class/power_supply/macsmc/status": "Discharging"}
    )
    assert found["battery"].severity == "bad"


def test_isolated_cpus_are_information_with_a_command(causes_of):
    found = causes_of({f"{CPU}/isolated": "2-3", f"{CPU}/nohz_full": ""})["isolated CPUs"]
    assert (found.severity, found.value) == ("ok", "isolated 2-3, without timer tick none")
    assert found.fix == "taskset -c 2-3 gnomon profile"


@pytest.mark.parametrize(
    ("available", "free", "severity", "fix"),
    [(7_000_000, 4_000_000, "ok", ""), (5_000_000, 3_000_000, "warn", "swapoff"), (100_000, 1_000_000, "bad", "close")],
)
def test_swap_is_judged_with_what_is_left_of_memory(causes_of, available, free, severity, fix):
    text = f"MemTotal: 8000000 kB\nMemAvailable: {available} kB\nSwapTotal: 4000000 kB\nSwapFree: {free} kB\n"
    found = causes_of({"proc/meminfo": text})["swap"]
    assert found.severity == severity
    assert fix in found.fix
