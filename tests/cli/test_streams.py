"""Standard streams that are closed, full, or whose reader has left: no traceback, and no file that is written into."""

import shlex
import subprocess
import sys
from pathlib import Path

import pytest

GNOMON = f"{shlex.quote(sys.executable)} -m gnomon.cli"
PROFILE = "fashion_mnist/amd-epyc-2c.onnxruntime.fp32.b1.t1"
SEARCH = "search fashion_mnist --objectives macs,params --tactic random --budget 4 --out run"
pytestmark = [
    pytest.mark.slow,
    pytest.mark.skipif(not Path("/dev/full").exists(), reason="there is no /dev/full"),
]


@pytest.fixture
def shell(tmp_path):
    def run(command):
        ended = subprocess.run(
            ["bash", "-c", command], cwd=tmp_path, capture_output=True, text=True, check=False, timeout=120
        )
        assert "Traceback" not in ended.stderr
        assert "Exception ignored" not in ended.stderr
        return ended

    return run


def test_a_reader_that_leaves_ends_a_command_in_silence(shell):
    command = f"{GNOMON} predict {PROFILE} --arch random:2000 --json | head -1; echo ${{PIPESTATUS[0]}}"
    ended = shell(command)
    assert ended.stdout.splitlines()[-1] == "141"
    assert ended.stderr == ""


def test_a_full_device_is_said_in_one_line(shell):
    ended = shell(f"{GNOMON} lut show {PROFILE} > /dev/full")
    assert ended.returncode == 3
    (line,) = ended.stderr.splitlines()
    assert line.startswith("error: ")
    assert "No space left on device" in line


@pytest.mark.parametrize("closed", [">&-", "<&- >&- 2>&-"])
def test_a_closed_stream_changes_nothing_and_no_file_gets_its_number(shell, tmp_path, closed):
    assert shell(f"{GNOMON} {SEARCH} {closed}").returncode == 0
    lines = (tmp_path / "run" / "evaluations.jsonl").read_text().splitlines()
    assert len(lines) == 4
    assert all(line.startswith("{") for line in lines)


@pytest.mark.parametrize(
    ("error", "said"),
    [
        (BlockingIOError(11, "Resource temporarily unavailable"), "temporarily unavailable"),
        (MemoryError(), "no memory"),
    ],
)
def test_what_the_system_refuses_where_nobody_expects_it_is_one_line(gnomon, monkeypatch, error, said):
    def refused(*arguments, **options):
        raise error

    monkeypatch.setattr("gnomon.api.load_run", refused)
    outcome = gnomon("pareto", "run")
    assert outcome.code == 3
    (line,) = outcome.err.splitlines()
    assert line.startswith("error: the operating system refused")
    assert said in line
