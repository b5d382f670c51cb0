"""The process of a board stops where it can go on when the fleet's process is gone, also while it is waited for."""

import signal
import time

import pytest
from filelock import FileLock

from gnomon.lut.fleet.run import COMMAND, begun
from gnomon.profilers import read_results
from gnomon.profilers.exits import INTERRUPTED
from gnomon.settings import PROFILE

SETTINGS = {name: setting.default for name, setting in PROFILE.items()} | {"networks": 12, "time_cap_s": 60.0}


@pytest.fixture(params=[signal.default_int_handler, signal.SIG_IGN], ids=["in-front", "in-background"])
def started_anyhow(request):
    """Start what is started meanwhile as a shell does: in front, or in the background of a script."""
    before = signal.signal(signal.SIGINT, request.param)
    yield
    signal.signal(signal.SIGINT, before)


@pytest.mark.slow
@pytest.mark.usefixtures("started_anyhow")
def test_a_child_stops_where_it_can_go_on_when_the_fleet_is_gone(tiny, tmp_path, monkeypatch):
    monkeypatch.setenv("FAKE_SLEEP_S", "0.1")
    out = tmp_path / "p.jsonl"
    journal = tmp_path / "p.jsonl.building" / "results.jsonl"
    asked = {"device": "local", "space": "tiny", "backend": "fake", "layers": True, "settings": SETTINGS}
    child, stdin, stderr = begun(COMMAND, asked | {"out": str(out)})
    with child, stderr:
        with stdin:
            deadline_s = time.monotonic() + 60
            while not (journal.exists() and b'"visit"' in journal.read_bytes()):
                assert child.poll() is None, stderr.seek(0) or stderr.read()
                assert time.monotonic() < deadline_s
                time.sleep(0.02)
            child.stdout.close()  # both at once, as a kill does
        assert child.wait(timeout=60) == INTERRUPTED
        stderr.seek(0)
        assert b"Traceback" not in stderr.read()
    assert read_results(journal).visits
    assert not out.exists()
    with FileLock(journal.with_name("lock"), timeout=0):
        pass
