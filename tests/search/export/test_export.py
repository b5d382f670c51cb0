"""Export of a network of two parts, of a super-network that translates and needs a file beside its models."""

import hashlib
import json
from dataclasses import dataclass, field, replace

import numpy as np
import pytest

from gnomon.cli.printing.exported_model import metric_line
from gnomon.lut import ProfileMismatch
from gnomon.outputs import OutputUnusable
from gnomon.profilers import FallbackRefused, backend_names
from gnomon.profilers.errors import GraphUnavailable
from gnomon.profilers.runtimes.subprocess import ModelsInSubprocess
from gnomon.search.errors import ExportRefused
from gnomon.search.export import checks as export_checks
from gnomon.search.export.export import ExportedMetric, export_subnet
from gnomon.search.export.kernels import kernels_of_export
from gnomon.supernets import SearchSpace
from gnomon.supernets.graph import models_from_architecture
from gnomon.supernets.metric import ACCURACY, BLEU, Answers, Metric
from gnomon.supernets.space.space import Architecture

pytestmark = pytest.mark.slow

SENTENCES = np.random.default_rng(0).integers(1, 11, (7, 5))


def translated(runners, sentence, steps):
    """Run an encoder and a decoder's step by hand, (steps, vocabulary)."""
    encode, step = runners
    memory = encode({"input": sentence[None]})["memory"]
    inputs = {"input": np.zeros((1, 1), np.int64), "state0": np.zeros((1, 1, 8), np.float32)}
    scores = []
    for _ in range(steps):
        outputs = step({**inputs, "memory": memory})
        inputs = {"input": outputs["input.next"], "state0": outputs["state0.next"]}
        scores.append(outputs["output"][0, 0])
    return np.array(scores)


def reference_runner(model):
    """Return a runner of ONNX bytes that is no runtime of ours: the reference implementation, in numpy."""
    import onnx
    from onnx.reference import ReferenceEvaluator

    session = ReferenceEvaluator(onnx.load_from_string(model))
    return lambda inputs: dict(zip(session.output_names, session.run(None, inputs)))


@dataclass(frozen=True)
class Translator:
    """A super-network without weights, whose "torch" is the reference implementation of ONNX."""

    space: SearchSpace
    metric: Metric = BLEU
    precisions: tuple[str, ...] = ("fp32",)
    checkpoint_sha256: str = "0" * 64
    bias: float = 0.0
    files: dict[str, bytes] = field(default_factory=lambda: {"vocabulary.json": b"{}"})

    def models(self, architecture: Architecture, *, batch: int = 1, precision: str = "fp32"):
        return models_from_architecture(self.space, architecture, batch=batch)

    def size(self, split):
        return len(SENTENCES)

    def answers(self, architecture, split, first=None):
        runners = [reference_runner(part.model) for part in self.models(architecture)]
        (scores,) = self.answers_from(runners, split, first).arrays
        return Answers((scores + self.bias,))

    def answers_from(self, runners, split, first=None):
        steps = self.space.parts[1].runs
        return Answers((np.array([translated(runners, one, steps) for one in SENTENCES[:first]]),))

    def score(self, answers, split):
        (scores,) = answers.arrays
        return float(scores.argmax(axis=2).mean())

    def described_input(self):
        return {"name": "input", "tokens": 5}

    def companions(self):
        return self.files


class Forgetful(Translator):
    """Scores the same answers a little worse each time."""

    scores = iter((31.0, 30.5))

    def score(self, answers, split):
        return next(self.scores)


@pytest.fixture
def architecture(pairs, monkeypatch):
    names = tuple(name for name in backend_names() if not name.startswith("fake"))  # which computes nothing
    monkeypatch.setattr(export_checks, "backend_names", lambda: names)
    return pairs.architecture([0, 1, 1, 0])  # one decoder layer, so one state


def test_a_folder_holds_a_model_a_part_what_goes_with_them_and_how_to_run_them(pairs, architecture, tmp_path):
    exported = export_subnet(Translator(pairs), architecture, tmp_path / "out", provenance={"pick": "knee"})
    names = ["encoder.onnx", "decoder_step.onnx", "vocabulary.json"]
    assert sorted(path.name for path in (tmp_path / "out").iterdir()) == sorted([*names, "model.json"])
    record = json.loads((tmp_path / "out" / "model.json").read_text())
    assert (record["schema"], record["version"]) == ("gnomon.export", 5)
    assert [(one["file"], one["runs"]) for one in record["models"]] == [("encoder.onnx", 1), ("decoder_step.onnx", 6)]
    for one in record["models"] + record["companions"]:
        assert one["sha256"] == hashlib.sha256((tmp_path / "out" / one["file"]).read_bytes()).hexdigest()
    assert "x.next" in record["feeding"]
    assert record["architecture"]["macs"] == pairs.macs([architecture.indices])[0]
    assert record["metric"]["name"] == "bleu"
    assert record["metric"]["examples"] == len(SENTENCES)
    assert record["metric"]["onnxruntime"] == exported.metric.runtime_value == exported.metric.torch_value
    assert {parity.backend for parity in exported.parities} >= {"onnxruntime", "openvino"}


def test_a_runtime_that_would_run_a_part_elsewhere_is_not_compared_and_says_so(
    pairs, architecture, monkeypatch, tmp_path
):
    def strays(models, *, backend, config):
        if backend == "openvino":
            raise FallbackRefused("HardSwish would run elsewhere")
        return ModelsInSubprocess(models, backend=backend, config=config)

    monkeypatch.setattr(export_checks, "ModelsInSubprocess", strays)
    said = []
    exported = export_subnet(Translator(pairs), architecture, tmp_path / "out", on_step=said.append)
    assert "openvino" not in {parity.backend for parity in exported.parities}
    assert "not compared: HardSwish would run elsewhere" in said


def test_the_exported_models_are_timed_as_a_program_beside_their_prediction(pairs, architecture, measured, tmp_path):
    profile = measured("pairs", "onnxruntime", networks=16)
    latency = export_subnet(Translator(pairs), architecture, tmp_path / "out", profile=profile).latency
    assert latency.measured_us > 0
    assert latency.predicted_us == profile.latency.value_us([architecture.indices])[0]


def test_a_profile_of_another_space_is_refused_before_anything_is_written(pairs, architecture, measured, tmp_path):
    profile = measured("tiny", "fake")
    with pytest.raises(ProfileMismatch, match="of space 'tiny', not 'pairs'"):
        export_subnet(Translator(pairs), architecture, tmp_path / "out", profile=profile)
    assert not (tmp_path / "out").exists()


def test_answers_that_are_not_torchs_are_refused(pairs, architecture, tmp_path):
    with pytest.raises(ExportRefused, match=r"differs from torch by 5\.00e-01 on what would be exported"):
        export_subnet(Translator(pairs, bias=0.5), architecture, tmp_path / "out")
    assert not (tmp_path / "out").exists()


def test_a_metric_that_is_not_torchs_is_refused(pairs, architecture, tmp_path):
    with pytest.raises(ExportRefused, match=r"has bleu 30\.50 BLEU on the test split, torch 31\.00; nothing"):
        export_subnet(Forgetful(pairs), architecture, tmp_path / "out")


@pytest.mark.parametrize("name", ["encoder.onnx", "model.json", "../up.json", "a/b.txt"])
def test_a_companion_that_cannot_lie_beside_the_models_is_refused(pairs, architecture, tmp_path, name):
    with pytest.raises(ExportRefused, match="expected a plain name"):
        export_subnet(replace(Translator(pairs), files={name: b""}), architecture, tmp_path / "out")


def test_a_folder_that_is_there_is_replaced_as_a_whole_when_asked(pairs, architecture, tmp_path):
    export_subnet(replace(Translator(pairs), files={"older.json": b"{}"}), architecture, tmp_path / "out")
    with pytest.raises(OutputUnusable, match="force=True"):
        export_subnet(Translator(pairs), architecture, tmp_path / "out")
    export_subnet(Translator(pairs), architecture, tmp_path / "out", force=True)
    assert not (tmp_path / "out" / "older.json").exists()
    assert (tmp_path / "out" / "vocabulary.json").exists()
    assert [path.name for path in tmp_path.iterdir()] == ["out"]


@pytest.mark.parametrize(
    ("metric", "noun", "line"),
    [
        (ACCURACY, "images", "accuracy 92.76 % in onnxruntime, 92.80 % in torch, on 2500 test images"),
        (BLEU, "texts", "BLEU     92.76 in onnxruntime, 92.80 in torch, on 2500 test texts"),
        (replace(BLEU, name="loss", unit="nats"), "texts", "loss     92.76 nats in onnxruntime, 92.80 nats in torch,"),
    ],
)
def test_the_command_says_the_metric_in_its_unit(metric, noun, line):
    said = metric_line(ExportedMetric(metric.name, metric.unit, 92.8, 92.76, 2500, noun))
    assert said.startswith(line)


def test_the_kernels_that_the_network_consists_of_are_told_when_asked(pairs, architecture, tmp_path):
    exported = export_subnet(Translator(pairs), architecture, tmp_path / "out", with_kernels=True)
    found = exported.consists_of
    assert found.not_told is None
    assert found.runtime.startswith("onnxruntime ")
    steps = [one for one in found.kernels if one.file == "decoder_step.onnx"]
    assert steps
    assert all(one.times % 6 == 0 for one in steps)  # the decoder runs six times
    record = json.loads((tmp_path / "out" / "model.json").read_text())
    assert record["kernels"]["kernels"][0].keys() == {"file", "operator", "key", "times"}
    assert export_subnet(Translator(pairs), architecture, tmp_path / "again").consists_of is None


def test_a_runtime_that_does_not_tell_its_kernels_is_said_to(pairs, architecture):
    parts = models_from_architecture(pairs, architecture)
    found = kernels_of_export(parts, "onnxruntime", precision="fp32", profile=None, device=Untelling(), elsewhere=None)
    assert found.kernels == ()
    assert "does not tell" in found.not_told


class Untelling:
    """A device whose runtime does not tell."""

    def require(self, backend):
        return "1.0"

    def fused_graphs(self, models, *, backend, config):
        raise GraphUnavailable(f"The backend {backend!r} does not tell which kernels it makes of a model")
