"""A fleet of this machine and a board over SSH, which really measure: `gnomon fleet`."""

import threading
import time

import psutil
import pytest

from gnomon import load_profile
from gnomon.cli.main import run
from gnomon.profilers import read_results

pytestmark = pytest.mark.slow

FLEET = """
[[boards]]
name = "here"
device = "local"
kind = "same"

[[boards]]
name = "there"
device = "{address}"
kind = "same"

[[profiles]]
space = "tiny"
networks = 10
layers = false
time_cap_s = 1
"""


def kill_once_it_has_measured(journal, killed):
    """Kill the process that measures a profile, which is alive then, once a visit is in its journal."""
    deadline_s = time.monotonic() + 60
    while not (journal.exists() and b'"visit"' in journal.read_bytes()):
        assert time.monotonic() < deadline_s
        time.sleep(0.02)
    for child in psutil.Process().children():
        if "gnomon.lut.fleet.child" in child.cmdline():
            killed.append(child.is_running() and child.status() != psutil.STATUS_ZOMBIE)
            child.kill()


def test_a_board_over_ssh_takes_over_from_one_that_was_killed(board, tiny, tmp_path, capsys):
    pytest.importorskip("onnxruntime")
    (tmp_path / "fleet.toml").write_text(FLEET.format(address=board.address))
    name, killed = "tiny.onnxruntime.fp32.b1.t1.jsonl", []
    here, there = tmp_path / "profiles" / "here" / name, tmp_path / "profiles" / "there" / name
    journal = here.with_name(f"{name}.building") / "results.jsonl"
    killer = threading.Thread(target=kill_once_it_has_measured, args=(journal, killed))
    killer.start()
    assert run(["fleet", str(tmp_path / "fleet.toml")]) == 0
    killer.join()
    assert killed == [True]
    told = capsys.readouterr()
    assert "here: tiny.onnxruntime.fp32.b1.t1.jsonl: its process ended by SIGKILL" in told.out
    assert "1 of 1 profiles are in" in told.out
    assert len(load_profile(there).networks) == 10
    assert not here.exists()
    assert read_results(journal).visits  # kept: a run of this board alone would go on with them
    made = there.read_bytes()
    assert run(["fleet", str(tmp_path / "fleet.toml")]) == 0
    assert "was there" in capsys.readouterr().out
    assert there.read_bytes() == made
