"""Boards at the same time, in real processes that are killed, fail and go on."""

import os
import signal
import threading
import time

import pytest

from gnomon.cli.main import run as gnomon
from gnomon.lut.fleet import run as fleet_run
from gnomon.lut.fleet import trial
from gnomon.lut.fleet.description import read_fleet
from gnomon.lut.fleet.run import run_fleet
from gnomon.lut.fleet.trial import try_fleet


def done(tasks):
    return {(task.plan.space, task.kind): task.done_by and task.done_by.name for task in tasks}


def reasons(task):
    return {attempt.board.name: attempt.reason for attempt in task.failures}


def pid_of(scripts, host):
    deadline_s = time.monotonic() + 30
    while not (scripts / f"{host}.pid").exists() or not (scripts / f"{host}.pid").read_text():
        assert time.monotonic() < deadline_s
        time.sleep(0.01)
    return int((scripts / f"{host}.pid").read_text())


def kill_when_started(scripts, host, number):
    """Send a signal to a child that is alive then; return what to call for whether it was."""
    alive = []

    def kill():
        pid = pid_of(scripts, host)
        os.kill(pid, 0)
        alive.append(pid)
        os.kill(pid, number)

    thread = threading.Thread(target=kill)
    thread.start()
    return lambda: (thread.join(), len(alive) == 1)[1]


def test_boards_measure_at_the_same_time_and_a_second_run_measures_nothing(write, scripts, command):
    (scripts / "one").write_text("meet")
    (scripts / "two").write_text("meet chatter")
    fleet = read_fleet(write(("a", "one", ""), ("b", "two", "")))
    tasks = run_fleet(fleet, command=command)  # each waits for the other
    assert done(tasks) == {("fashion_mnist", "a"): "a", ("fashion_mnist", "b"): "b"}
    assert [task.quality for task in tasks] == ["good", "good"]
    assert sorted(path.parent.name for path in fleet.store.rglob("*.jsonl")) == ["a", "b"]
    before = sorted(scripts.glob("*.pid")), [path.stat().st_mtime_ns for path in scripts.glob("*.pid")]
    again = run_fleet(fleet, command=command)
    assert all(task.was_there and task.done_by for task in again)
    assert before == (sorted(scripts.glob("*.pid")), [path.stat().st_mtime_ns for path in scripts.glob("*.pid")])


def test_what_a_killed_child_left_beside_its_profile_is_removed(write, scripts, command):
    fleet = read_fleet(write(("a", "one", "")))
    run_fleet(fleet, command=command)
    profile = fleet.profile_path(fleet.boards[0], fleet.plans[0])
    left = profile.with_name(f".{profile.name}.building.01234567.gnomon")
    (left / "plan").mkdir(parents=True)
    assert run_fleet(fleet, command=command)[0].was_there
    assert [path.name for path in profile.parent.iterdir()] == [profile.name]


def test_a_kind_shares_its_profiles_one_at_a_time_a_board(write, scripts, command):
    (scripts / "one").write_text("meet")
    (scripts / "two").write_text("meet")
    spaces = ("fashion_mnist", "ofa_mobilenetv3", "translate_en_de")
    fleet = read_fleet(write(("a", "one", "pi"), ("b", "two", "pi"), spaces=spaces))
    tasks = run_fleet(fleet, command=command)
    assert all(task.done_by for task in tasks)
    assert {task.done_by.name for task in tasks} == {"a", "b"}
    assert len(list(fleet.store.rglob("*.jsonl"))) == 3


def test_what_a_killed_board_had_is_measured_by_another_of_its_kind(write, scripts, command):
    (scripts / "one").write_text("wait")
    was_alive = kill_when_started(scripts, "one", signal.SIGKILL)
    fleet = read_fleet(write(("a", "one", "pi"), ("b", "two", "pi"), spaces=("fashion_mnist", "ofa_mobilenetv3")))
    tasks = run_fleet(fleet, command=command)
    assert was_alive()
    assert done(tasks) == {("fashion_mnist", "pi"): "b", ("ofa_mobilenetv3", "pi"): "b"}
    assert reasons(tasks[0]) == {"a": "its process ended by SIGKILL"}
    assert (scripts / "b.fashion_mnist.onnxruntime.fp32.b1.t1.jsonl.whole").exists()  # not from the other's evidence


def test_a_board_without_another_of_its_kind_goes_on_where_it_was_killed(write, scripts, command):
    (scripts / "one").write_text("wait")
    was_alive = kill_when_started(scripts, "one", signal.SIGKILL)
    fleet = read_fleet(write(("a", "one", ""), ("b", "two", "")))
    tasks = run_fleet(fleet, command=command)
    assert was_alive()
    assert done(tasks) == {("fashion_mnist", "a"): None, ("fashion_mnist", "b"): "b"}
    (scripts / "one").unlink()
    tasks = run_fleet(fleet, command=command)
    assert [(task.done_by.name, task.was_there) for task in tasks] == [("a", False), ("b", True)]
    assert (scripts / "a.fashion_mnist.onnxruntime.fp32.b1.t1.jsonl.resumed").exists()


def test_an_unreachable_board_is_asked_once_and_one_that_fails_goes_on_with_the_next(write, scripts, command):
    (scripts / "one").write_text("unreachable")
    (scripts / "two").write_text("unfit")
    fleet = read_fleet(write(("a", "one", ""), ("b", "two", ""), spaces=("fashion_mnist", "ofa_mobilenetv3")))
    tasks = run_fleet(fleet, command=command)
    assert [reasons(task) for task in tasks] == [
        {"a": "it is unreachable"}, {}, {"b": "it is unfit"}, {"b": "it is unfit"},
    ]  # fmt: skip
    assert not any(task.done_by for task in tasks)


def test_ctrl_c_stops_every_child_and_is_raised(write, scripts, command):
    (scripts / "one").write_text("wait")
    (scripts / "two").write_text("wait")
    fleet, pids = read_fleet(write(("a", "one", ""), ("b", "two", ""))), []

    def interrupt(step):
        if "ETA" in step:
            pids.extend(pid_of(scripts, host) for host in ("one", "two"))
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        run_fleet(fleet, say=interrupt, command=command)
    assert len(pids) == 2
    for pid in pids:
        with pytest.raises(ProcessLookupError):
            os.kill(pid, 0)


def test_the_verb_lists_what_is_missing_and_how_to_go_on(write, scripts, command, capsys, monkeypatch):
    (scripts / "one").write_text("exit")
    monkeypatch.setattr(
        fleet_run.run_fleet, "__kwdefaults__", fleet_run.run_fleet.__kwdefaults__ | {"command": command}
    )
    path = write(("a", "one", ""), ("b", "two", ""))
    assert gnomon(["fleet", str(path)]) == 3
    told = capsys.readouterr()
    assert "a: fashion_mnist.onnxruntime.fp32.b1.t1.jsonl: its process ended with exit code 9: Segm" in told.out
    assert "1 of 2 profiles are in" in told.out
    assert (
        f"1 of 2 profiles are missing; once the cause is gone, the same command goes on: gnomon fleet {path}"
        in told.err
    )
    assert "\x1b" not in told.out + told.err
    (scripts / "one").unlink()
    assert gnomon(["fleet", str(path), "--json"]) == 0
    assert '"was_there": true' in capsys.readouterr().out
    assert gnomon(["fleet", str(path), "--dry-run"]) == 0
    assert "2 of 2 profiles are in" in capsys.readouterr().out


def test_a_dry_run_says_which_boards_cannot_measure_what_and_writes_nothing(write, scripts, command):
    (scripts / "one").write_text("unfit")
    (scripts / "two").write_text("unreachable")
    (scripts / "three").write_text("exit")
    path = write(("a", "one", "k"), ("b", "two", "k"), ("c", "three", ""), spaces=("fashion_mnist", "ofa_mobilenetv3"))
    before = sorted(path.parent.rglob("*"))
    tasks = try_fleet(read_fleet(path), command=command)
    exited = {"c": "its process ended with exit code 9"}
    assert [reasons(task) for task in tasks] == [
        {"a": "unfit", "b": "it is unreachable"}, {"b": "it is unreachable"}, exited, exited,
    ]  # fmt: skip
    assert not any(task.done_by for task in tasks)
    assert sorted(path.parent.rglob("*")) == before


def test_a_dry_run_is_refused_where_no_board_can_measure_a_profile(write, scripts, command, capsys, monkeypatch):
    monkeypatch.setattr(trial.try_fleet, "__kwdefaults__", trial.try_fleet.__kwdefaults__ | {"command": command})
    path = write(("a", "one", "k"), ("b", "two", "k"))
    (scripts / "one").write_text("unreachable")
    assert gnomon(["fleet", str(path), "--dry-run"]) == 0  # the other board can
    assert "a: fashion_mnist.onnxruntime.fp32.b1.t1.jsonl: it is unreachable" in capsys.readouterr().out
    (scripts / "two").write_text("unreachable")
    assert gnomon(["fleet", str(path), "--dry-run"]) == 3
    assert "1 of 1 profiles can be measured by no board now" in capsys.readouterr().err
    path.write_text(f'store = "{path}"\n{path.read_text()}')
    assert gnomon(["fleet", str(path), "--dry-run"]) == 2
    assert "choose another `store`" in capsys.readouterr().err


@pytest.mark.slow
def test_a_dry_run_asks_the_device_itself(write, tmp_path, capsys):
    path = write(("a", "one", ""), spaces=("fashion_mnist", "nosuch"))
    path.write_text(path.read_text().replace('"ssh://one"', '"local"'))
    assert gnomon(["fleet", str(path), "--dry-run"]) == 3
    told = capsys.readouterr()
    assert "'nosuch'" in told.out
    assert "a: fashion_mnist" not in told.out
    assert "1 of 2 profiles can be measured by no board now" in told.err
    assert not (tmp_path / "profiles").exists()
