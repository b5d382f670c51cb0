import os
import shutil
import sys
from pathlib import Path

import pytest

sys.path.insert(0, str(Path(__file__).parent))  # for `pages`
sys.path.insert(0, str(Path(__file__).parents[2] / "docs" / "site"))  # of which the modules are no package

from gnomon.cli.main import run
from gnomon.lut import shipped_profiles
from gnomon.lut.profile_file.store import SHIPPED, SUFFIX
from gnomon.profilers.timing.protocol import TimingPolicy

QUICK = TimingPolicy(
    block_us=200,
    warmup_us=200,
    blocks_per_visit=3,
    min_passes=2,
    max_passes=2,
    settle_s=2.0,
    processes=1,
    network_visits=1,
)


@pytest.fixture
def quick_timing(monkeypatch):
    """Let every profile of this test take seconds; what it says of the machine is not looked at."""
    defaults = tuple(vars(QUICK).values())
    assert len(defaults) == len(TimingPolicy.__init__.__defaults__)
    monkeypatch.setattr(TimingPolicy.__init__, "__defaults__", defaults)


@pytest.fixture(scope="session")
def kept(tmp_path_factory):
    """A folder of what several pages take for granted, each made once by the function that is asked for it."""
    return tmp_path_factory.mktemp("kept")


def copied(make, kept, name, to):
    """Copy `name` of the folder `kept` to `to`; `make(path)` makes it if it is not there."""
    if not (kept / name).exists():
        make(kept / name)
    shutil.copytree(kept / name, to) if (kept / name).is_dir() else shutil.copy(kept / name, to)


def ran(*words):
    """Run a command that sets the stage for a page."""
    assert run([str(word) for word in words]) == 0


def here(path, *options):
    """Measure a profile of this machine."""
    ran("profile", "--space", "fashion_mnist", "--networks", "10", "--out", path, *options)


@pytest.fixture
def stage(kept, tmp_path, monkeypatch, quick_timing):
    """An empty folder to type in, and what puts the files there that a page speaks of as the reader's own."""
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "cache"))
    monkeypatch.setenv("PYTHONPATH", os.pathsep.join([str(tmp_path), os.environ.get("PYTHONPATH", "")]))
    monkeypatch.syspath_prepend(str(tmp_path))
    return Stage(tmp_path, kept)


class Stage:
    """Puts files into the reader's folder."""

    def __init__(self, folder, kept):
        self.folder, self.kept = folder, kept

    def profile(self, name, *options):
        """A profile of this machine, under `name`."""
        copied(
            lambda path: here(path, *options), self.kept, "-".join(["profile", *options]) + ".jsonl", self.folder / name
        )

    def shipped(self, name, part):
        """A profile that ships with the package, of which the name holds `part`."""
        found = next(shipped for shipped in shipped_profiles() if part in shipped)
        shutil.copy(SHIPPED / f"{found}{SUFFIX}", self.folder / name)

    def run(self, name):
        """A finished search against a profile of this machine."""
        self.profile("stage.jsonl")
        (self.folder / name).parent.mkdir(parents=True, exist_ok=True)
        search = ("search", "--profile", "stage.jsonl", "--tactic", "random", "--budget", "12", "--population", "3")
        copied(lambda path: ran(*search, "--out", path), self.kept, "run", self.folder / name)
