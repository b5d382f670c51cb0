"""The tactic gnomon over whole runs: partial evaluations, any number and kind of objectives, spaces that run out."""

import json
from dataclasses import dataclass, replace

import numpy as np
import pytest

from gnomon.search import Objective, SearchConfig
from gnomon.search.acquisition.opening import FIRST_PARTIAL
from gnomon.search.archive import Archive, every_architecture
from gnomon.search.problem.build import build_objectives
from gnomon.search.tactics.gnomon import build
from gnomon.search.testing.contracts import fake_context, measured_archive

CONFIG = SearchConfig(space="fashion_mnist", objectives=("accuracy", "macs"), budget=20)


def changed(**changes):
    return CONFIG.model_copy(update=changes)


@dataclass(frozen=True)
class Indivisible(Objective):
    """A super-network that is validated whole or not at all, with an accuracy of its parameters."""

    space: object
    name: str = "accuracy"
    unit: str = "percent"
    direction: str = "max"
    costly: bool = True

    def values(self, indices):
        return 60.0 + 5.0 * np.log10(self.space.params(indices).astype(float))


@pytest.mark.slow
def test_partial_evaluations_come_early_and_none_of_what_was_seen(whole):
    shares = [evaluation.share for evaluation in whole.evaluations]
    assert set(shares) == {0.1, 1.0}
    first_whole_rounds = {e.round for e in whole.evaluations if e.is_full and e.expected}
    assert sum(e.share for e in whole.partial_evaluations if e.round < min(first_whole_rounds)) <= FIRST_PARTIAL + 1e-9
    partial = [evaluation.indices for evaluation in whole.partial_evaluations]
    assert len(set(partial)) == len(partial)
    measured = {e.indices: e.order for e in whole.evaluations if e.is_full}
    assert not any(g.indices in measured and measured[g.indices] < g.order for g in whole.partial_evaluations)
    assert 19.0 < whole.cost <= 20.0


@pytest.mark.parametrize("budget", [1, 2, 3, 5, 7])
def test_the_smallest_budgets_are_spent_on_a_front_with_hypervolume(tmp_path, budget, search):
    run = search(tmp_path / "run", changed(budget=budget))
    assert (run.cost, len(run.values)) == (budget, budget)
    assert run.hypervolume() > 0


@pytest.mark.slow
@pytest.mark.filterwarnings("default::gnomon.profilers.journal.TornLine")
def test_a_run_that_is_given_more_goes_on_from_the_opening_that_it_began_with(tmp_path, whole, search, trajectory):
    began = search(tmp_path / "run", changed(budget=3))
    grown = search(tmp_path / "run")
    assert (began.header.opening_budget, grown.header.opening_budget, grown.config.budget) == (3, 3, 20)
    assert trajectory(grown)[: len(began.evaluations)] == trajectory(began)
    assert trajectory(grown) != trajectory(whole)
    path = tmp_path / "run" / "evaluations.jsonl"
    content = path.read_bytes()
    for size in (0, len(content) // 9, len(content) // 2):
        path.write_bytes(content[:size])
        assert trajectory(search(tmp_path / "run")) == trajectory(grown)
    assert trajectory(search(tmp_path / "run", force=True)) == trajectory(whole)


def test_a_run_of_before_budgets_were_told_opens_as_it_did(tmp_path, whole, search, trajectory):
    search(tmp_path / "run", changed(budget=1))
    path = tmp_path / "run" / "run.json"
    content = json.loads(path.read_text())
    del content["opening_budget"]
    path.write_text(json.dumps(content))
    (tmp_path / "run" / "evaluations.jsonl").write_text("")
    run = search(tmp_path / "run", changed(budget=5))
    assert run.header.opening_budget is None
    assert trajectory(run) == trajectory(whole)[: len(run.evaluations)]


def test_no_round_costs_more_than_it_may(whole):
    for number in {e.round for e in whole.evaluations}:
        assert sum(e.share for e in whole.evaluations if e.round == number) <= 4 + 1e-9


def test_full_validations_after_the_first_are_predicted(whole):
    later = [e for e in whole.evaluations if e.is_full and e.round == whole.evaluations[-1].round]
    assert later
    assert all(e.expected["accuracy"][1] > 0 for e in later)


@pytest.mark.slow
def test_a_run_beats_random_sampling_at_the_same_cost(tmp_path, search):
    found = [search(tmp_path / f"g{seed}", changed(seed=seed, budget=20)).hypervolume() for seed in range(2)]
    drawn = [
        search(tmp_path / f"r{seed}", changed(seed=seed, budget=20, tactic="random")).hypervolume() for seed in range(3)
    ]
    assert min(found) > max(drawn)


@pytest.mark.slow
@pytest.mark.parametrize(
    ("objectives", "reference"),
    [
        (("accuracy",), {}),
        (("macs",), {}),
        (("accuracy", "macs", "params"), {}),
        (("accuracy", "latency", "macs", "params"), {}),
        (("macs", "params"), {}),
        (("macs", "accuracy"), {"accuracy": 70.0}),
    ],
)
def test_any_objectives_work(tmp_path, objectives, reference, search):
    run = search(tmp_path / "run", changed(objectives=objectives, reference=reference, budget=20))
    assert run.cost == pytest.approx(20, abs=1)
    assert len(run.front().values[0]) == len(objectives)
    assert bool(run.partial_evaluations) == ("accuracy" in objectives)


@pytest.mark.slow
def test_one_objective_is_climbed(tmp_path, search):
    context = fake_context()
    run = search(tmp_path / "run", changed(objectives=("accuracy",), budget=14), context)
    drawn = build_objectives(("accuracy",), context)[0].values(context.space.sample(500, np.random.default_rng(0)))
    assert run.values.max() > drawn.max()


def test_what_cannot_be_measured_on_a_share_is_not_evaluated_in_part():
    archive = measured_archive(fake_context(), 12)
    problem = replace(archive.problem, objectives=(Indivisible(archive.space), archive.objectives[1]))
    archive = replace(archive, problem=problem)
    batch = build(CONFIG).ask(archive, 4, np.random.default_rng(0), 3)
    assert (batch.shares == 1.0).all()
    assert len(batch.rows) == 4
    first = build(CONFIG).ask(Archive.of(archive.space, problem), 4, np.random.default_rng(0), 0)
    assert first.shares.tolist() == [1.0] * 4


@pytest.mark.slow
@pytest.mark.parametrize("share", [0.02, 0.3, 0.35, 0.7])
def test_any_share_is_spent_within_the_round(tmp_path, share, search):
    run = search(tmp_path / "run", changed(partial_share=share, budget=20, population=3))
    assert {e.share for e in run.partial_evaluations} == {share}
    assert any(e.is_full for e in run.evaluations)
    for number in {e.round for e in run.evaluations}:
        assert sum(e.share for e in run.evaluations if e.round == number) <= 3 + 1e-9


@pytest.mark.parametrize("population", [1, 2, 9])
def test_any_population_works(tmp_path, population, search):
    run = search(tmp_path / "run", changed(population=population, budget=10))
    assert run.front().architectures


@pytest.mark.parametrize("population", [1, 2, 4])
@pytest.mark.parametrize("share", [0.02, 0.5])
@pytest.mark.parametrize("objectives", [("accuracy", "macs"), ("macs", "params")])
def test_a_space_of_six_is_never_asked_for_more(tmp_path, six, six_context, population, share, objectives, search):
    config = changed(space="six", budget=6, population=population, partial_share=share, objectives=objectives)
    run = search(tmp_path / "run", config, six_context)
    rows = [e.indices for e in run.evaluations]
    assert set(rows) <= {tuple(row) for row in every_architecture(six).tolist()}
    for kind in (True, False):
        some = [e.indices for e in run.evaluations if e.is_full is kind]
        assert len(set(some)) == len(some)
    assert sum(e.is_full for e in run.evaluations) >= 3


@pytest.mark.slow
def test_rows_that_break_constraints_are_chosen_last(tmp_path, search):
    config = changed(constraints=("macs<=2M",), budget=16)
    run = search(tmp_path / "run", config)
    chosen = [e for e in run.evaluations if e.is_full and e.expected]
    assert chosen
    assert all(e.values["macs"] <= 2e6 for e in chosen)


@pytest.mark.slow
def test_a_region_is_where_it_measures(tmp_path, search):
    context = fake_context()
    bound = float(np.quantile(context.space.macs(context.space.sample(500, np.random.default_rng(0))), 0.1))

    def inside(name, *region):
        run = search(tmp_path / name, changed(region=region, budget=24))
        chosen = [e for e in run.evaluations if e.is_full and e.expected]
        return run, sum(e.values["macs"] <= bound for e in chosen) / len(chosen)

    _, anywhere = inside("anywhere")
    run, concentrated = inside("region", f"macs<={bound}")
    assert concentrated > max(0.7, anywhere)
    assert run.hypervolume() > 0


@pytest.mark.slow
def test_what_is_better_than_a_regions_better_side_is_worth_no_more(tmp_path, search):
    context = fake_context()
    least = float(np.quantile(context.space.macs(context.space.sample(500, np.random.default_rng(0))), 0.5))
    run = search(tmp_path / "run", changed(region=(f"macs>={least}",), budget=24))
    chosen = [e.values["macs"] for e in run.evaluations if e.is_full and e.expected]
    assert np.median(chosen) > 0.8 * least
