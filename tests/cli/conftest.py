import json
from contextlib import nullcontext
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


@pytest.fixture(autouse=True)
def evaluated_on_few_images(request, of_few_images):
    """Let verbs evaluate on few images in this process, but where a test asks for `all_images`."""
    with nullcontext() if "all_images" in request.fixturenames else of_few_images():
        yield


@pytest.fixture
def all_images():
    """Let this test evaluate on all images."""


@pytest.fixture(scope="session")
def profile_name():
    from gnomon.lut import shipped_profiles

    return next(name for name in shipped_profiles() if name.startswith("fashion_mnist/") and ".onnxruntime." in name)


@pytest.fixture(scope="session")
def finished_run(tmp_path_factory, profile_name, of_few_images):
    """A small finished search of the embedded super-network, validated for real, on few images."""
    folder = tmp_path_factory.mktemp("runs") / "run"
    arguments = ["search", "--profile", profile_name, "--out", str(folder), "--tactic", "random", "--budget", "6"]
    with of_few_images():
        assert run([*arguments, "--population", "3"]) == 0
    return folder
