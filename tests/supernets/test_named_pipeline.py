"""Super-networks that are no chain, from the profile to the file that is shipped."""

import hashlib
from dataclasses import dataclass

import numpy as np
import onnx
import pytest
import torch

import gnomon
from gnomon.search import SearchConfig
from gnomon.search.export.export import export_subnet
from gnomon.supernets.data.labelled import ClassificationTask
from gnomon.supernets.elastic import ElasticNetwork, FixedStatistics
from gnomon.supernets.errors import DataUnavailable
from gnomon.supernets.evaluation.join import supernet_of
from gnomon.supernets.graph import models_from_architecture
from gnomon.supernets.layers.values import Input
from gnomon.supernets.metric import ACCURACY, Answers

pytestmark = pytest.mark.slow

ON = {
    "keyword_spotting": "onnxruntime",
    "recommender": "openvino",
    "unet": "openvino",
    "detector": "onnxruntime",
}


@dataclass(frozen=True)
class Examples:
    """Made-up examples of a space, labelled by chance, whose inputs go by name."""

    arrays: dict[str, np.ndarray]
    labels: np.ndarray

    @staticmethod
    def of(space, n, seed):
        rng = np.random.default_rng(seed)
        inputs = dict(space.inputs) or {"input": Input(space.input_shape)}
        arrays = {}
        for name, one in inputs.items():
            shape = (n, *one.shape)
            values = rng.standard_normal(shape) if one.range is None else rng.integers(*one.range, shape)
            arrays[name] = values.astype(one.dtype)
        return Examples(arrays, rng.integers(0, 2, n))

    def __len__(self):
        return len(self.labels)

    def take(self, selection):
        return Examples({name: array[selection] for name, array in self.arrays.items()}, self.labels[selection])

    def inputs(self):
        return self.arrays if len(self.arrays) > 1 else next(iter(self.arrays.values()))

    def described(self):
        return {"what": "made up"}


@dataclass(frozen=True)
class Judged:
    """Somebody's own super-network of several outputs: all of them are compared; the metric is made up of the first."""

    space: object
    network: ElasticNetwork
    examples: Examples
    checkpoint_sha256: str = "none"
    metric = ACCURACY
    precisions = ("fp32",)
    calibration = {}  # noqa: RUF012

    def statistics(self, architecture):
        return self.network.calibrate(architecture, self.tensors(len(self.examples)))

    def tensors(self, first):
        return {name: torch.from_numpy(array[:first]) for name, array in self.examples.arrays.items()}

    def models(self, architecture, *, batch=1, precision="fp32"):
        weights = self.network.folded(architecture, self.statistics(architecture))
        return models_from_architecture(self.space, architecture, weights, batch=batch)

    def size(self, split):
        return len(self.examples)

    def answers(self, architecture, split, first=None):
        fixed = FixedStatistics(self.statistics(architecture))
        with torch.inference_mode():
            outputs = self.network.outputs(self.tensors(first), architecture, fixed)
        return Answers(tuple(output.numpy() for output in outputs.values()))

    def answers_from(self, runners, split, first=None):
        (run,) = runners
        names = self.space.outputs or ("output",)
        rows = [
            run({name: array[row : row + 1] for name, array in self.examples.arrays.items()})
            for row in range(len(self.examples))[:first]
        ]
        return Answers(tuple(np.concatenate([row[name] for row in rows]) for name in names))

    def score(self, answers, split):
        return 100.0 * float((answers.arrays[0] > 0).mean())

    def described_input(self):
        return {"what": "made up"}

    def companions(self):
        return {}


def judged(space):
    torch.manual_seed(0)
    return Judged(space, ElasticNetwork(space).eval(), Examples.of(space, 12, 0))


@pytest.mark.parametrize(("name", "backend"), ON.items())
def test_from_the_profile_over_the_search_to_the_file(name, backend, torch_spaces, quick_policy, tmp_path):
    space = torch_spaces(name)
    profile = gnomon.profile(name, backend, out=tmp_path / "p.jsonl", networks=10, policy=quick_policy)
    assert (profile.table.failures, len(profile.networks)) == ({}, 10)
    assert set(profile.table.measurements) == {spec.key for spec in space.unique_layers()}
    assert gnomon.load_profile(tmp_path / "p.jsonl").space.digest == space.digest
    config = SearchConfig(space=name, objectives=("latency", "params"), budget=4, population=4, tactic="random")
    run = gnomon.run_search(config, tmp_path / "run", profile=profile)
    architecture = run.front().architectures[0]
    exported = export_subnet(judged(space), architecture, tmp_path / "exported", profile=profile)
    assert {parity.backend for parity in exported.parities} >= {"onnxruntime", "openvino"}
    assert max(parity.max_difference for parity in exported.parities) < 1e-3
    graph = onnx.load(tmp_path / "exported" / "model.onnx").graph
    assert [one.name for one in graph.input] == ([name for name, _ in space.inputs] or ["input"])
    assert [one.name for one in graph.output] == list(space.outputs or ("output",))
    assert exported.latency.measured_us > 0


def test_somebody_s_own_evaluation_is_told_to_a_study(torch_spaces, quick_policy, tmp_path):
    profile = gnomon.profile("recommender", out=tmp_path / "p.jsonl", networks=10, policy=quick_policy)
    config = SearchConfig(
        space="recommender", objectives=("accuracy", "latency"), tactic="random", budget=5, population=5
    )
    with gnomon.Study(config, tmp_path / "run", profile=profile) as study:
        while not study.done:
            for trial in study.ask():
                study.tell(trial, accuracy=58.0 - trial.position)
        assert study.front().values[0][0] == 58.0


def test_a_task_gives_inputs_by_name(torch_spaces, tmp_path):
    space = torch_spaces("recommender")
    splits = [Examples.of(space, n, seed) for seed, n in enumerate((64, 40, 30))]
    network = ElasticNetwork(space).eval()
    supernet = supernet_of(ClassificationTask("clicks", *splits), space, network, hashlib.sha256(b"").hexdigest())
    small, large = space.architecture(space.radices * 0), space.architecture(space.radices - 1)
    assert 0 <= supernet.evaluate(small) <= 100
    assert 0 <= supernet.evaluate(large, share=0.5) <= 100
    assert supernet.evaluate(small, "test", precision="int8") == pytest.approx(supernet.evaluate(small, "test"), abs=25)
    exported = export_subnet(supernet, large, tmp_path / "exported")
    assert exported.metric.torch_value == pytest.approx(exported.metric.runtime_value)
    assert supernet.described_input() == {"names": ["user", "item"], "what": "made up"}


def test_a_task_of_one_output_refuses_a_network_of_several(torch_spaces):
    space = torch_spaces("detector")
    splits = [Examples.of(space, 4, seed) for seed in range(3)]
    with pytest.raises(DataUnavailable, match=r"task cells judges one output, .*with gnomon\.Study"):
        supernet_of(ClassificationTask("cells", *splits), space, ElasticNetwork(space), "none")
