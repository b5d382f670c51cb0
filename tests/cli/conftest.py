import json
from dataclasses import dataclass

import pytest

from gnomon.cli.main import run


@dataclass(frozen=True)
class Outcome:
    code: int
    out: str
    err: str

    @property
    def json(self):
        return json.loads(self.out)


@pytest.fixture
def gnomon(capsys):
    """Run the command line in this process and return its exit code and what it printed."""

    def call(*arguments):
        capsys.readouterr()
        code = run([str(argument) for argument in arguments])
        printed = capsys.readouterr()
        return Outcome(code, printed.out, printed.err)

    return call


@pytest.fixture(scope="session")
def profile_name():
    from gnomon.lut import shipped_profiles

    return next(name for name in shipped_profiles() if name.startswith("fashion_mnist/") and ".onnxruntime." in name)


@pytest.fixture(scope="session")
def finished_run(tmp_path_factory, profile_name):
    """A small finished search of the embedded super-network, validated for real."""
    folder = tmp_path_factory.mktemp("runs") / "run"
    arguments = ["search", "--profile", profile_name, "--out", str(folder), "--tactic", "random", "--budget", "6"]
    assert run([*arguments, "--population", "3"]) == 0
    return folder
