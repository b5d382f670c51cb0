"""Start a run from another one: what counts, what is measured first, and that the new folder stands alone."""

import os
import shutil
import subprocess
import sys
from dataclasses import dataclass, replace

import pytest

import gnomon
from gnomon.outputs import OutputUnusable
from gnomon.search import SearchConfig, UserObjective, load_run, search_in_context
from gnomon.search.errors import InvalidConfig, RunDamaged, RunMismatch
from gnomon.search.problem.build import build_objectives
from gnomon.search.runs.growing.history import History
from gnomon.search.testing.contracts import AnalyticSupernet, LinearLatency, fake_context, problem_of
from gnomon.supernets import load_space

CONFIG = SearchConfig(space="fashion_mnist", budget=9, population=4, tactic="evolutionary")
HERE = {"checkpoint_sha256": "c" * 64, "data": None, "profile": {"name": "p", "sha256": "first"}}
THERE = HERE | {"profile": {"name": "p", "sha256": "second"}}
SCRIPT = """
import os, sys
from pathlib import Path
from gnomon.search import SearchConfig, load_run, search_in_context
from gnomon.search.testing.contracts import fake_context
folder, text, other = sys.argv[1:]
def stop(progress):
    if progress.spent >= 5:
        os._exit(9)
there = {"checkpoint_sha256": "c" * 64, "data": None, "profile": {"name": "p", "sha256": "second"}}
search_in_context(fake_context(), SearchConfig.model_validate_json(text), Path(folder), provenance=there,
           start_from=load_run(Path(other)), on_progress=stop)
"""


@dataclass(frozen=True)
class OtherLatency(LinearLatency):
    """Another device, on which layers cost more and work less."""

    def value_us(self, indices):
        return self.space.macs(indices) * 1e-4 + 50.0 * self.space.active(indices).sum(axis=1)


def other_context():
    context = fake_context()
    return replace(context, latency=OtherLatency(context.space))


def search(folder, config=CONFIG, provenance=THERE, context=None, **options):
    return search_in_context(context or other_context(), config, folder, provenance=provenance, **options)


def placed(run):
    return [(e.round, e.position, e.indices, e.values) for e in run.evaluations]


@pytest.fixture(scope="module")
def first(tmp_path_factory):
    """A run on the first device."""
    return search(tmp_path_factory.mktemp("first") / "laptop", context=fake_context(), provenance=HERE)


def test_where_all_agrees_values_count_and_cost_nothing(tmp_path, first):
    run = search(tmp_path / "run", start_from=first)
    assert str(run.start) == "from run laptop: 9 of its validations count, as checkpoint, data and split agree"
    assert run.cost == 9.0
    assert len(run.measured) == 18
    assert {measured.source for measured in run.measured[:9]} == {run.start.header.source}
    assert {measured.source for measured in run.measured[9:]} == {None}
    assert not {m.architecture for m in run.measured[:9]} & {m.architecture for m in run.measured[9:]}
    assert run.hypervolume_trace()[0] >= search(tmp_path / "cold", budget_of(1)).hypervolume()
    assert load_run(tmp_path / "run") == run


def budget_of(budget):
    return CONFIG.model_copy(update={"budget": budget})


def test_costly_values_are_taken_and_cheap_ones_computed_anew(tmp_path, first):
    run = search(tmp_path / "run", start_from=first)
    latency = other_context().latency
    for ours, theirs in zip(run.measured[:9], first.measured):
        assert ours.architecture == theirs.architecture
        assert ours.values[0] == theirs.values[0]
        assert ours.values[1] == latency.value_us([ours.architecture.indices])[0] != theirs.values[1]


def test_evidence_is_an_own_generation_before_the_first_round(first):
    context = fake_context()
    objectives = build_objectives(CONFIG.objectives, context)
    evidence = tuple((1.0, m.architecture.indices, m.values) for m in first.measured)
    problem = problem_of(context.space, objectives)
    archive = History(context.space, problem, evidence).archive(0)
    assert set(archive.rounds) == {-1}
    assert archive.values.tolist() == [list(m.values) for m in first.measured]


def test_evidence_is_in_the_front_before_anything_is_measured(tmp_path, first):
    told = CONFIG.model_copy(update={"objectives": ("accuracy", "macs")})
    with gnomon.Study(told, tmp_path / "run", provenance=HERE, start_from=first) as study:
        assert len(study.front().architectures) > 1
        assert study.run.hypervolume() > 0
        assert study.run.hypervolume_trace() == ()


@pytest.mark.parametrize(
    ("provenance", "changes", "why"),
    [
        ({"checkpoint_sha256": "d" * 64}, {}, "its checkpoint is cccccccccccc, here it is dddddddddddd"),
        ({"checkpoint_sha256": None}, {}, "it is not known that both have the same checkpoint"),
        ({"data": "full"}, {}, "its data are embedded, here they are full"),
        ({}, {"split": "test"}, "its split is validation, here it is test"),
    ],
)
def test_where_something_differs_only_architectures_are_taken(tmp_path, first, provenance, changes, why):
    front = {architecture.indices for architecture in first.front().architectures}
    config = CONFIG.model_copy(update={"budget": len(front) + 3, **changes})
    run = search(tmp_path / "run", config, THERE | provenance, start_from=first)
    assert "its values do not count" in str(run.start)
    assert why in str(run.start)
    assert {e.indices for e in run.evaluations[: len(front)]} == front
    assert {e.round for e in run.evaluations[: len(front)]} == {0}
    assert len(run.measured) == len(run.evaluations) == len(front) + 3
    assert load_run(tmp_path / "run") == run


def test_a_told_objective_that_may_depend_on_the_device_is_not_taken(tmp_path, first):
    config = CONFIG.model_copy(update={"objectives": ("accuracy", "macs")})
    told = [UserObjective("accuracy", "percent")]
    with gnomon.Study(config, tmp_path / "run", provenance=HERE, user_objectives=told, start_from=first) as study:
        assert "accuracy may depend on the device" in str(study.run.start)
        assert {trial.indices for trial in study.ask()} == {a.indices for a in first.front().architectures}


def test_an_objective_that_was_not_measured_there_is_not_taken(tmp_path):
    cheap = CONFIG.model_copy(update={"objectives": ("macs", "params"), "tactic": "random"})
    other = search(tmp_path / "other", cheap)
    assert "it did not measure accuracy" in str(search(tmp_path / "run", start_from=other).start)


def test_only_cheap_objectives_need_no_agreement(tmp_path, first):
    cheap = CONFIG.model_copy(update={"objectives": ("macs", "latency")})
    run = search(tmp_path / "run", cheap, {}, start_from=first)
    assert run.start.header.takes == "values"


def test_another_space_is_refused_before_anything_is_written(tmp_path, first):
    with pytest.raises(
        InvalidConfig, match=r"it searched 'fashion_mnist' .* this is a search of 'ofa_mobilenetv3"
    ) as raised:
        search(tmp_path / "run", context=fake_context("ofa_mobilenetv3"), start_from=first)
    assert raised.value.field == "start_from"
    assert not (tmp_path / "run").exists()


@pytest.mark.filterwarnings("default::gnomon.profilers.journal.TornLine")
def test_the_new_folder_stands_alone(tmp_path, first):
    shutil.copytree(first.folder, tmp_path / "laptop")
    whole = search(tmp_path / "run", start_from=load_run(tmp_path / "laptop"))
    shutil.rmtree(tmp_path / "laptop")
    path = tmp_path / "run" / "evaluations.jsonl"
    path.write_bytes(path.read_bytes()[:1500])
    assert placed(search(tmp_path / "run")) == placed(whole)
    assert load_run(tmp_path / "run").front() == whole.front()


@pytest.mark.slow
def test_a_killed_process_goes_on_to_the_same_trajectory(tmp_path, first):
    config = CONFIG.model_copy(update={"objectives": ("accuracy", "macs")})
    command = [sys.executable, "-c", SCRIPT, str(tmp_path / "run"), config.model_dump_json(), str(first.folder)]
    killed = subprocess.run(command, env=os.environ | {"PYTHONHASHSEED": "5"}, capture_output=True)
    assert killed.returncode == 9, killed.stderr
    assert len(load_run(tmp_path / "run").evaluations) == 5
    for folder, options in (("run", {}), ("run", {"start_from": first}), ("whole", {"start_from": first})):
        search(tmp_path / folder, config, **options)
    assert placed(load_run(tmp_path / "run")) == placed(load_run(tmp_path / "whole"))


def test_what_a_run_started_from_is_part_of_it(tmp_path, first):
    search(tmp_path / "run", budget_of(4))
    with pytest.raises(RunMismatch, match="start_sha256"):
        search(tmp_path / "run", budget_of(4), start_from=first)
    shorter = search(tmp_path / "shorter", budget_of(4), HERE, fake_context())
    search(tmp_path / "started", start_from=first)
    with pytest.raises(RunMismatch, match="start_sha256"):
        search(tmp_path / "started", start_from=shorter)


@pytest.mark.parametrize("damage", ["edited", "lost"])
def test_a_damaged_start_is_named(tmp_path, first, damage):
    search(tmp_path / "run", start_from=first)
    path = tmp_path / "run" / "start.jsonl"
    path.write_bytes(
        path.read_bytes().replace(b'"accuracy":8', b'"accuracy":9')
    ) if damage == "edited" else path.unlink()
    for use in (lambda: load_run(tmp_path / "run"), lambda: search(tmp_path / "run")):
        with pytest.raises(RunDamaged, match=r"start\.jsonl"):
            use()
    assert search(tmp_path / "run", force=True).start is None
    assert not path.exists()


def test_a_kill_between_start_and_description_leaves_a_folder_that_starts(tmp_path, first):
    whole = search(tmp_path / "whole", start_from=first)
    (tmp_path / "run").mkdir()
    shutil.copy(tmp_path / "whole" / "start.jsonl", tmp_path / "run")
    assert placed(search(tmp_path / "run", start_from=first)) == placed(whole)


def test_a_file_of_that_name_from_elsewhere_is_left_alone(tmp_path, first):
    (tmp_path / "start.jsonl").write_text("precious")
    with pytest.raises(OutputUnusable, match=r"start\.jsonl"):
        search(tmp_path, start_from=first)
    assert (tmp_path / "start.jsonl").read_text() == "precious"


def test_evidence_and_its_own_runs_can_be_started_from_again(tmp_path, first):
    second = search(tmp_path / "second", start_from=first)
    third = search(tmp_path / "third", provenance=HERE, context=fake_context(), start_from=second)
    assert len(third.start.records) == 18
    assert len(third.measured) == 27


def test_failures_of_the_other_run_are_not_taken(tmp_path):
    config = CONFIG.model_copy(update={"objectives": ("accuracy", "macs"), "tactic": "random", "budget": 4})
    with gnomon.Study(config, tmp_path / "other", provenance=HERE) as study:
        first, *rest = study.ask()
        study.tell(first, failed="lost")
        net = AnalyticSupernet(load_space("fashion_mnist"))
        for trial in rest:
            study.tell(trial, accuracy=net.evaluate(trial.architecture, "validation"))
        run = search(tmp_path / "run", config, start_from=study.run)
    assert len(run.start.records) == 3
