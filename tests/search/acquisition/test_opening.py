"""Whether partial evaluations pay is judged by what they said of architectures that were validated too."""

from dataclasses import dataclass

import numpy as np
import pytest

from gnomon.search import SearchConfig, hypervolume
from gnomon.search.acquisition.fidelity import partial_evaluations_pay
from gnomon.search.acquisition.opening import FIRST, FIRST_PARTIAL, PAIRS, TRIAL_PARTIAL
from gnomon.search.archive import Archive
from gnomon.search.problem.build import build_objectives
from gnomon.search.problem.context import SearchContext
from gnomon.search.problem.objective import measure
from gnomon.search.tactics.gnomon import build
from gnomon.search.testing.contracts import AnalyticSupernet, LinearLatency, problem_of
from gnomon.supernets import load_space

pytestmark = pytest.mark.slow

SHARE = 0.1


@dataclass(frozen=True)
class Noisy(AnalyticSupernet):
    """Accuracy whose error on a share of the images has a deviation of its own."""

    deviation: float = 0.0

    def evaluate(self, architecture, split, share=1.0, *, precision="fp32"):
        exact = AnalyticSupernet(self.space).evaluate(architecture, split)
        error = np.random.default_rng(list(architecture.indices)).standard_normal() * self.deviation
        return exact + (error + 0.7 if share < 1.0 else 0.0)


def played(deviation, budget):
    """Return the archive after the tactic spent a budget."""
    space = load_space("fashion_mnist")
    context = SearchContext(space, Noisy(space, deviation=deviation), LinearLatency(space))
    objectives = build_objectives(("accuracy", "latency"), context)
    tactic = build(SearchConfig(space=space.name, partial_share=SHARE, budget=100))
    problem = problem_of(space, objectives)
    measured, partial, spent, number = [], [], 0.0, 0
    while spent < budget:
        archive = Archive.of(space, problem, measured=measured, partial=partial)
        batch = tactic.ask(archive, 4, np.random.default_rng(number), number)
        for row, share in zip(batch.rows, batch.shares):
            values = measure(objectives, row, share)
            (partial if share < 1.0 else measured).append((share if share < 1.0 else number, row, values))
        spent, number = spent + batch.shares.sum(), number + 1
    return Archive.of(space, problem, measured=measured, partial=partial)


@pytest.mark.parametrize(("deviation", "pay"), [(0.0, True), (0.3, True), (30.0, False)])
def test_partial_evaluations_pay_when_they_tell_architectures_apart(deviation, pay):
    assert partial_evaluations_pay(played(deviation, 7), SHARE) is pay


def test_a_search_goes_on_to_partial_evaluation_where_it_pays():
    assert played(0.3, 9).partial.shares.sum() == pytest.approx(FIRST_PARTIAL, abs=SHARE)


def test_a_search_stops_partial_evaluations_where_it_does_not_pay():
    archive = played(30.0, 20)
    assert archive.partial.shares.sum() == pytest.approx(TRIAL_PARTIAL, abs=SHARE)
    assert len(archive.indices) >= FIRST


def test_the_first_validated_were_evaluated_in_part_before():
    archive = played(0.3, 7)
    assert (~archive.not_partially_evaluated(archive.indices)).sum() == PAIRS


def test_nothing_is_judged_without_pairs():
    archive = played(0.0, 3)
    assert len(archive.partial.shares)
    assert not partial_evaluations_pay(archive, SHARE)


def test_of_those_validated_next_half_promise_most_and_half_came_first():
    archive = played(0.0, 3)
    assert (len(archive.indices), archive.partial_cost) == (1, pytest.approx(TRIAL_PARTIAL, abs=SHARE))
    later = played(0.0, 7)
    news, looked = later.indices[1 : 1 + PAIRS], archive.partial.indices
    places = [int(np.flatnonzero((looked == row).all(axis=1))[0]) for row in news]
    assert [place for place in places if place < PAIRS // 2] == [0, 1]
    values = archive.partial.values - np.array([0.7, 0.0])
    promising = [place for place in places if place >= PAIRS // 2]
    drawn = [np.random.default_rng(seed).permutation(len(values))[: len(promising)] for seed in range(50)]

    def volume(rows):
        both = np.concatenate([archive.values, values[rows]])
        return hypervolume(both, archive.directions, archive.problem.reference)

    assert volume(promising) > np.quantile([volume(rows) for rows in drawn], 0.9)
