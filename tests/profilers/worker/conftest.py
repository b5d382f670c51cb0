"""The protocol in this process, against the scripted backend."""

import json

import pytest

from gnomon.profilers import ModelRejected, read_results
from gnomon.profilers.testing import FakeBackend
from gnomon.profilers.worker import worker


def script(model):
    wish = json.loads(model)
    if "error" in wish:
        raise ModelRejected(wish["error"])
    return wish["us"]


@pytest.fixture
def backend(monkeypatch):
    fake = FakeBackend(script)
    monkeypatch.setattr(worker, "load_backend", lambda name: fake)
    return fake


@pytest.fixture
def unprobed(backend, monkeypatch):
    """Let the device have no probe, as a GPU has none."""
    monkeypatch.setattr(backend, "open_probe", lambda: None)
    return backend


@pytest.fixture
def run(backend, tmp_path):
    def start(plan, *, stop_after=None, crashed=None):
        reports = []
        is_done = worker.run_plan(
            plan,
            tmp_path / "results.jsonl",
            is_stopped=lambda: stop_after is not None and len(reports) >= stop_after,
            report=reports.append,
            crashed=crashed,
        )
        return is_done, read_results(tmp_path / "results.jsonl"), reports

    return start
