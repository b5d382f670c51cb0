from dataclasses import dataclass

import numpy as np
import pytest

from gnomon.search import SearchConfig, SearchContext, load_run, search_in_context
from gnomon.search.deployments.deployment import Deployments, useful_precisions
from gnomon.search.deployments.provenance import Deployment, Provenance
from gnomon.search.errors import MissingContext
from gnomon.search.problem.build import build_objective
from gnomon.search.testing.contracts import AnalyticSupernet, LinearLatency
from gnomon.supernets import Architecture, UnknownSpace, load_space
from gnomon.supernets.metric import ACCURACY
from gnomon.supernets.space.space import with_setting


@dataclass(frozen=True)
class Scaled:
    """A latency model that is so many times another one, and quicker for networks of many MACs than for small ones."""

    space: object
    factor: float
    fixed_us: float = 0.0

    def value_us(self, indices):
        return self.fixed_us + self.factor * LinearLatency(self.space).value_us(indices)


@dataclass(frozen=True)
class PreciseSupernet:
    """A stand-in whose int8 networks lose a point."""

    inner: AnalyticSupernet
    precisions: tuple = ("fp32", "int8")
    metric: object = ACCURACY

    def evaluate(self, architecture, split, share=1.0, *, precision="fp32"):
        assert architecture.space == self.inner.space.name
        return self.inner.evaluate(architecture, split, share) - (precision == "int8")


def deployment_of(backend, precision, threads=1):
    return Deployment(
        name=f"{backend}.{precision}", sha256="0" * 64, backend=backend, precision=precision, threads=threads
    )


@pytest.fixture
def space():
    return load_space("fashion_mnist:precision=fp32+int8")


@pytest.fixture
def deployments(space):
    network = space.network
    return Deployments(
        space,
        (
            (deployment_of("onnxruntime", "fp32"), Scaled(network, 1.0)),
            (deployment_of("openvino", "fp32"), Scaled(network, 0.5, fixed_us=300.0)),
            (deployment_of("openvino", "int8"), Scaled(network, 0.3, fixed_us=300.0)),
        ),
    )


def test_the_fastest_way_of_a_networks_own_precision_is_taken(space, deployments):
    rows = space.sample(200, np.random.default_rng(0))
    each_us = np.stack([model.value_us(rows[:, :-1]) for _, model in deployments.members], axis=1)
    is_int8 = rows[:, -1] == 1
    assert np.array_equal(deployments.value_us(rows), np.where(is_int8, each_us[:, 2], each_us[:, :2].min(axis=1)))
    chosen = deployments.chosen(rows)
    assert set(chosen[is_int8]) == {2.0}
    assert set(chosen[~is_int8]) == {0.0, 1.0}


def test_a_precision_that_is_faster_for_no_network_could_only_lose(space, deployments):
    network = space.network
    slow = (deployment_of("onnxruntime", "int8"), Scaled(network, 2.0))
    assert useful_precisions(network, (*deployments.members[:2], slow)) == {"fp32"}
    assert useful_precisions(network, (*deployments.members[:2], deployments.members[2], slow)) == {"fp32", "int8"}
    assert useful_precisions(network, (slow,)) == {"int8"}
    equal = (deployment_of("openvino", "int8"), deployments.members[0][1])
    assert useful_precisions(network, (deployments.members[0], equal)) == {"fp32"}


def test_networks_are_validated_in_the_precision_that_they_set(space):
    supernet = PreciseSupernet(AnalyticSupernet(space.network))
    accuracy = build_objective("accuracy", SearchContext(space, supernet))
    row = np.array([*space.network.radices - 1, 0])
    fp32, int8 = accuracy.values(np.array([row, [*row[:-1], 1]]))
    assert fp32 - int8 == pytest.approx(1.0)


def test_a_super_network_without_the_precision_is_refused(space):
    with pytest.raises(MissingContext, match="are known in fp32, not in int8"):
        build_objective("accuracy", SearchContext(space, AnalyticSupernet(space.network)))


@pytest.mark.slow
def test_a_joint_search_keeps_the_deployment_of_every_network_and_resumes(space, deployments, tmp_path):
    context = SearchContext(space, PreciseSupernet(AnalyticSupernet(space.network)), deployments)
    config = SearchConfig(space=space.name, population=4, budget=12, partial_share=1.0)
    provenance = Provenance(deployments=tuple(deployment for deployment, _ in deployments.members))
    run = search_in_context(context, config, tmp_path / "run", provenance=provenance)
    rows = np.array([one.architecture.indices for one in run.measured])
    labels = [deployments.members[int(number)][0].label for number in deployments.chosen(rows)]
    assert [run.deployment(one.architecture).label for one in run.measured] == labels
    assert all(set(one.values) == {"accuracy", "latency"} for one in run.evaluations)
    assert run.table().column("deployment") == tuple(labels)
    again = search_in_context(context, config, tmp_path / "run", provenance=provenance)
    assert again.evaluations == load_run(tmp_path / "run").evaluations == run.evaluations


def test_a_run_that_takes_values_over_says_where_their_networks_run(space, deployments, tmp_path):
    context = SearchContext(space, PreciseSupernet(AnalyticSupernet(space.network)), deployments)
    config = SearchConfig(space=space.name, population=4, budget=4, partial_share=1.0, tactic="random")
    known = {"checkpoint_sha256": "c" * 64, "deployments": tuple(one.model_dump() for one, _ in deployments.members)}
    first = search_in_context(context, config, tmp_path / "first", provenance=known)
    run = search_in_context(
        context, config.model_copy(update={"seed": 1}), tmp_path / "run", provenance=known, start_from=first
    )
    numbers = deployments.chosen(np.array([record.indices for record in run.start.records]))
    assert [record.deployment for record in run.start.records] == numbers.tolist()
    again = load_run(tmp_path / "run")
    assert [again.deployment(one.architecture) for one in again.measured] == [
        deployments.members[one.deployment][0] for one in again.measured
    ]


def test_a_search_with_one_deployment_has_none_to_name(tmp_path):
    space = load_space("fashion_mnist")
    context = SearchContext(space, AnalyticSupernet(space), LinearLatency(space))
    config = SearchConfig(space="fashion_mnist", population=4, budget=4, partial_share=1.0)
    run = search_in_context(context, config, tmp_path / "run", provenance={"profile": None})
    assert run.deployment(run.front().architectures[0]) is None
    assert run.deployment(Architecture("elsewhere", (0,))) is None


def test_any_space_can_have_its_precision_searched():
    space = load_space("ofa_mobilenetv3:width=1.2,precision=int8+fp32")
    assert space.network == load_space("ofa_mobilenetv3:width=1.2")
    assert space == with_setting(space.network, "precision", ("int8", "fp32"))


@pytest.mark.parametrize("listed", ["fp32", "fp32+fp32", "fp32+fp31", ""])
def test_precisions_that_are_none_are_refused(listed):
    with pytest.raises(UnknownSpace, match=r"expected two or more of bf16, fp16, fp32, int8"):
        load_space(f"fashion_mnist:precision={listed}")
