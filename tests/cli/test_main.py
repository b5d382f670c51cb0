"""What the command does around every verb."""

import os

from gnomon.cli.main import leave_others_their_processors
from gnomon.supernets import threads


def test_a_command_lets_threads_sleep_and_keeps_to_its_quota(monkeypatch):
    kept = {name: value for name, value in os.environ.items() if not name.startswith(("OMP_", "MKL_", "GOMP_", "KMP_"))}
    monkeypatch.setattr(os, "environ", kept)
    monkeypatch.setattr(threads, "processors", lambda: threads.Processors(8, 8, 3, 5.0))
    leave_others_their_processors()
    assert (os.environ["OMP_NUM_THREADS"], os.environ["OMP_WAIT_POLICY"]) == ("3", "passive")
