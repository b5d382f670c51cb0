"""The backends there are, for contracts; and a plug-in one whose models are scripts, installed by an entry point."""

import functools
import json
import os

import pytest

from gnomon.profilers import (
    PlannedModel,
    RunConfig,
    TimingPolicy,
    backend_names,
    load_backend,
    write_plan,
)
from gnomon.profilers.runtimes.availability import availability

APART = ("onnxruntime:openvino",)  # tested in a process of its own, see test_backends.py
CHOSEN = "GNOMON_TESTED_BACKENDS"  # there, this names it

PLUGIN = '''
import errno, json, os, time
from gnomon.profilers.errors import ModelRejected
from gnomon.profilers.testing_backend import FakeBackend
from gnomon.profilers.worker import time_limit

def script(model):
    """Model bytes are JSON: us (the script), sleep_s (to load), die (a signal), exit, error (message), full (disk)."""
    wish = json.loads(model)
    time.sleep(wish.get("sleep_s", 0))
    if "die" in wish:
        os.kill(os.getpid(), wish["die"])
    if "exit" in wish:
        os._exit(wish["exit"])
    if "error" in wish:
        raise ModelRejected(wish["error"])
    if "full" in wish:
        os.fsync = refuse
    return wish["us"]

if "GNOMON_TEST_LIMIT_S" in os.environ:
    time_limit.LEAST_S = time_limit.FIRST_LEAST_S = float(os.environ["GNOMON_TEST_LIMIT_S"])

def refuse(descriptor):
    raise OSError(errno.ENOSPC, "No space left on device")

def open_backend():
    return FakeBackend(script)
'''


@functools.cache
def installed_backends():
    """Return the backends that work here; what does not is no test here, and skipped by name in test_backends.py."""
    names = os.environ.get(CHOSEN, "").split() or sorted(set(backend_names()) - set(APART))
    return [name for name in names if availability(name).cause is None]


@pytest.fixture(scope="session")
def require():
    """Return a function that skips a test whose backend does not work on this machine, with what it says of that."""
    asked = functools.cache(availability)

    def skip_without(name):
        if asked(name).cause is not None:
            pytest.skip(asked(name).reason)
        return name

    return skip_without


def pytest_generate_tests(metafunc):
    """Run what asks for ``registered_backend`` over all that are installed."""
    if "registered_backend" in metafunc.fixturenames:
        metafunc.parametrize("registered_backend", installed_backends(), indirect=True)


@pytest.fixture
def registered_backend(request):
    """Return one of the installed backends."""
    return load_backend(request.param)


@pytest.fixture
def fake_backend(install_backend):
    """Make the backend ``fake`` known to child processes; returns its name."""
    return install_backend("fake", PLUGIN)


@pytest.fixture
def make_plan(tmp_path):
    """Return a function that writes a plan for the fake backend: key = dict(role=..., us=..., ...)."""

    def make(folder="plan", policy=None, **models):
        write_plan(
            tmp_path / folder,
            backend="fake",
            config=RunConfig(),
            policy=policy or TimingPolicy(min_passes=2, max_passes=2, anchor_every=3, processes=1, network_visits=1),
            models=[
                PlannedModel(key, wish.get("role", "layer"), json.dumps(dict(wish, key=key)).encode())
                for key, wish in models.items()
            ],
        )
        return tmp_path / folder

    return make
