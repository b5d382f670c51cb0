"""Ctrl-C leaves with 130, says how to go on, and the same command does go on."""

import signal
import subprocess
import sys
import time

import pytest

from gnomon.profilers.journal import read_journal

PROFILE = ("profile", "--networks", "10", "--time-cap-s", "12", "--out", "p.jsonl")


def interrupted(command, folder, journal):
    """Start a command, press Ctrl-C once its journal has some lines, and return its exit code and stderr."""
    process = subprocess.Popen(
        [sys.executable, "-m", "gnomon.cli", *command], cwd=folder, stderr=subprocess.PIPE, text=True
    )
    deadline = time.monotonic() + 90
    while time.monotonic() < deadline and not (journal.exists() and journal.read_bytes().count(b"\n") > 8):
        time.sleep(0.05)
    process.send_signal(signal.SIGINT)
    _, errors = process.communicate(timeout=60)
    return process.returncode, errors


@pytest.mark.slow
def test_an_interrupted_profile_goes_on(tmp_path, gnomon, monkeypatch):
    journal = tmp_path / "p.jsonl.building" / "results.jsonl"
    code, errors = interrupted(PROFILE, tmp_path, journal)
    assert code == 130
    assert "run the same command again" in errors
    records, _ = read_journal(journal)
    assert any(record["record"] == "visit" for record in records)
    monkeypatch.chdir(tmp_path)
    outcome = gnomon(*PROFILE)
    assert outcome.code == 0
    assert "in 2 session(s)" in outcome.out


@pytest.mark.slow
def test_an_interrupted_search_goes_on(tmp_path, gnomon, profile_name, monkeypatch):
    command = ("search", "--profile", profile_name, "--tactic", "random", "--budget", "14", "--out", "run")
    journal = tmp_path / "run" / "evaluations.jsonl"
    code, errors = interrupted(command, tmp_path, journal)
    assert code == 130
    assert "run the same command again" in errors
    measured, _ = read_journal(journal)
    assert 8 < len(measured) < 14
    monkeypatch.chdir(tmp_path)
    assert gnomon(*command).code == 0
    assert read_journal(journal)[0][: len(measured)] == measured
