"""Control groups, nested and of both versions, and the CPUs that are allowed."""

import shlex

import pytest

CPU = "sys/devices/system/cpu"
TOP = "sys/fs/cgroup"


def test_a_limit_anywhere_above_the_own_group_counts(causes_of):
    found = causes_of(
        {
            "proc/self/cgroup": "0::/a.slice/b.slice/c.service\n",
            f"{TOP}/a.slice/cpu.max": "50000 100000",
            f"{TOP}/a.slice/b.slice/cpu.max": "max 100000",
            f"{TOP}/a.slice/b.slice/c.service/cpu.max": "200000 100000",
        }
    )["cgroup"]
    assert (found.severity, found.value) == ("bad", "0.50 CPUs")
    assert found.fix == "sudo systemctl set-property --runtime a.slice CPUQuota="


@pytest.mark.parametrize(
    ("group", "fix"),
    [
        ("/", "start the container without --cpus"),
        ("/docker/0123abc", "start the container without --cpus"),
        ("/system.slice/docker-0123abc.scope", "start the container without --cpus"),
        ("/kubepods.slice/kubepods-burstable.slice/pod1", "resources.limits.cpu"),
        ("/user.slice/session-1.scope", "systemctl set-property --runtime session-1.scope CPUQuota="),
        ("/mine", "echo max | sudo tee /sys/fs/cgroup/mine/cpu.max"),
    ],
)
def test_the_fix_is_the_one_of_whoever_set_the_limit(causes_of, group, fix):
    files = {"proc/self/cgroup": f"0::{group}\n", f"{TOP}{group}/cpu.max": "150000 100000"}
    assert fix in causes_of(files)["cgroup"].fix


def test_a_group_cannot_smuggle_a_command_into_the_fix(causes_of):
    group = "a; reboot #"
    files = {"proc/self/cgroup": f"0::/{group}\n", f"{TOP}/{group}/cpu.max": "150000 100000"}
    assert shlex.split(causes_of(files)["cgroup"].fix, comments=True)[-1] == f"/{TOP}/{group}/cpu.max"


def test_a_path_outside_of_what_is_visible_stays_inside(causes_of, tmp_path):
    files = {"proc/self/cgroup": "0::/../../../etc\n", "etc/cpu.max": "1 100000", f"{TOP}/cpu.max": "70000 100000"}
    assert causes_of(files)["cgroup"].value == "0.70 CPUs"


def test_the_old_interface_is_read_along_its_own_path(causes_of):
    found = causes_of(
        {
            "proc/self/cgroup": "4:cpu,cpuacct:/jobs/one\n2:memory:/other\n0::/\n",
            f"{TOP}/cpu,cpuacct/jobs/cpu.cfs_quota_us": "25000",
            f"{TOP}/cpu,cpuacct/jobs/cpu.cfs_period_us": "100000",
            f"{TOP}/cpu,cpuacct/jobs/one/cpu.cfs_quota_us": "-1",
            f"{TOP}/cpu,cpuacct/jobs/one/cpu.cfs_period_us": "100000",
            f"{TOP}/cpu,cpuacct/jobs/one/cpu.stat": "nr_periods 100\nnr_throttled 1\nthrottled_time 3000000000\n",
        }
    )
    assert found["cgroup"].value == "0.25 CPUs"
    assert found["cgroup"].fix == "echo -1 | sudo tee /sys/fs/cgroup/cpu,cpuacct/jobs/cpu.cfs_quota_us"
    assert found["cgroup throttling"].value == "stopped 1 times, for 3.0 s in all"
    assert found["cgroup throttling"].severity == "bad"


def test_a_limit_of_all_cpus_is_none(causes_of):
    assert causes_of({f"{CPU}/online": "0-3", f"{TOP}/cpu.max": "400000 100000"})["cgroup"].severity == "ok"


@pytest.mark.parametrize(("stops", "severity"), [(0, "ok"), (3, "warn"), (500, "bad")])
def test_stops_that_happened_are_judged_by_their_share(causes_of, stops, severity):
    stat = f"nr_periods 10000\nnr_throttled {stops}\nthrottled_usec 1\n"
    assert causes_of({f"{TOP}/cpu.stat": stat})["cgroup throttling"].severity == severity


def test_the_cpus_of_the_own_group_are_named(causes_of):
    files = {
        "proc/self/cgroup": "0::/job\n",
        f"{TOP}/cpuset.cpus.effective": "0-7",
        f"{TOP}/job/cpuset.cpus.effective": "2-3,6",
        f"{CPU}/online": "0-7",
    }
    found = causes_of(files)["affinity"]
    assert (found.severity, found.value) == ("warn", "3 of 8 CPUs allowed: 2-3,6")
    assert "at most 3 threads" in found.fix
