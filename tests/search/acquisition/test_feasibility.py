"""Constraints on costly objectives are a probability: what is predicted to miss by a hair is still measured."""

from dataclasses import dataclass, replace

import numpy as np
import pytest
from scipy.stats import norm

from gnomon.search import SearchConfig
from gnomon.search.acquisition.batch_choice import Choosing
from gnomon.search.acquisition.feasibility import hoped_violation, log_probability
from gnomon.search.archive import Archive
from gnomon.search.prediction.posterior import Posterior
from gnomon.search.problem.build import build_objectives
from gnomon.search.problem.objective import Objective, measure
from gnomon.search.problem.problem import settled
from gnomon.search.tactic import TACTICS
from gnomon.search.testing.contracts import fake_context, measured_archive, problem_of

CONTEXT = fake_context()
ROWS = CONTEXT.space.sample(50, np.random.default_rng(1))


@dataclass(frozen=True)
class Memory(Objective):
    """A costly quantity that is never below 20."""

    floor: float = 1.5e6
    name: str = "memory"
    unit: str = "MiB"
    direction: str = "min"
    costly: bool = True

    def values(self, indices):
        return 20.0 * np.maximum(CONTEXT.space.macs(indices) / self.floor, 1.0)


def archive(*constraints, watched=()):
    objectives = (build_objectives(("accuracy",), CONTEXT)[0], Memory())
    rows = CONTEXT.space.sample(30, np.random.default_rng(0))
    values = np.stack([objective.values(rows) for objective in objectives], axis=1)
    measured = [(0, row, value) for row, value in zip(rows, values)]
    problem = problem_of(CONTEXT.space, objectives, watched, constraints=constraints, reference={"memory": 100.0})
    return Archive.of(CONTEXT.space, problem, measured=measured)


def test_probabilities_are_the_normals_and_multiply():
    known = archive("memory<=20", "accuracy>=80")
    mean, deviation = np.array([[80.5, 20.1], [79.0, 19.0]]), np.array([[1.0, 0.2], [2.0, 0.5]])
    expected = norm.logcdf([0.5, -0.5]) + norm.logcdf([-0.5, 2.0])
    assert log_probability(known, ROWS[:2], mean, deviation) == pytest.approx(expected)


def test_what_is_exact_is_kept_or_broken():
    macs = build_objectives(("macs",), CONTEXT)
    bound = float(np.median(macs[0].values(ROWS)))
    known = archive(f"macs<={bound}", watched=macs)
    found = log_probability(known, ROWS, np.zeros((50, 2)), np.ones((50, 2)))
    assert np.array_equal(found == 0.0, macs[0].values(ROWS) <= bound)
    assert np.isneginf(found[found < 0]).all()


def test_a_deviation_of_luck_is_hoped_for_on_the_right_side():
    known = archive("memory<=20", "accuracy>=80")
    mean = np.array([[79.5, 20.5], [79.5, 22.0], [70.0, 20.5]])
    violations = hoped_violation(known, ROWS[:3], mean, np.ones((3, 2)))
    assert violations == pytest.approx([0.0, 1.0 / 20.0, 9.0 / 80.0])


def test_a_candidate_that_misses_by_a_hair_comes_before_one_that_keeps_the_bound_and_gains_nothing():
    known = archive("memory<=20")
    posterior = Posterior.of(known)
    choosing = Choosing.among(ROWS, known, posterior)
    mean = np.tile([[61.0, 19.9]], (50, 1))  # safe, and behind what is measured
    mean[17] = 94.0, 20.01
    choosing = replace(choosing, mean=mean, predicted=mean, front=np.array([[85.0, 19.0]]))
    assert choosing.best(1, share=1.0) == [17]
    assert len(choosing.front) == 1  # it is predicted to break the bound, so nothing is believed of a front


def test_what_certainly_breaks_a_bound_comes_last():
    known = measured_archive(CONTEXT, 30)
    bound = float(np.quantile(known.objectives[1].values(ROWS), 0.3))
    problem = problem_of(CONTEXT.space, known.objectives, constraints=(f"macs<={bound}",), reference={"macs": 1e9})
    known = replace(known, problem=problem)
    choosing = Choosing.among(ROWS, known, Posterior.of(known))
    order = choosing.best(50, share=1.0)
    kept = known.objectives[1].values(ROWS[order]) <= bound
    assert kept[: kept.sum()].all()


def best_at_the_floor(tactic, seed, population, budget=28):
    """Return the best accuracy that a search finds among what keeps a memory at the least that can be had.

    85 in 100 networks keep it, with the same value: a smooth belief, which has seen nothing below, predicts all of
    them to be a hair above.
    """
    floor = float(np.quantile(CONTEXT.space.macs(CONTEXT.space.sample(2000, np.random.default_rng(0))), 0.85))
    objectives = (build_objectives(("accuracy",), CONTEXT)[0], Memory(floor))
    settings = {"partial_share": 1.0, "inner_evaluations": 600, "reference": {"memory": 60.0}}
    config = SearchConfig(
        space=CONTEXT.space.name, objectives=("accuracy", "memory"), tactic=tactic, seed=seed,
        budget=budget, population=population, **settings, constraints=("memory<=20",),
    )  # fmt: skip
    config, problem = settled(config, CONTEXT.space, objectives)
    built, measured = TACTICS.load(tactic)(config), []
    while len(measured) < budget:
        known = Archive.of(CONTEXT.space, problem, measured=measured)
        number = len(measured) // population
        n = min(population, budget - len(measured))
        for row in built.ask(known, n, np.random.default_rng([seed, number]), number).rows:
            measured.append((number, row, measure(objectives, row)))
    values = np.array([value for *_, value in measured])
    return values[values[:, 1] <= 20.0, 0].max()


@pytest.mark.slow
def test_at_the_least_that_can_be_had_it_comes_within_a_third_of_a_point_of_linas():
    linas = max(best_at_the_floor("linas", seed, 10) for seed in range(2))
    assert min(best_at_the_floor("gnomon", seed, 4) for seed in range(2)) > linas - 0.3
