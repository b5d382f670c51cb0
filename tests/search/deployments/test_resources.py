"""Memory and energy as objectives: where they are measured, where a search of them ends, and what resuming keeps."""

import json
import shutil
from dataclasses import dataclass, field, replace

import numpy as np
import pytest

from gnomon.api import final_front
from gnomon.api import run_search as search_by_api
from gnomon.lut import ProfileMismatch, load_profile, measure_resources, shipped_profiles
from gnomon.profilers.machine.hardware import fingerprint
from gnomon.profilers.runtimes.registry import load_backend
from gnomon.profilers.testing import affine_model
from gnomon.search import SearchConfig, SearchContext, load_run, search_in_context
from gnomon.search.deployments.deployment import Deployments
from gnomon.search.deployments.provenance import Deployment
from gnomon.search.deployments.resources import DeployedResources, ProfiledResources
from gnomon.search.errors import MissingContext, RunMismatch
from gnomon.search.problem.build import build_objective, build_objectives
from gnomon.search.problem.problem import settled
from gnomon.search.problem.resource import largest
from gnomon.search.testing.contracts import FormulaResources, fake_context
from gnomon.supernets import load_space

CONFIG = SearchConfig(space="fashion_mnist", objectives=("accuracy", "memory"), budget=9, population=3)


@dataclass(frozen=True)
class Drifting:
    """A device whose every measurement differs a little from the last, as memory's do."""

    formula: FormulaResources
    memory_refusal: str = ""
    energy_refusal: str = ""
    calls: list = field(default_factory=list)

    def memory_mib(self, architecture):
        self.calls.append(architecture.id)
        return self.formula.memory_mib(architecture) + len(self.calls) / 64


def drifting_context():
    context = fake_context()
    return replace(context, resources={"": Drifting(FormulaResources(context.space))})


@pytest.fixture
def profile():
    """A shipped profile as if it had been made here: it says how networks are run."""
    pytest.importorskip("onnxruntime")
    shipped = next(name for name in shipped_profiles() if name.startswith("fashion_mnist/") and ".onnxruntime." in name)
    hardware, loaded = fingerprint(), load_profile(shipped)
    here = {"device": hardware.slug, "hardware": hardware.to_json(), "versions": load_backend("onnxruntime").versions()}
    return replace(loaded, header=loaded.header.model_copy(update=here))


@pytest.fixture
def elsewhere(profile):
    hardware = dict(profile.header.hardware, cpu_model="another")
    return replace(profile, header=profile.header.model_copy(update={"hardware": hardware}))


@pytest.mark.parametrize("tactic", ["gnomon", "linas"])
def test_memory_is_searched_by_every_kind_of_tactic(tmp_path, tactic):
    config = CONFIG.model_copy(update={"tactic": tactic, "inner_evaluations": 60})
    run = search_in_context(fake_context(), config, tmp_path / "run", provenance={})
    assert run.cost == 9
    assert [objective.unit for objective in run.objectives] == ["percent", "MiB"]
    assert run.hypervolume() > 0


def test_hypervolume_ends_at_the_largest_measured_once(tmp_path):
    context = drifting_context()
    run = search_in_context(context, CONFIG, tmp_path / "run", provenance={})
    device = context.resources[""]
    rows = largest(context.space)
    worst = max(device.formula.memory_mib(context.space.architecture(row)) for row in rows)
    assert run.header.objectives[1].reference == run.config.reference["memory"]
    assert worst < run.config.reference["memory"] <= worst + len(rows) / 64
    assert len(device.calls) == len(rows) + 9


@pytest.mark.slow
def test_a_run_that_goes_on_keeps_where_its_hypervolume_ends(tmp_path):
    first = search_in_context(drifting_context(), CONFIG, tmp_path / "run", provenance={})
    context = drifting_context()
    again = search_in_context(context, CONFIG.model_copy(update={"budget": 12}), tmp_path / "run", provenance={})
    assert again.config.reference == first.config.reference
    assert len(context.resources[""].calls) == 3
    assert again.evaluations[:9] == first.evaluations


@pytest.mark.slow
@pytest.mark.filterwarnings("default::gnomon.profilers.journal.TornLine")
def test_a_killed_run_goes_on_to_the_same_rounds(tmp_path):
    whole = search_in_context(fake_context(), CONFIG, tmp_path / "whole", provenance={})
    shutil.copytree(tmp_path / "whole", tmp_path / "cut")
    path = tmp_path / "cut" / "evaluations.jsonl"
    path.write_bytes(b"".join(path.read_bytes().splitlines(keepends=True)[:5])[:-9])
    run = search_in_context(fake_context(), CONFIG, tmp_path / "cut", provenance={})
    assert [(e.id, e.values) for e in run.evaluations] == [(e.id, e.values) for e in whole.evaluations]


def test_a_run_of_another_reference_is_another_run(tmp_path):
    search_in_context(fake_context(), CONFIG, tmp_path / "run", provenance={})
    search_again = CONFIG.model_copy(update={"reference": {"memory": 99.0}})
    with pytest.raises(RunMismatch, match=r"reference\.memory"):
        search_in_context(fake_context(), search_again, tmp_path / "run", provenance={})


@pytest.mark.parametrize("given", [{"reference": {"memory": 60.0}}, {"region": ("memory<=60MiB",)}])
def test_a_given_end_of_hypervolume_measures_nothing(given):
    context = drifting_context()
    config = CONFIG.model_copy(update=given)
    assert settled(config, context.space, build_objectives(config.objectives, context))[0] == config
    assert context.resources[""].calls == []


@pytest.mark.parametrize("name", ["memory", "energy", "memory@pi5"])
def test_without_a_profile_the_command_that_makes_one_is_named(name):
    context = replace(fake_context(), resources={})
    with pytest.raises(
        MissingContext, match=rf"'{name}' needs a hardware profile.*gnomon profile --space fashion_mnist"
    ):
        build_objective(name, context)


def test_instances_are_those_of_the_profiles():
    context = fake_context()
    context = replace(context, resources={"ort": context.resources[""]})
    assert build_objective("memory@ort", context).name == "memory@ort"
    with pytest.raises(MissingContext, match="those given are for memory@ort; did you mean 'memory@ort'"):
        build_objective("memory@orr", context)


def test_a_profile_of_another_device_measures_nothing_here(elsewhere):
    context = SearchContext(load_space("fashion_mnist"), resources={"": ProfiledResources(elsewhere)})
    for name in ("memory", "energy"):
        with pytest.raises(MissingContext, match=f"'{name}' is measured on this machine.*cpu_model: profile 'another'"):
            build_objective(name, context)
    with pytest.raises(ProfileMismatch, match="of another device"):
        measure_resources(elsewhere, affine_model())


def test_without_a_counter_all_that_were_tried_are_named(profile, monkeypatch):
    monkeypatch.setattr("gnomon.profilers.resources.counters.rapl.FOLDER", "nowhere")
    monkeypatch.setattr("gnomon.profilers.resources.counters.ina.DRIVER", "nowhere")
    with pytest.raises(MissingContext, match=r"'energy' .* never estimated\. ina: .*; rapl: .*or without energy"):
        build_objective(
            "energy", SearchContext(load_space("fashion_mnist"), resources={"": ProfiledResources(profile)})
        )


@pytest.mark.slow
def test_a_search_measures_memory_here_and_its_final_front_keeps_it(profile, tmp_path):
    config = SearchConfig(space="fashion_mnist", objectives=("macs", "memory"), tactic="random", budget=1)
    run = search_by_api(config, tmp_path / "run", profile=profile)
    (evaluation,) = run.evaluations
    assert 1 < evaluation.values["memory"] < run.config.reference["memory"] + 2
    final = final_front(load_run(run.folder))
    assert final.costly == ()
    (member,) = final.members
    assert final.value_of(member) == evaluation.values


@pytest.mark.slow
def test_another_devices_memory_does_not_count_at_a_start(tmp_path):
    other = search_in_context(fake_context(), CONFIG, tmp_path / "other", provenance={"checkpoint_sha256": "c"})
    run = search_in_context(
        fake_context(),
        CONFIG,
        tmp_path / "run",
        provenance={"checkpoint_sha256": "c"},
        start_from=load_run(other.folder),
    )
    assert run.start.header.takes == "architectures"
    assert "memory may depend on the device" in run.start.header.why


@pytest.mark.slow
def test_memory_takes_units(tmp_path):
    config = CONFIG.model_copy(update={"constraints": ("memory<=0.041GiB",)})
    run = search_in_context(fake_context(), config, tmp_path / "run", provenance={})
    assert all(values[1] <= 0.041 * 1024 for values in run.front().values)
    assert json.loads((tmp_path / "run" / "run.json").read_text())["config"]["constraints"] == ["memory<=0.041GiB"]


@dataclass(frozen=True)
class FixedCost:
    """A latency in microseconds whatever the network, and the memory that it takes."""

    us: float
    mib: float
    memory_refusal: str = ""

    def value_us(self, indices):
        return np.full(len(indices), self.us)

    def memory_mib(self, architecture):
        assert architecture.space == "fashion_mnist"
        return self.mib


def test_a_network_is_measured_in_the_deployment_it_is_fastest_in():
    space = load_space("fashion_mnist:precision=fp32+int8")
    by_precision = {"fp32": (FixedCost(20.0, 1.0), FixedCost(10.0, 2.0)), "int8": (FixedCost(5.0, 3.0),)}
    flat = [
        (Deployment(name="p", sha256="0", backend="ort", precision=precision, threads=1), member)
        for precision, held in by_precision.items()
        for member in held
    ]
    resources = DeployedResources(Deployments(space, tuple(flat)), tuple(member for _, member in flat))
    memory = build_objective("memory", SearchContext(space, resources={"": resources}))
    fp32 = np.zeros_like(space.radices)
    int8 = [*fp32[:-1], 1]
    assert memory.values(np.array([fp32, int8])).tolist() == [2.0, 3.0]
    assert memory.worst() == 3.0
    refused = replace(resources, each=(*resources.each[:2], FixedCost(5.0, 3.0, "no memory here")))
    with pytest.raises(MissingContext, match="cannot be: no memory here"):
        build_objective("memory", SearchContext(space, resources={"": refused}))


def test_the_largest_are_of_most_macs_and_params():
    space = fake_context().space
    rows = largest(space)
    last = space.radices[None] - 1
    assert space.macs(rows).max() == space.macs(last)[0]
    assert space.params(rows).max() == space.params(last)[0]
    several = load_space("fashion_mnist:precision=fp32+int8")
    assert set(several.setting("precision", largest(several))) == {"fp32", "int8"}
