"""Rounds: what they cost, that no budget changes them, and what a tactic may not ask for."""

import os
import shutil
import subprocess
import sys
from math import fsum
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from gnomon.search import SearchConfig, load_run
from gnomon.search.errors import RunDamaged, RunMismatch, TacticBroken
from gnomon.search.tactic import TACTICS

CONFIG = SearchConfig(
    space="fashion_mnist", objectives=("accuracy", "macs"), budget=13, population=5, inner_evaluations=60
)
PARTIAL = CONFIG.model_copy(update={"tactic": "multi_fidelity", "population": 4, "partial_share": 0.25, "budget": 11})
SCRIPT = """
import sys
from pathlib import Path
from gnomon.search import SearchConfig, search_in_context
from gnomon.search.testing.contracts import fake_context
search_in_context(fake_context(), SearchConfig.model_validate_json(sys.argv[2]), Path(sys.argv[1]), provenance={})
"""


def changed(config, **changes):
    return config.model_copy(update=changes)


@pytest.mark.slow
@pytest.mark.parametrize("tactic", [name for name in TACTICS.names() if name != "gnomon"])
def test_a_larger_budget_goes_on_to_what_it_would_have_been_at_once(tmp_path, tactic, search, trajectory):
    config = changed(CONFIG, tactic=tactic)
    at_once = search(tmp_path / "once", changed(config, budget=18))
    for budget in (2, 7, 18):
        run = search(tmp_path / "grown", changed(config, budget=budget))
        assert run.cost <= budget
        assert trajectory(run) == trajectory(at_once)[: len(run.evaluations)]
    assert run.config == at_once.config
    assert load_run(tmp_path / "grown") == run


@pytest.mark.slow
def test_a_budget_grows_on_partial_evaluations_too(tmp_path, third_party, search, trajectory):
    at_once = search(tmp_path / "once", changed(PARTIAL, budget=16))
    for budget in (1, 2, 3, 5, 8, 9, 12, 16):
        run = search(tmp_path / "grown", changed(PARTIAL, budget=budget))
        assert budget - 1 < run.cost <= budget
    assert trajectory(run) == trajectory(at_once)


def test_a_budget_below_what_is_spent_is_refused(tmp_path, search):
    search(tmp_path / "run", changed(CONFIG, tactic="random"))
    before = (tmp_path / "run" / "run.json").read_bytes()
    with pytest.raises(RunMismatch, match="has spent 13 full validations already, and the budget asked for is 12"):
        search(tmp_path / "run", changed(CONFIG, tactic="random", budget=12))
    assert (tmp_path / "run" / "run.json").read_bytes() == before


@pytest.mark.slow
@settings(max_examples=10, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(
    share=st.sampled_from([0.05, 0.1, 0.15, 0.25, 1 / 3, 0.7, 1.0]),
    budget=st.integers(1, 12),
    population=st.integers(1, 5),
)
def test_shares_add_up_to_the_budget_and_never_to_more(
    tmp_path_factory, third_party, share, budget, population, search
):
    config = changed(PARTIAL, partial_share=share, budget=budget, population=population)
    run = search(tmp_path_factory.mktemp("run") / "run", config)
    assert budget - 1 < fsum(e.share for e in run.evaluations) <= budget + 1e-9
    assert run.stop.reason == "budget"


def test_partial_evaluations_are_in_no_front_and_in_no_trace(tmp_path, third_party, search):
    run = search(tmp_path / "run", PARTIAL)
    full = {e.id for e in run.evaluations if e.share == 1.0}
    assert run.partial_evaluations
    assert {e.share for e in run.partial_evaluations} == {0.25}
    assert {architecture.id for architecture in run.front().architectures} <= full
    assert len(run.hypervolume_trace()) == len(run.cost_trace()) == len(run.values) == len(full)
    assert run.cost_trace()[:3] == (1.0, 2.0, 5.0)  # eight partial evaluations between
    assert list(run.hypervolume_trace()) == sorted(run.hypervolume_trace())


@pytest.mark.slow
def test_partial_evaluations_are_the_same_in_another_process(tmp_path, third_party, search, trajectory):
    environment = os.environ | {"PYTHONHASHSEED": "7"}
    command = [sys.executable, "-c", SCRIPT, str(tmp_path / "there"), PARTIAL.model_dump_json()]
    subprocess.run(command, env=environment, check=True)
    assert trajectory(load_run(tmp_path / "there")) == trajectory(search(tmp_path / "here", PARTIAL))


def test_a_tactic_that_spends_too_much_is_named(tmp_path, third_party, search):
    with pytest.raises(
        TacticBroken, match=r"tactic 'wasteful' .* costs 5\.5 full validations, and the round may cost 5"
    ):
        search(tmp_path / "run", changed(CONFIG, tactic="wasteful"))


def test_a_tactic_that_asks_for_more_than_the_space_has_ends_the_run(tmp_path, third_party, six_context, search):
    config = changed(PARTIAL, space="six", partial_share=0.05, budget=5)  # forty looks at six architectures
    run = search(tmp_path / "run", config, six_context)
    assert (run.stop.reason, len(run.evaluations)) == ("space", 0)
    assert "has 6 distinct architectures" in run.stop.said


@pytest.mark.parametrize(("tactic", "suited"), [("gnomon", 4), ("linas", 50), ("random", 50), ("multi_fidelity", 3)])
def test_the_population_that_suits_a_tactic_is_written_down(tmp_path, third_party, tactic, suited, search):
    config = SearchConfig(space="fashion_mnist", objectives=("macs", "params"), budget=2, tactic=tactic)
    assert config.population is None
    assert search(tmp_path / "run", config).config.population == suited
    assert load_run(tmp_path / "run").config.population == suited


def test_progress_tells_the_cost(tmp_path, third_party, search):
    seen = []
    search(tmp_path / "run", PARTIAL, on_progress=seen.append)
    assert [progress.spent for progress in seen[:4]] == [1.0, 2.0, 2.25, 2.5]
    assert {progress.budget for progress in seen} == {11}
    assert 10.0 < seen[-1].spent <= 11.0
    assert seen[-1].eta_s == 0.0


def test_version_2_loads_forever(tmp_path):
    folder = Path(__file__).parent / "samples" / "run_v2"
    run = load_run(folder)
    assert (len(run.evaluations), len(run.partial_evaluations), len(run.failures), len(run.values)) == (11, 8, 1, 4)
    assert run.cost == 5.0
    assert len(run.start.records) == 2
    assert run.stop.reason == "budget"
    assert run.front().architectures
    assert run.predictor_quality()[0].overall.n == 2


def test_version_3_loads_forever():
    run = load_run(Path(__file__).parent / "samples" / "run_v3")
    assert [quantity.name for quantity in run.watched] == ["params"]
    assert [evaluation.deployment for evaluation in run.evaluations] == [1, None, 1]
    assert [record.deployment for record in run.start.records] == [1, 1]
    assert set(run.evaluations[0].values) == {"accuracy", "latency", "params"}
    assert {run.deployment(one.architecture).label for one in run.measured} == {"onnxruntime fp32 t1"}
    assert len(run.front().watched_values[0]) == 1
    assert run.table().column("deployment") == ("onnxruntime fp32 t1", None, "onnxruntime fp32 t1")
    assert run.hypervolume() == pytest.approx(11230.711923607323)


def test_a_deployment_that_the_run_does_not_have_is_damage(tmp_path):
    shutil.copytree(Path(__file__).parent / "samples" / "run_v3", tmp_path / "run")
    path = tmp_path / "run" / "evaluations.jsonl"
    path.write_text(path.read_text().replace('"deployment":1.0', '"deployment":2.0', 1))
    with pytest.raises(RunDamaged, match=r"line 1: deployment 2 is none of the run's 2, which are numbered from 0"):
        load_run(tmp_path / "run")


def test_version_1_is_not_continued(tmp_path, search):
    shutil.copytree(Path(__file__).parent / "samples" / "run_v1", tmp_path / "run")
    config = load_run(tmp_path / "run").config
    with pytest.raises(RunMismatch, match="format version 1, which can be read but not continued"):
        search(tmp_path / "run", config)
    assert len(load_run(tmp_path / "run").evaluations) == 6
