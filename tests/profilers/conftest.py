"""A plug-in backend whose models are scripts, installed the way a third party would: by an entry point."""

import json
import os

import pytest

from gnomon.profilers import PlannedModel, RunConfig, TimingPolicy, write_plan

PLUGIN = '''
import errno, json, os, time
from gnomon.profilers.errors import ModelRejected
from gnomon.profilers.testing import FakeBackend

def script(model):
    """Model bytes are JSON: us (the script), sleep_s (to load), die (a signal), error (a message), full (disk)."""
    wish = json.loads(model)
    time.sleep(wish.get("sleep_s", 0))
    if "die" in wish:
        os.kill(os.getpid(), wish["die"])
    if "error" in wish:
        raise ModelRejected(wish["error"])
    if "full" in wish:
        os.fsync = refuse
    return wish["us"]

def refuse(descriptor):
    raise OSError(errno.ENOSPC, "No space left on device")

def open_backend():
    return FakeBackend(script)
'''


@pytest.fixture
def fake_backend(tmp_path, monkeypatch):
    """Make the backend ``fake`` known to child processes; returns its name."""
    site = tmp_path / "site"
    info = site / "gnomon_fake-1.0.dist-info"
    info.mkdir(parents=True)
    (site / "gnomon_fake.py").write_text(PLUGIN)
    (info / "METADATA").write_text("Metadata-Version: 2.1\nName: gnomon-fake\nVersion: 1.0\n")
    (info / "entry_points.txt").write_text("[gnomon.backends]\nfake = gnomon_fake:open_backend\n")
    monkeypatch.setenv("PYTHONPATH", os.pathsep.join([str(site), os.environ.get("PYTHONPATH", "")]).rstrip(os.pathsep))
    return "fake"


@pytest.fixture
def make_plan(tmp_path):
    """Return a function that writes a plan for the fake backend: key = dict(role=..., us=..., ...)."""

    def make(folder="plan", policy=None, **models):
        write_plan(
            tmp_path / folder,
            backend="fake",
            config=RunConfig(),
            policy=policy or TimingPolicy(min_passes=2, max_passes=2, anchor_every=3),
            models=[
                PlannedModel(key, wish.get("role", "layer"), json.dumps(dict(wish, key=key)).encode())
                for key, wish in models.items()
            ],
        )
        return tmp_path / folder

    return make
