import tempfile
import time
from pathlib import Path
from types import SimpleNamespace

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from gnomon.profilers import CoreNoise, noise_causes
from gnomon.profilers.machine.noise import advice, neighbours

CPU = "sys/devices/system/cpu"
NOISY = {
    "proc/loadavg": "1.50 1.0 0.5 2/300 1234",
    "proc/pressure/cpu": "some avg10=35.20 avg60=1.00 avg300=0.00 total=9\nfull avg10=0.00",
    "proc/meminfo": "MemTotal: 8000000 kB\nMemAvailable: 200000 kB\nSwapTotal: 4000000 kB\nSwapFree: 1000000 kB\n",
    "proc/self/cgroup": "0::/\n",
    "proc/cpuinfo": "flags: fpu hypervisor",
    "proc/stat": "cpu 100 0 50 800 5 0 1 7 0 0\n",
    f"{CPU}/online": "0-1",
    f"{CPU}/cpu0/cpufreq/scaling_governor": "powersave",
    f"{CPU}/cpufreq/boost": "1",
    f"{CPU}/smt/active": "1",
    f"{CPU}/cpu0/thermal_throttle/core_throttle_count": "3",
    "sys/fs/cgroup/cpu.max": "150000 100000",
    "sys/fs/cgroup/cpu.stat": "usage_usec 5\nnr_periods 1000\nnr_throttled 30\nthrottled_usec 2500000\n",
    "sys/fs/cgroup/cpuset.cpus.effective": "1",
    "sys/class/power_supply/BAT0/status": "Discharging",
    "sys/class/thermal/thermal_zone0/type": "x86_pkg_temp",
    "sys/class/thermal/thermal_zone0/temp": "81000",
    "sys/class/thermal/thermal_zone0/trip_point_0_type": "passive",
    "sys/class/thermal/thermal_zone0/trip_point_0_temp": "80000",
    "sys/devices/platform/soc/soc:firmware/get_throttled": "50005",
    "sys/firmware/acpi/platform_profile": "low-power",
    "sys/kernel/mm/transparent_hugepage/enabled": "[always] madvise never",
    f"{CPU}/cpu0/cpufreq/energy_performance_preference": "balance_power",
    f"{CPU}/cpu0/cpufreq/scaling_cur_freq": "800000",
    f"{CPU}/cpu1/cpufreq/scaling_cur_freq": "2900000",
    f"{CPU}/cpu0/cpufreq/cpuinfo_max_freq": "4000000",
    f"{CPU}/cpu1/cpufreq/cpuinfo_max_freq": "3000000",
}
QUIET = {
    "proc/loadavg": "0.02 0.0 0.0 1/300 1234",
    "proc/pressure/cpu": "some avg10=0.00 avg60=1.00 avg300=0.00 total=9",
    "proc/meminfo": "MemTotal: 8000000 kB\nMemAvailable: 7000000 kB\nSwapTotal: 4000000 kB\nSwapFree: 4000000 kB\n",
    "proc/self/cgroup": "0::/user.slice/session-1.scope\n",
    "proc/cpuinfo": "flags: fpu",
    "proc/stat": "cpu 100 0 50 800 5 0 1 7 0 0\n",
    f"{CPU}/online": "0-1",
    f"{CPU}/cpu0/cpufreq/scaling_governor": "performance",
    f"{CPU}/intel_pstate/no_turbo": "1",
    f"{CPU}/smt/active": "0",
    f"{CPU}/cpu0/thermal_throttle/core_throttle_count": "0",
    "sys/fs/cgroup/cpu.max": "max 100000",
    "sys/fs/cgroup/cpu.stat": "usage_usec 5\nnr_periods 0\nnr_throttled 0\nthrottled_usec 0\n",
    "sys/fs/cgroup/user.slice/cpuset.cpus.effective": "0-1",
    "sys/class/thermal/thermal_zone0/type": "x86_pkg_temp",
    "sys/class/thermal/thermal_zone0/temp": "45000",
    "sys/class/thermal/thermal_zone0/trip_point_0_type": "passive",
    "sys/class/thermal/thermal_zone0/trip_point_0_temp": "80000",
    "sys/devices/platform/soc/soc:firmware/get_throttled": "0",
    "sys/firmware/acpi/platform_profile": "performance",
    "sys/kernel/mm/transparent_hugepage/enabled": "always [madvise] never",
    f"{CPU}/isolated": "1",
    f"{CPU}/nohz_full": "1",
    f"{CPU}/cpu0/cpufreq/energy_performance_preference": "performance",
    f"{CPU}/cpu0/cpufreq/scaling_cur_freq": "2900000",
    f"{CPU}/cpu1/cpufreq/scaling_cur_freq": "2900000",
    f"{CPU}/cpu0/cpufreq/cpuinfo_max_freq": "3000000",
    f"{CPU}/cpu1/cpufreq/cpuinfo_max_freq": "3000000",
    "sys/class/power_supply/BAT0/status": "Charging",
}


def test_every_cause_of_noise_is_found(causes_of):
    found = causes_of(NOISY)
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
        "pressure": "bad",
        "cgroup throttling": "bad",
        "affinity": "warn",
        "energy preference": "warn",
        "power profile": "warn",
        "clocks": "warn",
        "hybrid cores": "warn",
        "temperature": "bad",
        "firmware": "bad",
        "huge pages": "warn",
        "swap": "bad",
    }
    assert found["cgroup"].value == "1.50 CPUs"
    assert found["load"].value == "1.50 over 2 CPUs"


def test_a_quiet_machine_is_found_quiet(causes_of):
    found = causes_of(QUIET)
    assert {cause.name for cause in found.values() if cause.severity != "ok"} == set()
    assert len(found) > 15


def test_every_cause_says_why_and_what_to_do(causes_of):
    assert all(cause.why and cause.fix for cause in causes_of(NOISY).values())


def test_an_old_cgroup_limit_is_found(causes_of):
    files = {
        "sys/fs/cgroup/cpu/cpu.cfs_quota_us": "50000",
        "sys/fs/cgroup/cpu/cpu.cfs_period_us": "100000",
    }
    assert causes_of(files)["cgroup"].value == "0.50 CPUs"


def test_a_system_that_says_nothing_has_no_known_causes(causes_of):
    assert causes_of({}) == {}


HOSTILE = {
    "empty": b"",
    "blank": b" \n\0\n ",
    "binary": bytes(range(256)) * 4,
    "huge": b"9" * 3_000_000,
    "many lines": b"cpu 1 2 3\n" * 50_000,
    "text": b"none of your business",
    "negative": b"-1",
    "not a number": b"nan",
    "infinite": b"inf inf inf inf inf inf inf inf inf",
    "wide digits": "²٣".encode(),
    "range": b"0-999999999999999",
    "zero": b"0",
    "zeros": b"0 0",
    "words": b"max max",
    "escape": b"[\x1b[2J]performance\x1b]0;title\x07",
}


@pytest.mark.parametrize("content", HOSTILE.values(), ids=HOSTILE.keys())
def test_no_content_of_the_systems_files_is_too_strange(causes_of, content, monkeypatch):
    monkeypatch.setattr(neighbours.time, "sleep", lambda pause_s: None)
    for cause in causes_of({**dict.fromkeys([*NOISY, *QUIET], content), f"{CPU}/online": "0-1"}).values():
        assert cause.severity in ("ok", "warn", "bad")
        assert cause.value.isprintable()
        assert len(cause.value) < 300


@pytest.mark.slow
@settings(max_examples=150, deadline=None)
@given(
    st.dictionaries(
        st.sampled_from(sorted({*NOISY, *QUIET})),
        st.binary(max_size=40) | st.text("0123456789-,. maxcpu:/\n", max_size=40).map(str.encode),
    )
)
def test_any_files_give_causes_and_no_exception(files):
    with tempfile.TemporaryDirectory() as folder, pytest.MonkeyPatch.context() as patch:
        patch.setattr(neighbours.time, "sleep", lambda pause_s: None)
        for name, content in files.items():
            (Path(folder) / name).parent.mkdir(parents=True, exist_ok=True)
            (Path(folder) / name).write_bytes(content)
        assert all(cause.why and cause.fix for cause in noise_causes(Path(folder)))


def test_folders_where_files_should_be_say_nothing(tmp_path):
    for name in NOISY:
        (tmp_path / name).mkdir(parents=True, exist_ok=True)
    found = noise_causes(tmp_path)
    assert [(cause.name, cause.severity, cause.value) for cause in found] == [("battery", "ok", "unknown")]


def test_advice_begins_with_the_worst_and_ends_with_the_spells(causes_of):
    causes = tuple(causes_of(NOISY).values())
    steps = advice(causes, CoreNoise(tuple(range(14)), (20.0,) * 9 + (30.0,) * 5))
    severities = {cause.name: cause.severity for cause in causes}
    order = [severities[step.partition(":")[0]] for step in steps[:-1]]
    assert order == sorted(order, key=["bad", "warn"].index)
    assert "other work takes the core 36% of the time" in steps[-1]


def test_nothing_is_advised_for_a_quiet_machine(causes_of):
    assert advice(tuple(causes_of(QUIET).values()), CoreNoise(tuple(range(9)), (20.0,) * 9)) == ()


def test_a_clock_that_counts_in_milliseconds_is_told(tmp_path, monkeypatch):
    monkeypatch.setattr(time, "get_clock_info", lambda name: SimpleNamespace(resolution=0.001))
    (cause,) = (cause for cause in noise_causes(tmp_path) if cause.name == "clock resolution")
    assert (cause.severity, cause.value) == ("warn", "steps of 1e+03 us")
    assert "cannot be probed" in cause.why
