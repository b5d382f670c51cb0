"""Ctrl-C leaves with 130, says how to go on, and the same command does go on."""

import re
import signal
import subprocess
import sys

import pytest

from gnomon.profilers.journal import read_journal

PROFILE = ("profile", "--networks", "10", "--networks-only", "--time-cap-s", "6", "--out", "p.jsonl")


@pytest.fixture
def interrupted(tmp_path, wait_until, lines_in, send):
    """Return a function that starts a command, presses Ctrl-C once its journal has lines, and says how it ended."""

    def stop(command, journal, lines):
        process = subprocess.Popen(
            [sys.executable, "-m", "gnomon.cli", *command], cwd=tmp_path, stderr=subprocess.PIPE, text=True
        )
        wait_until(lambda: lines_in(journal) >= lines, process)
        send(process, signal.SIGINT)
        _, errors = process.communicate(timeout=60)
        return process.returncode, errors

    return stop


@pytest.mark.slow
def test_an_interrupted_profile_goes_on(tmp_path, gnomon, monkeypatch, interrupted):
    journal = tmp_path / "p.jsonl.building" / "results.jsonl"
    code, errors = interrupted(PROFILE, journal, 9)
    assert code == 130
    assert "run the same command again" in errors
    records, _ = read_journal(journal)
    assert any(record["record"] == "visit" for record in records)
    monkeypatch.chdir(tmp_path)
    outcome = gnomon(*PROFILE)
    assert outcome.code == 0
    assert re.search(r"in [2-5] processes", outcome.out)  # four in turn, if there is time, and the interrupted one


@pytest.mark.slow
def test_an_interrupted_search_goes_on(tmp_path, profile_name, interrupted):
    command = ("search", "--profile", profile_name, "--tactic", "random", "--budget", "8", "--out", "run")
    journal = tmp_path / "run" / "evaluations.jsonl"
    code, errors = interrupted(command, journal, 3)
    assert code == 130
    assert "run the same command again" in errors
    measured, _ = read_journal(journal)
    assert 3 <= len(measured) < 8
    assert subprocess.run([sys.executable, "-m", "gnomon.cli", *command], cwd=tmp_path).returncode == 0
    assert read_journal(journal)[0][: len(measured)] == measured


@pytest.mark.slow
@pytest.mark.parametrize("is_ignored", [True, False], ids=["ignored", "heard"])
@pytest.mark.parametrize("verb", ["profile", "spaces"])
def test_a_long_verb_says_at_its_start_that_ctrl_c_cannot_stop_it(verb, is_ignored):
    asked = [sys.executable, "-m", "gnomon.cli", verb, *(["--backend", "onnxrunntime"] if verb == "profile" else [])]
    ignore = "import os, signal, sys; signal.signal(signal.SIGINT, signal.SIG_IGN); os.execv(sys.argv[1], sys.argv[1:])"
    command = [sys.executable, "-c", ignore, *asked] if is_ignored else asked
    said = subprocess.run(command, capture_output=True, text=True).stderr
    assert said.count("Ctrl-C cannot stop this: SIGINT is ignored") == (is_ignored and verb == "profile")
    if is_ignored and verb == "profile":
        assert said.index("Ctrl-C") == 0


@pytest.mark.slow
def test_the_kill_that_it_advises_keeps_what_was_recorded(tmp_path, profile_name, wait_until, lines_in, send):
    command = ["search", "--profile", profile_name, "--objectives", "latency,macs", "--tactic", "random", "--budget"]
    ignore = "import os, signal, sys; signal.signal(signal.SIGINT, signal.SIG_IGN); os.execv(sys.argv[1], sys.argv[1:])"
    started = [sys.executable, "-c", ignore, sys.executable, "-m", "gnomon.cli", *command, "100000", "--out", "run"]
    process = subprocess.Popen(started, cwd=tmp_path, stderr=subprocess.PIPE, text=True)
    advised = process.stderr.readline()
    journal = tmp_path / "run" / "evaluations.jsonl"
    wait_until(lambda: lines_in(journal) > 3, process)
    send(process, signal.SIGINT)  # in vain
    assert f"kill {process.pid};" in advised
    send(process, signal.SIGTERM)
    process.communicate(timeout=60)
    assert process.returncode == -signal.SIGTERM
    assert len(read_journal(journal)[0]) > 2
