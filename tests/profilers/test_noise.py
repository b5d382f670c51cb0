import time

import pytest

from gnomon.profilers import TimerNoise, noise_causes, timer_noise

CPU = "sys/devices/system/cpu"
NOISY = {
    "proc/loadavg": "1.50 1.0 0.5 2/300 1234",
    "proc/cpuinfo": "flags: fpu hypervisor",
    "proc/stat": "cpu 100 0 50 800 5 0 1 7 0 0\n",
    f"{CPU}/online": "0-1",
    f"{CPU}/cpu0/cpufreq/scaling_governor": "powersave",
    f"{CPU}/cpufreq/boost": "1",
    f"{CPU}/smt/active": "1",
    f"{CPU}/cpu0/thermal_throttle/core_throttle_count": "3",
    "sys/fs/cgroup/cpu.max": "150000 100000",
    "sys/class/power_supply/BAT0/status": "Discharging",
}
QUIET = {
    "proc/loadavg": "0.02 0.0 0.0 1/300 1234",
    "proc/cpuinfo": "flags: fpu",
    "proc/stat": "cpu 100 0 50 800 5 0 1 7 0 0\n",
    f"{CPU}/online": "0-1",
    f"{CPU}/cpu0/cpufreq/scaling_governor": "performance",
    f"{CPU}/intel_pstate/no_turbo": "1",
    f"{CPU}/smt/active": "0",
    f"{CPU}/cpu0/thermal_throttle/core_throttle_count": "0",
    "sys/fs/cgroup/cpu.max": "max 100000",
    "sys/class/power_supply/BAT0/status": "Charging",
}


def causes_of(folder, files):
    for name, content in files.items():
        (folder / name).parent.mkdir(parents=True, exist_ok=True)
        (folder / name).write_text(content)
    return {cause.name: cause for cause in noise_causes(folder)}


def test_every_cause_of_noise_is_found(tmp_path):
    found = causes_of(tmp_path, NOISY)
    assert {name: cause.severity for name, cause in found.items()} == {
        "load": "bad",
        "steal": "ok",
        "governor": "warn",
        "turbo": "warn",
        "smt": "warn",
        "cgroup": "bad",
        "throttling": "warn",
        "battery": "bad",
        "virtual machine": "warn",
    }
    assert found["cgroup"].value == "1.50 CPUs"
    assert found["load"].value == "1.50 over 2 CPUs"


def test_a_quiet_machine_is_found_quiet(tmp_path):
    assert {cause.severity for cause in causes_of(tmp_path, QUIET).values()} == {"ok"}


def test_every_cause_says_why_and_what_to_do(tmp_path):
    assert all(cause.why and cause.fix for cause in causes_of(tmp_path, NOISY).values())


def test_an_old_cgroup_limit_is_found(tmp_path):
    files = {
        "sys/fs/cgroup/cpu/cpu.cfs_quota_us": "50000",
        "sys/fs/cgroup/cpu/cpu.cfs_period_us": "100000",
    }
    assert causes_of(tmp_path, files)["cgroup"].value == "0.50 CPUs"


def test_a_system_that_says_nothing_has_no_known_causes(tmp_path):
    assert noise_causes(tmp_path) == ()


@pytest.mark.parametrize(
    ("block_us", "verdict"),
    [((100.0,) * 8, "ok"), ((100.0, 105.0) * 4, "warn"), ((100.0, 150.0) * 4, "bad")],
)
def test_the_verdict_follows_the_spread(block_us, verdict):
    assert TimerNoise(block_us).verdict == verdict


def test_timer_noise_is_measured_in_under_two_seconds():
    start = time.monotonic()
    noise = timer_noise(blocks=10, block_us=2_000.0)
    assert time.monotonic() - start < 2.0
    assert len(noise.block_us) == 10
    assert noise.value_us > 0
    assert noise.verdict in {"ok", "warn", "bad"}
