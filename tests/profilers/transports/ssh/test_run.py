"""Runs over a real line, cut, stopped and killed in every way; the run itself must not notice."""

import signal

import psutil
import pytest

from gnomon.profilers import (
    DeviceUnfit,
    DeviceUnreachable,
    EnvironmentChanged,
    PlanMismatch,
    ResultsUnwritable,
    read_results,
)
from gnomon.profilers.testing import sign_journal
from gnomon.profilers.transports.ssh import run as ssh_run
from gnomon.profilers.worker.cache import cache_path

pytestmark = pytest.mark.slow  # each starts a process on the device at every login

LAYERS = {f"layer{number}": {"us": [100.0 + number]} for number in range(4)}
SLOW = {f"layer{number}": {"us": [100.0], "sleep_s": 0.15} for number in range(10)}
LONG = {f"layer{number}": {"us": [100.0], "sleep_s": 0.15} for number in range(60)}


@pytest.fixture
def results(tmp_path):
    return tmp_path / "results.jsonl"


def runners(board):
    """Return the processes that run plans of the device."""
    home = str(board.plans)
    found = []
    for process in psutil.process_iter(["cwd", "cmdline"]):
        if (process.info["cwd"] or "").startswith(home) and "run" in (process.info["cmdline"] or ()):
            found.append(process)
    return found


def test_a_plan_runs_there_and_only_its_worker_stays(fake_board, make_plan, results):
    plan, events = make_plan(**LAYERS, deadly={"die": int(signal.SIGSEGV)}), []
    with fake_board.open() as device:
        device.require("fake")
        device.run(plan, results, on_progress=events.append)
    found = read_results(results)
    assert found.is_complete
    assert set(found.measurements) == set(LAYERS)
    assert [failure.key for failure in found.failures] == ["deadly"]
    assert events[-1]["done"] == events[-1]["total"]
    assert [path.suffix for path in fake_board.plans.rglob("*") if path.is_file()] == [".lock", ".lock"]
    assert [path.suffix for path in fake_board.plans.parent.glob("worker-*")] == [".pyz"]


def test_only_what_is_missing_is_copied(fake_board, make_plan, results):
    plan = make_plan(**LAYERS, last={"us": [1.0], "full": True})
    with fake_board.open() as device, pytest.raises(ResultsUnwritable, match="ENOSPC"):
        device.run(plan, results)
    assert [text for text in fake_board.said if "copying the plan" in text and "(6 files" in text]
    assert read_results(results).visits  # fetched, though it failed
    damaged = next(fake_board.plans.glob("*/plan/models/*.onnx"))
    damaged.write_bytes(b"half a mod")
    plugin = results.parent / "site" / "gnomon_fake.py"
    plugin.write_text(plugin.read_text().replace("os.fsync = refuse", "pass"))
    fake_board.said.clear()
    with fake_board.open() as device:
        device.run(plan, results)
    assert read_results(results).is_complete
    assert [text.partition("(")[2] for text in fake_board.said] == ["1 files, 0.0 MiB)"]


def test_a_line_that_is_cut_is_made_anew_and_the_run_never_stopped(fake_board, make_plan, results):
    client = fake_board.start(make_plan(**SLOW), results)
    fake_board.wait_for_a_visit()
    fake_board.server.cut_lines()
    errors = client.communicate(timeout=60)[1]
    assert client.returncode == 0, errors
    assert "Trying again in 1 s" in errors
    found = read_results(results)
    assert found.is_complete
    assert len(found.sessions) == 1


def test_ctrl_c_stops_the_run_there_and_brings_what_it_measured(fake_board, make_plan, results, send):
    plan = make_plan(**SLOW)
    client = fake_board.start(plan, results)
    fake_board.wait_for_a_visit()
    send(client, signal.SIGINT)
    assert "KeyboardInterrupt" in client.communicate(timeout=60)[1]
    assert runners(fake_board) == []
    half = read_results(results)
    assert half.visits
    assert not half.is_complete
    assert len(half.attempts) == len(half.visits)
    with fake_board.open() as device:
        device.run(plan, results)
    found = read_results(results)
    assert found.is_complete
    assert found.visits[: len(half.visits)] == half.visits
    assert len(found.sessions) == 2


def test_a_client_that_is_killed_finds_its_run_again(fake_board, make_plan, results, send):
    plan = make_plan(**SLOW)
    client = fake_board.start(plan, results)
    fake_board.wait_for_a_visit()
    send(client, signal.SIGKILL)
    client.communicate()
    (runner,) = runners(fake_board)
    with fake_board.open() as device:
        device.run(plan, results)
    assert not runner.is_running() or runner.status() == psutil.STATUS_ZOMBIE
    found = read_results(results)
    assert found.is_complete
    assert len(found.sessions) == 1


def test_a_run_that_is_killed_there_goes_on(fake_board, make_plan, results):
    client = fake_board.start(make_plan(**SLOW), results)
    fake_board.wait_for_a_visit()
    (runner,) = runners(fake_board)
    assert runner.is_running()
    runner.kill()
    errors = client.communicate(timeout=60)[1]
    assert client.returncode == 0, errors
    assert "was killed. Trying again" in errors
    found = read_results(results)
    assert found.is_complete
    assert len(found.sessions) == 2


def test_a_failing_progress_callback_stops_the_run_where_it_can_resume(fake_board, make_plan, results):
    def fail(event):
        raise ZeroDivisionError

    with fake_board.open() as device:
        with pytest.raises(ZeroDivisionError):
            device.run(make_plan(**LONG), results, on_progress=fail)
        assert runners(fake_board) == []
        assert not read_results(results).is_complete


def test_results_that_a_device_has_lost_are_taken_back_to_it(fake_board, make_plan, results, tmp_path):
    plan = make_plan(**LAYERS, last={"us": [1.0], "full": True})
    with fake_board.open() as device, pytest.raises(ResultsUnwritable):
        device.run(plan, results)
    (folder,) = fake_board.plans.iterdir()
    folder.rename(tmp_path / "lost")
    with fake_board.open() as device, pytest.raises(ResultsUnwritable):
        device.run(plan, results)
    assert len(read_results(results).sessions) == 2


def test_results_begun_apart_are_not_mixed(fake_board, make_plan, results):
    plan = make_plan(**LAYERS, last={"us": [1.0], "full": True})
    with fake_board.open() as device, pytest.raises(ResultsUnwritable):
        device.run(plan, results)
    kept = results.read_text().replace('"t_s":', '"t_s": ')
    results.write_text(kept)
    sign_journal(results)
    kept = results.read_text()
    with fake_board.open() as device, pytest.raises(PlanMismatch, match="is no part of"):
        device.run(plan, results)
    assert results.read_text() == kept


def test_results_of_another_environment_are_kept_in_one_place(fake_board, make_plan, results):
    plan = make_plan(**LAYERS, last={"us": [1.0], "full": True})
    with fake_board.open() as device, pytest.raises(ResultsUnwritable):
        device.run(plan, results)
    (there,) = fake_board.plans.glob("*/results.jsonl")
    for path in (results, there):
        path.write_text(path.read_text().replace('"fake":"1.0"', '"fake":"0.9"'))
        sign_journal(path)
    kept = results.read_bytes()
    with fake_board.open() as device, pytest.raises(EnvironmentChanged, match=r"was '0\.9' and is '1\.0'") as caught:
        device.run(plan, results)
    assert f"remove it to measure anew here: that is {results}" in str(caught.value)
    assert results.read_bytes() == kept
    assert not there.exists()


def test_what_a_runtime_found_out_travels_with_the_results(fake_board, make_plan, tmp_path):
    plugin = tmp_path / "site" / "gnomon_fake.py"
    plugin.write_text(
        plugin.read_text().replace("return FakeBackend(script)", "return Keeps(script)") + "class Keeps(FakeBackend):\n"
        "    def use_cache(self, path): path.write_bytes(path.read_bytes() + b', more')\n"
        "    def save_cache(self): pass\n"
    )
    results = tmp_path / "measured.jsonl"
    cache_path(results).write_bytes(b"known")
    with fake_board.open() as device:
        device.run(make_plan(**LAYERS), results)
    assert cache_path(results).read_bytes() == b"known, more"
    assert read_results(results).is_complete
    assert not list(fake_board.plans.glob("*/*.cache"))


def test_a_plan_that_does_not_fit_is_not_copied(fake_board, make_plan, results, monkeypatch):
    monkeypatch.setattr(ssh_run, "RESERVE_BYTES", 2**60)
    with fake_board.open() as device, pytest.raises(DeviceUnfit, match="MiB free for a plan of 5 files"):
        device.run(make_plan(**LAYERS), results)
    assert not list(fake_board.plans.glob("*/plan"))
    assert not results.exists()


def test_a_run_that_cannot_be_found_again_goes_on_there(fake_board, make_plan, results, monkeypatch):
    plan = make_plan(**SLOW)
    monkeypatch.setattr(ssh_run, "RETRY_WAITS_S", (0.1,))

    def cut(event):
        fake_board.configure(UserKnownHostsFile="/dev/null")
        fake_board.server.cut_lines()

    with fake_board.open() as device, pytest.raises(DeviceUnreachable, match="The run goes on there"):
        device.run(plan, results, on_progress=cut)
    assert len(runners(fake_board)) == 1
    fake_board.configure()
    with fake_board.open() as device:
        device.run(plan, results)
    assert len(read_results(results).sessions) == 1
