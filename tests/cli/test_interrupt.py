"""Ctrl-C leaves with 130, says how to go on, and the same command does go on."""

import signal
import subprocess
import sys
import time

import pytest

from gnomon.profilers.journal import read_journal

PROFILE = ("profile", "--networks", "10", "--time-cap-s", "12", "--out", "p.jsonl")


def interrupted(command, folder, journal, send):
    """Start a command, press Ctrl-C once its journal has some lines, and return its exit code and stderr."""
    process = subprocess.Popen(
        [sys.executable, "-m", "gnomon.cli", *command], cwd=folder, stderr=subprocess.PIPE, text=True
    )
    deadline = time.monotonic() + 90
    while time.monotonic() < deadline and not (journal.exists() and journal.read_bytes().count(b"\n") > 8):
        time.sleep(0.05)
    send(process, signal.SIGINT)
    _, errors = process.communicate(timeout=60)
    return process.returncode, errors


@pytest.mark.slow
def test_an_interrupted_profile_goes_on(tmp_path, gnomon, monkeypatch, send):
    journal = tmp_path / "p.jsonl.building" / "results.jsonl"
    code, errors = interrupted(PROFILE, tmp_path, journal, send)
    assert code == 130
    assert "run the same command again" in errors
    records, _ = read_journal(journal)
    assert any(record["record"] == "visit" for record in records)
    monkeypatch.chdir(tmp_path)
    outcome = gnomon(*PROFILE)
    assert outcome.code == 0
    assert "in 2 session(s)" in outcome.out


@pytest.mark.slow
def test_an_interrupted_search_goes_on(tmp_path, gnomon, profile_name, monkeypatch, send):
    command = ("search", "--profile", profile_name, "--tactic", "random", "--budget", "14", "--out", "run")
    journal = tmp_path / "run" / "evaluations.jsonl"
    code, errors = interrupted(command, tmp_path, journal, send)
    assert code == 130
    assert "run the same command again" in errors
    measured, _ = read_journal(journal)
    assert 8 < len(measured) < 14
    monkeypatch.chdir(tmp_path)
    assert gnomon(*command).code == 0
    assert read_journal(journal)[0][: len(measured)] == measured


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


def test_the_kill_that_it_advises_keeps_what_was_recorded(tmp_path, profile_name, send):
    command = ["search", "--profile", profile_name, "--objectives", "latency,macs", "--tactic", "random", "--budget"]
    ignore = "import os, signal, sys; signal.signal(signal.SIGINT, signal.SIG_IGN); os.execv(sys.argv[1], sys.argv[1:])"
    started = [sys.executable, "-c", ignore, sys.executable, "-m", "gnomon.cli", *command, "100000", "--out", "run"]
    process = subprocess.Popen(started, cwd=tmp_path, stderr=subprocess.PIPE, text=True)
    advised = process.stderr.readline()
    journal = tmp_path / "run" / "evaluations.jsonl"
    while process.poll() is None and not (journal.exists() and journal.read_bytes().count(b"\n") > 3):
        time.sleep(0.01)
    send(process, signal.SIGINT)  # in vain
    assert f"kill {process.pid};" in advised
    send(process, signal.SIGTERM)
    process.communicate(timeout=60)
    assert process.returncode == -signal.SIGTERM
    assert len(read_journal(journal)[0]) > 2
