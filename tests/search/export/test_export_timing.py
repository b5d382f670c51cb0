"""Exported models are on the disk before they are timed, and wait for a device that measures something else."""

import json
import signal
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest

from gnomon.lut import LutError
from gnomon.outputs import OutputUnusable
from gnomon.profilers.worker.lock import device_lock_path
from gnomon.search.errors import ExportRefused
from gnomon.search.export import checks as export_checks
from gnomon.search.export.export import export_subnet
from gnomon.search.export.folder import NOT_ASKED, NOT_YET
from gnomon.search.testing.contracts import AnalyticSupernet
from gnomon.supernets.graph import models_from_architecture
from gnomon.supernets.metric import ACCURACY, Answers

pytestmark = pytest.mark.slow

HOLD = """
import sys
from gnomon.profilers.worker.lock import device_locked
with device_locked("abc123" * 10):
    print("held", flush=True)
    sys.stdin.read()
"""
EXPORT = """
import sys
from pathlib import Path
sys.path.insert(0, sys.argv[1])
from test_export_timing import Plain
from gnomon.lut import load_profile
from gnomon.search.errors import ExportRefused
from gnomon.search.export import checks as export_checks
from gnomon.search.export.export import export_subnet
export_checks.backend_names = lambda: ("onnxruntime",)
profile = load_profile(sys.argv[2])
plain = Plain(profile.space)
export_subnet(plain, plain.space.architecture([0, 0, 0]), Path(sys.argv[3]), profile=profile,
              on_step=lambda step: print(step, flush=True))
"""


class Plain(AnalyticSupernet):
    """A super-network without weights whose answers are all the same, in every runtime."""

    metric = ACCURACY
    checkpoint_sha256 = "0" * 64

    def models(self, architecture, *, batch=1, precision="fp32"):
        return models_from_architecture(self.space, architecture, batch=batch)

    def size(self, split):
        return 2

    def answers(self, architecture, split, first=None):
        return Answers((np.zeros((2, 10)),))

    def answers_from(self, runners, split, first=None):
        for runner in runners:
            runner({"input": np.zeros((1, *self.space.input_shape), np.float32)})
        return Answers((np.zeros((2, 10)),))

    def score(self, answers, split):
        return 50.0

    def described_input(self):
        return {"name": "input"}

    def companions(self):
        return {}


def release(holder):
    """End the process that holds the device, if it lives."""
    if not holder.stdin.closed:
        holder.stdin.close()
    assert holder.wait() == 0
    holder.stdout.close()


@pytest.fixture
def own_lock(tmp_path, monkeypatch):
    monkeypatch.setenv("GNOMON_DEVICE_LOCK", str(tmp_path / "device.lock"))


@pytest.fixture
def holder(own_lock):
    """A process that measures another plan on this device, as the lock says."""
    process = subprocess.Popen([sys.executable, "-c", HOLD], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)
    assert process.stdout.readline() == "held\n"
    yield process
    release(process)


@pytest.fixture
def profile(tiny, own_lock, measured, monkeypatch):
    monkeypatch.setattr(export_checks, "backend_names", lambda: ("onnxruntime",))
    return measured("tiny", "fake")


@pytest.fixture
def export(tiny, profile, tmp_path):
    def exported(**options):
        return export_subnet(
            Plain(tiny), tiny.architecture([0, 0, 0]), tmp_path / "out", profile=profile, **options
        ).latency

    return exported


def latency_in(folder):
    return json.loads((folder / "model.json").read_text())["latency"]


def test_it_waits_for_the_device_says_for_whom_and_then_measures(export, profile, holder, tmp_path):
    said = []

    def on_step(step):
        said.append(step)
        if step.startswith("waiting"):
            assert (tmp_path / "out" / "model.onnx").exists()
            assert latency_in(tmp_path / "out")["not_measured"] == NOT_YET
            release(holder)

    latency = export(on_step=on_step)
    assert [step for step in said if step.startswith("waiting")] == [
        f"waiting for this device, which is measuring the plan {('abc123' * 2)}, in process {holder.pid} "
        f"(it holds {device_lock_path()})"
    ]
    assert latency.measured_us > 0
    assert latency.not_measured is None
    assert latency_in(tmp_path / "out")["measured_us"] == latency.measured_us


def test_interrupted_while_it_waits_the_model_is_kept_and_the_same_call_completes_it(export, holder, tmp_path):
    said = []

    def on_step(step):
        said.append(step)
        if step.startswith("waiting"):
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        export(on_step=on_step)
    assert said[-1] == f"{tmp_path / 'out'} is kept, and says that it was not timed; the same command completes it"
    assert latency_in(tmp_path / "out")["not_measured"] == NOT_YET
    model = (tmp_path / "out" / "model.onnx").read_bytes()
    release(holder)
    assert export().measured_us > 0
    assert latency_in(tmp_path / "out")["measured_us"] > 0
    assert (tmp_path / "out" / "model.onnx").read_bytes() == model
    with pytest.raises(OutputUnusable, match="force=True"):
        export()


@pytest.mark.parametrize("number", [signal.SIGKILL, signal.SIGINT])
def test_killed_while_it_waits_it_leaves_a_whole_export_that_says_it_was_not_timed(
    profile, export, holder, tmp_path, number, send
):
    place = str(Path(__file__).parent)
    command = [sys.executable, "-c", EXPORT, place, str(tmp_path / "p.jsonl"), str(tmp_path / "out")]
    process = subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)
    said = next((line for line in process.stdout if line.startswith("waiting for this device")), process.stderr.read)
    assert isinstance(said, str), said()
    send(process, number)
    process.communicate(timeout=60)
    assert process.returncode == -number
    assert latency_in(tmp_path / "out")["not_measured"] == NOT_YET
    assert sorted(path.name for path in (tmp_path / "out").iterdir()) == ["model.json", "model.onnx"]
    release(holder)
    assert export().measured_us > 0


def test_without_timing_it_does_not_wait_and_says_so(export, holder, tmp_path):
    said = []
    latency = export(timing=False, on_step=said.append)
    assert not any(step.startswith("waiting") for step in said)
    assert (latency.measured_us, latency.not_measured) == (None, NOT_ASKED)
    assert latency.predicted_us > 0
    assert latency_in(tmp_path / "out")["not_measured"] == NOT_ASKED


def test_a_timing_that_fails_costs_no_model(export, monkeypatch, tmp_path):
    def broken(*arguments, **options):
        raise LutError("the model could not be timed: no visit")

    monkeypatch.setattr(export_checks, "measure_model", broken)
    assert export().not_measured == "the model could not be timed: no visit"
    assert latency_in(tmp_path / "out")["not_measured"] == "the model could not be timed: no visit"
    assert (tmp_path / "out" / "model.onnx").exists()


def test_the_start_is_always_timed_and_pauses_where_a_period_is_given(export, tmp_path):
    latency = export(period_ms=2.0)
    assert latency.start.loads == 5
    assert latency.start.load_ms >= 0
    assert latency.start.first_us == latency.measured_us  # of the fake, which knows no cold caches
    assert "process that had loaded the runtime" in latency.start.of
    paced = latency.with_pauses
    assert (paced.period_ms, paced.latency_us, paced.factor.ratio) == (2.0, latency.measured_us, 1.0)
    assert paced.factor.low < 1 < paced.factor.high
    stored = json.loads((tmp_path / "out" / "model.json").read_text())
    assert stored["version"] == 5
    assert stored["latency"]["with_pauses"]["factor"]["ratio"] == 1.0
    plain = export(force=True)
    assert (plain.start.loads, plain.with_pauses) == (3, None)


def test_a_period_without_timing_is_refused_before_anything_is_written(export, tmp_path):
    with pytest.raises(ExportRefused, match="nothing would be"):
        export(period_ms=33.0, timing=False)
    with pytest.raises(LutError, match="1 ms to 60 s"):
        export(period_ms=0.0)
    assert not (tmp_path / "out").exists()


def test_a_file_that_is_no_lock_is_not_taken_for_one(profile, monkeypatch, tmp_path):
    (tmp_path / "thesis.txt").write_text("years")
    monkeypatch.setenv("GNOMON_DEVICE_LOCK", str(tmp_path / "thesis.txt"))
    from gnomon.profilers import ProfilerError
    from gnomon.profilers.worker.lock import device_locked

    with pytest.raises(ProfilerError, match="something else than the lock"), device_locked("a" * 64):
        raise AssertionError("it was taken")
    assert (tmp_path / "thesis.txt").read_text() == "years"
