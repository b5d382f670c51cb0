import sys
from pathlib import Path

import pytest

from gnomon.lut.profile_file.store import path_of_profile

CHILD = Path(__file__).parent / "scripted_child.py"


@pytest.fixture
def scripts(tmp_path):
    """The folder in which a file named after a host says what a scripted child does there."""
    folder = tmp_path / "scripts"
    folder.mkdir()
    return folder


@pytest.fixture
def command(scripts):
    """The command that starts a scripted child."""
    profile = path_of_profile("fashion_mnist/amd-epyc-2c.onnxruntime.fp32.b1.t1")
    return [sys.executable, "-S", str(CHILD), str(scripts), str(profile)]


@pytest.fixture
def write(tmp_path):
    """Return a function that writes a fleet's file of boards, as (name, host, kind), and spaces."""

    def written(*boards, spaces=("fashion_mnist",)):
        lines = []
        for name, host, kind in boards:
            lines += ["[[boards]]", f'name = "{name}"', f'device = "ssh://{host}"']
            lines += [f'kind = "{kind}"'] if kind else []
        for space in spaces:
            lines += ["[[profiles]]", f'space = "{space}"']
        path = tmp_path / "fleet.toml"
        path.write_text("\n".join(lines))
        return path

    return written
