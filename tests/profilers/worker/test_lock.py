"""A device times one plan at once, whoever asks, and a lock never outlives its holder."""

import os
import signal
import subprocess
import sys
import time

import pytest

from gnomon.profilers import DeviceBusy, ProfilerError, read_plan, read_results
from gnomon.profilers.worker.lock import DEVICE_LOCK, device_lock_path, device_locked

HURRIED = "import sys; from gnomon.profilers.worker import worker; worker.LOCK_WAIT_S = 0.1; sys.exit(worker.main())"
HOLD = """
import time
from gnomon.profilers.worker.lock import device_locked
with device_locked("a" * 64):
    print(flush=True)
    time.sleep(60)
"""


@pytest.fixture(autouse=True)
def lock(tmp_path, monkeypatch):
    monkeypatch.setenv(DEVICE_LOCK, str(tmp_path / "device.lock"))
    return tmp_path / "device.lock"


def start(plan, results):
    command = [sys.executable, "-c", HURRIED, str(plan), "--results", str(results)]
    return subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)


def wait_for_a_visit(results):
    deadline = time.monotonic() + 60
    while not results.exists() or b'"visit"' not in results.read_bytes():
        assert time.monotonic() < deadline
        time.sleep(0.01)


@pytest.mark.slow
def test_a_second_plan_is_refused_while_one_is_measured_and_welcome_afterwards(fake_backend, make_plan, tmp_path, send):
    long = make_plan("long", **{f"layer{number}": {"us": [1.0], "sleep_s": 0.2} for number in range(40)})
    short = make_plan("short", layer={"us": [1.0]})
    first = start(long, tmp_path / "long.jsonl")
    wait_for_a_visit(tmp_path / "long.jsonl")
    second = start(short, tmp_path / "short.jsonl")
    _, said = second.communicate(timeout=60)
    assert second.returncode == 3
    assert f"DeviceBusy: This device is measuring the plan {read_plan(long).digest[:12]}," in said
    assert f"in process {first.pid}" in said
    send(first, signal.SIGINT)
    first.communicate(timeout=60)
    assert start(short, tmp_path / "short.jsonl").communicate(timeout=60)[1] == ""
    assert read_results(tmp_path / "short.jsonl").is_complete


def test_a_holder_that_is_killed_leaves_no_lock(lock, send):
    holder = subprocess.Popen([sys.executable, "-c", HOLD], stdout=subprocess.PIPE)
    holder.stdout.readline()
    with pytest.raises(DeviceBusy, match=f"the plan aaaaaaaaaaaa, in process {holder.pid}"), device_locked("b" * 64):
        pass
    send(holder, signal.SIGKILL)
    holder.communicate()
    with device_locked("b" * 64):
        assert lock.read_text() == f"plan {'b' * 12} process {os.getpid()}\n"
    assert lock.read_text() == ""


def test_what_others_write_into_the_lock_is_not_repeated(lock):
    with device_locked("b" * 64):
        lock.write_text("plan \x1b[31m of a stranger")
        with pytest.raises(DeviceBusy, match="is measuring another plan, which holds"), device_locked("c" * 64):
            pass


@pytest.mark.skipif(sys.platform == "win32", reason="Windows has no such links")
def test_a_link_in_the_place_of_the_lock_is_not_followed(lock, tmp_path):
    (tmp_path / "precious").write_text("precious")
    lock.symlink_to(tmp_path / "precious")
    with pytest.raises(ProfilerError, match=DEVICE_LOCK), device_locked("b" * 64):
        pass
    assert (tmp_path / "precious").read_text() == "precious"


def test_the_lock_is_the_devices_unless_the_environment_says_otherwise(monkeypatch):
    monkeypatch.delenv(DEVICE_LOCK)
    assert device_lock_path().name == "gnomon-device.lock"
