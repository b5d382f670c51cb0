"""Validations leave other work its processors: how their threads wait, and how many there are."""

import os
import subprocess
import sys

import numpy as np
import pytest

from gnomon.supernets.supernet import load_supernet
from gnomon.supernets.threads import Processors, processors, thread_variables, validation_threads, wait_variables

VARIABLES = ("OMP_WAIT_POLICY", "GOMP_SPINCOUNT", "KMP_BLOCKTIME", "KMP_LIBRARY", "OMP_NUM_THREADS", "MKL_NUM_THREADS")


def test_there_are_as_many_threads_as_may_be_used_busy_or_not():
    for busy in (0.0, 12.0):
        assert validation_threads(Processors(64, 16, 4, busy), {}).count == 4
    assert thread_variables(Processors(64, 16, 16, 12.0), {}) == {"OMP_WAIT_POLICY": "passive"}, "torch's own number"
    assert thread_variables(Processors(64, 16, 4, 0.0), {})["OMP_NUM_THREADS"] == "4"


@pytest.mark.parametrize(("busy", "told"), [(0.0, ""), (0.4, ""), (2.0, "2.0 times as slow"), (12.0, "7.0 times")])
def test_how_much_other_work_slows_it_is_said(busy, told):
    found = validation_threads(Processors(2, 2, 2, busy), {})
    assert told in found.busy
    assert bool(found.busy) == bool(told)


@pytest.mark.parametrize("name", ["OMP_NUM_THREADS", "MKL_NUM_THREADS"])
def test_the_users_number_stands(name):
    chosen = validation_threads(Processors(8, 8, 2, 0.0), {name: "7"})
    assert (chosen.count, chosen.count_because) == (7, f"{name} is set")
    assert "OMP_NUM_THREADS" not in thread_variables(Processors(8, 8, 2, 0.0), {name: "7"})


@pytest.mark.parametrize("name", ["OMP_WAIT_POLICY", "GOMP_SPINCOUNT", "KMP_BLOCKTIME", "KMP_LIBRARY"])
def test_the_users_way_of_waiting_stands(name):
    assert wait_variables({name: "x"}) == {}
    assert f"as {name}=x says" in str(validation_threads(Processors(2, 2, 2, 0.0), {name: "x"}))


def machine(folder, loadavg=None, **groups):
    files = {"proc/loadavg": loadavg, **groups}
    for name, content in files.items():
        if content is not None:
            path = folder / name
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_text(content)
    return folder


def test_the_smaller_of_the_average_and_the_moment_counts_without_this_process(tmp_path):
    assert processors(machine(tmp_path / "past", "8.50 5.00 2.00 1/312 4711")).busy == 0.0  # work that has just ended
    assert processors(machine(tmp_path / "spike", "0.20 0.10 0.00 9/312 4711")).busy == 0.2
    assert processors(machine(tmp_path / "busy", "8.50 5.00 2.00 7/312 4711")).busy == 6.0
    assert processors(machine(tmp_path / "odd", "what")).busy == 0.0
    assert processors(tmp_path / "nothing").busy == 0.0


@pytest.mark.parametrize(
    "groups",
    [
        {"proc/self/cgroup": "0::/pod/own\n", "sys/fs/cgroup/pod/cpu.max": "90000 100000", **{}},
        {"proc/self/cgroup": "0::/\n", "sys/fs/cgroup/cpu.max": "50000 100000\n"},
        {
            "proc/self/cgroup": "4:cpu,cpuacct:/own\n3:memory:/\n",
            "sys/fs/cgroup/cpu,cpuacct/own/cpu.cfs_quota_us": "100000",
            "sys/fs/cgroup/cpu,cpuacct/own/cpu.cfs_period_us": "100000",
        },
    ],
    ids=["of a group above", "of a container", "of version 1"],
)
def test_a_quota_limits_what_is_usable(groups, tmp_path):
    assert processors(machine(tmp_path, **groups)).usable == 1


@pytest.mark.parametrize("content", ["max 100000", "-1 100000", "0 0", "1", "\xff"])
def test_no_quota_limits_nothing(content, tmp_path):
    groups = {"proc/self/cgroup": "0::/../x\n", "sys/fs/cgroup/cpu.max": content}
    assert processors(machine(tmp_path, **groups)).usable == len(os.sched_getaffinity(0))


@pytest.mark.slow
def test_answers_do_not_depend_on_the_number_of_threads():
    import torch

    supernet, before = load_supernet("fashion_mnist"), torch.get_num_threads()
    architecture = supernet.space.architecture(supernet.space.sample(1, np.random.default_rng(3))[0])
    answers = []
    try:
        for count in (1, 2, 3):
            torch.set_num_threads(count)
            answers.append(supernet.answers(architecture, "test", 200))
    finally:
        torch.set_num_threads(before)
    assert answers[0].difference(answers[1]) == answers[0].difference(answers[2]) == 0.0


def shown(code, **variables):
    """Run code in a process without any of our variables but these, and return its stdout and what OpenMP shows."""
    environment = {name: value for name, value in os.environ.items() if name not in VARIABLES}
    environment |= {"OMP_DISPLAY_ENV": "verbose", **variables}
    done = subprocess.run([sys.executable, "-c", code], env=environment, capture_output=True, text=True, check=True)
    if "GOMP_SPINCOUNT" not in done.stderr:
        pytest.skip("torch is not built with GNU's OpenMP here, which tells how long its threads spin")
    return done.stdout.strip(), done.stderr


LOAD = "from gnomon.supernets.supernet import load_supernet; load_supernet('fashion_mnist')"


@pytest.mark.slow
def test_torchs_openmp_is_told_to_sleep_and_the_environment_is_as_before():
    out, told = shown(f"{LOAD}; import os; print(os.environ.get('OMP_WAIT_POLICY'))")
    assert out == "None"
    assert "GOMP_SPINCOUNT = '0'" in told  # of GNU's OpenMP, whose name for an unset policy is PASSIVE too


@pytest.mark.slow
def test_whoever_set_it_or_imported_torch_before_is_left_alone():
    for told in (shown(LOAD, OMP_WAIT_POLICY="active")[1], shown(f"import torch; {LOAD}")[1]):
        assert "GOMP_SPINCOUNT = '0'" not in told
