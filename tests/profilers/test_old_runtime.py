"""A clean environment with numpy and the oldest onnxruntime alone: in Python 3.8 where there is one, else in this."""

import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest
from filelock import FileLock

from gnomon.lut import bundle_request, create_bundle, import_results
from gnomon.profilers import TimingPolicy
from gnomon.profilers.runtimes.requirements import required_version
from gnomon.profilers.transports.bundle import unpack_bundle

OLDEST = {  # onnxruntime by Python: the oldest that Gnomon takes or that has wheels, and a numpy of its time
    "3.8": ("1.12.0", "1.24.4"),
    "3.11": ("1.15.1", "1.26.4"),
    "3.12": ("1.17.3", "1.26.4"),
    "3.13": ("1.20.1", "2.1.3"),
}
PIP = ("--quiet", "--disable-pip-version-check", "--no-deps", "--only-binary=:all:", "--retries=0", "--timeout=20")
POLICY = TimingPolicy(block_us=200, blocks_per_visit=2, min_passes=2, max_passes=2, processes=1, network_visits=1)


def interpreter():
    """Return a Python 3.8, also one that pyenv keeps, or else the running one; and its version."""
    pyenv = Path(os.environ.get("PYENV_ROOT") or Path.home() / ".pyenv")
    for python in (shutil.which("python3.8"), *sorted(pyenv.glob("versions/3.8.*/bin/python"))):
        if python and said_by(python, "import venv") == "":
            return str(python), "3.8"
    return sys.executable, f"{sys.version_info.major}.{sys.version_info.minor}"


def said_by(python, code):
    """Return what an interpreter prints; None if it fails."""
    ended = subprocess.run([python, "-c", code], capture_output=True, text=True)
    return None if ended.returncode else ended.stdout.strip()


@pytest.fixture(scope="session")
def old_python(tmp_path_factory, request):
    """The interpreter of that environment and its onnxruntime, made once for all that run side by side."""
    python, version = interpreter()
    if version not in OLDEST:
        pytest.skip(f"no old onnxruntime is known for Python {version}")
    runtime, numpy = OLDEST[version]
    base = tmp_path_factory.getbasetemp()
    folder = (base.parent if hasattr(request.config, "workerinput") else base) / "old_runtime"
    with FileLock(folder.with_suffix(".lock")):
        if not (folder / "said").exists():
            subprocess.run([python, "-m", "venv", "--without-pip", "--clear", folder], check=True)
            place = said_by(folder / "bin" / "python", "import sysconfig; print(sysconfig.get_path('purelib'))")
            command = [sys.executable, "-m", "pip", "install", *PIP, "--python-version", version, "--target", place]
            ended = subprocess.run(
                [*command, f"onnxruntime=={runtime}", f"numpy=={numpy}"], capture_output=True, text=True
            )
            (folder / "said").write_text(ended.stderr if ended.returncode else "")
    said = (folder / "said").read_text().strip()
    if said:
        pytest.skip(f"pip could not install onnxruntime {runtime}: {said.splitlines()[-1]}")
    return folder / "bin" / "python", version, runtime


@pytest.mark.slow
@pytest.mark.skipif(sys.platform == "win32", reason="environments are laid out otherwise on Windows")
def test_a_bundle_is_measured_there_and_gives_a_profile(tiny, old_python, tmp_path, monkeypatch):
    python, version, runtime = old_python
    request = bundle_request("tiny", precision="fp32", batch=1, networks=12, layers=True, policy=POLICY)
    create_bundle(request, tmp_path / "x.zip")
    unpack_bundle(tmp_path / "x.zip", tmp_path / "board")
    monkeypatch.delenv("PYTHONPATH")  # so that no Gnomon is found
    command = [python, tmp_path / "board" / "gnomon-worker.pyz", "--backend", "onnxruntime", "--threads", "2"]
    ended = subprocess.run(command, capture_output=True, text=True)
    assert ended.returncode == 0, ended.stderr
    results = tmp_path / "board" / "results-onnxruntime-t2.jsonl"
    profile, _ = import_results(tmp_path / "x.zip", results, tmp_path / "p.jsonl")
    assert profile.header.versions["onnxruntime"] == runtime
    assert profile.header.versions["python"].startswith(f"{version}.")
    assert set(profile.table.measurements) == {spec.key for spec in tiny.unique_layers()}
    assert len(profile.networks) == 12
    assert profile.header.options["threads"] == 2
    assert profile.header.options["nodes_checked"] is False  # which came with 1.24


def test_the_oldest_that_is_tried_is_the_oldest_that_is_taken():
    assert OLDEST["3.8"][0].startswith(f"{required_version('onnxruntime')}.")
