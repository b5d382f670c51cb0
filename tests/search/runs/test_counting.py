"""Runs whose partial evaluations are exact enough to count in the front."""

import shutil
from dataclasses import dataclass, replace

import numpy as np
import pytest

from gnomon.search import SearchConfig, load_run, search_in_context
from gnomon.search.fronts import counting
from gnomon.search.fronts.counting import FEWEST_PAIRS
from gnomon.search.runs.counting import counted_from, least_counting_share
from gnomon.search.runs.growing import gain
from gnomon.search.runs.measured import as_measured, feasible_volume, measured_of
from gnomon.search.testing.contracts import AnalyticSupernet, fake_context
from gnomon.supernets.data.labelled import rows_of_share
from gnomon.supernets.evaluation.deciding import DecidingExamples, Outcomes, evaluate_on
from gnomon.supernets.space.space import Architecture

pytestmark = pytest.mark.slow

EXAMPLES = 2000
PROVENANCE = {"checkpoint_sha256": "0" * 64, "examples_sha256": "e" * 64}
CONFIG = SearchConfig(space="fashion_mnist", objectives=("accuracy", "macs"), budget=9, partial_share=0.1)
OTHER = CONFIG.model_copy(update={"seed": 1, "budget": 3})


@dataclass(frozen=True)
class Imaged(AnalyticSupernet):
    """Images with a difficulty each; a network is right about those below its accuracy, but for noise of its own."""

    has_outcomes: bool = True
    noise: float = 0.005

    def evaluate(self, architecture, split="validation", share=1.0, *, precision="fp32"):
        rows = rows_of_share(EXAMPLES, share) if share < 1.0 else None
        return self.outcomes(architecture, split, rows, precision=precision).percent

    def outcomes(self, architecture, split="validation", rows=None, *, precision="fp32"):
        accuracy = AnalyticSupernet(self.space).evaluate(architecture, split) / 100
        own = np.random.default_rng(list(architecture.indices)).normal(0.0, self.noise, EXAMPLES)
        margin = accuracy - np.random.default_rng(0).random(EXAMPLES) + own
        every = Outcomes(margin > 0, np.abs(margin).astype(np.float16))
        return every if rows is None else Outcomes(every.right[rows], every.margins[rows])


def search(folder, config=CONFIG, noise=0.005):
    context = fake_context()
    context = replace(context, supernet=Imaged(context.space, noise=noise))
    return search_in_context(context, config, folder, provenance=PROVENANCE)


@pytest.fixture(scope="module")
def run(tmp_path_factory):
    return search(tmp_path_factory.mktemp("counting") / "run")


def test_a_small_budget_buys_a_front_of_more_points_than_full_validations(run):
    full = sum(evaluation.is_full for evaluation in run.evaluations)
    assert run.cost <= run.config.budget
    assert full < run.config.budget < len(run.measured)
    assert any(measured.share < 1.0 for measured in run.measured if measured.architecture.id in run.front().ids)
    assert f"{len(run.measured) - full} of them count in the front" in run.effort


def test_each_architecture_counts_once_and_by_its_most_exact_evaluation(run):
    best = {}
    for evaluation in run.evaluations:
        best[evaluation.indices] = max(best.get(evaluation.indices, 0.0), evaluation.share)
    least = least_counting_share(run.header, None, run.evaluations)
    assert {e.indices: e.share for e in run.counted} == {row: share for row, share in best.items() if share >= least}
    assert len(run.counted) == len({e.indices for e in run.counted}) == len(run.hypervolume_trace())
    assert len(run.cost_trace()) == len(run.counted)
    assert run.cost_trace()[-1] == pytest.approx(run.cost)


def test_the_table_and_the_front_say_how_each_member_was_evaluated(run):
    from gnomon.cli.printing.front import record_of

    table = run.table()
    at, share = table.columns.index("on_front"), table.columns.index("share")
    listed = [row[share] for row in table.rows if row[at]]
    record = record_of(run, None, None)
    assert sorted(listed) == sorted(member["share"] for member in record["front"])
    assert len(listed) == len(run.front().ids)


def test_where_the_error_is_large_full_validations_alone_count(tmp_path):
    noisy = search(tmp_path / "run", noise=5.0)
    assert noisy.partial_evaluations
    assert all(evaluation.is_full for evaluation in noisy.counted)


def test_a_run_that_was_stopped_goes_on_to_the_same_front(run, tmp_path):
    for budget in (4, 7, 9):
        stopped = search(tmp_path / "run", CONFIG.model_copy(update={"budget": budget}), noise=0.005)
        assert stopped.cost <= budget
    first = load_run(tmp_path / "run")
    assert first.header.opening_budget == 4  # to which the first rounds were fitted
    half = tmp_path / "half"
    half.mkdir()
    (half / "run.json").write_bytes((run.folder / "run.json").read_bytes())
    lines = (run.folder / "evaluations.jsonl").read_bytes().splitlines(keepends=True)
    (half / "evaluations.jsonl").write_bytes(b"".join(lines[: len(lines) * 2 // 3]))
    again = search(half)
    assert [(e.indices, e.share, e.values) for e in again.evaluations] == [
        (e.indices, e.share, e.values) for e in run.evaluations
    ]
    assert again.front().ids == run.front().ids


def test_the_hypervolume_that_grows_is_that_of_what_counts(run, monkeypatch):
    found = []
    monkeypatch.setattr(gain, "counted_from", lambda *known: found.append(known) or counted_from(*known))
    growing = gain.CountedVolume(run.problem, run.header, None)
    number = 0
    for made, evaluation in enumerate(run.evaluations, 1):
        growing.add(evaluation)
        known = measured_of(run.header, None, run.evaluations[:made])
        assert growing.value == pytest.approx(feasible_volume(run.problem, known))
        number += evaluation.is_partial and known[-1].architecture.indices == evaluation.indices
    assert number > 10
    assert len(found) < len(run.evaluations) - number / 2  # most of those that count are only added
    again = gain.CountedVolume(run.problem, run.header, None, run.evaluations)
    assert again.value == pytest.approx(growing.value) == pytest.approx(run.hypervolume())


def test_partial_evaluations_that_count_are_judged_with_their_own_error(run):
    [quality] = run.predictor_quality()
    judged = [evaluation for evaluation in run.counted if evaluation.expected]
    assert quality.overall.n == len(judged)
    assert quality.overall.partial == sum(evaluation.is_partial for evaluation in judged) > 0
    exact = {evaluation.indices: evaluation for evaluation in sorted(run.evaluations, key=lambda one: one.share)}
    pairs = [(part, exact[part.indices]) for part in run.partial_evaluations if part.share < exact[part.indices].share]
    errors = [
        (part.values["accuracy"] - other.values["accuracy"]) ** 2 / (1 / part.share - 1 / other.share)
        for part, other in pairs
    ]
    assert len(errors) >= FEWEST_PAIRS
    shares = np.array([evaluation.share for evaluation in judged if evaluation.is_partial])
    assert quality.overall.own_error == pytest.approx(np.sqrt(np.mean(errors) * np.mean(1 / shares - 1)))
    assert f"{quality.overall.partial} partial evaluations predicted beforehand, which have" in str(quality)


def test_a_run_that_is_extended_is_judged_by_its_budget_of_now(run, tmp_path, monkeypatch):
    asked = []
    from_pairs = counting.share_from
    monkeypatch.setattr(counting, "share_from", lambda *known: asked.append(known[-1]) or from_pairs(*known))
    folder = shutil.copytree(run.folder, tmp_path / "run")
    larger = CONFIG.model_copy(update={"budget": 12})
    further = search(folder, larger)
    first = max(evaluation.round for evaluation in run.evaluations) + 1
    assert (further.header.opening_budget, further.header.budgets) == (9, ((first, 12),))
    assert further.evaluations[: len(run.evaluations)] == run.evaluations
    assert set(asked) == {12}  # the run of before ended with a round
    asked.clear()
    assert load_run(folder).counted == further.counted
    assert set(asked) == {12}
    lines = (folder / "evaluations.jsonl").read_bytes().splitlines(keepends=True)
    for kept in (len(run.evaluations) - 3, len(run.evaluations) + 2):
        (folder / "evaluations.jsonl").write_bytes(b"".join(lines[:kept]))
        asked.clear()
        again = search(folder, larger)
        assert set(asked) == ({9, 12} if kept < len(run.evaluations) else {12})  # as rounds were asked for before
        assert [(e.round, e.position, e.indices, e.share) for e in again.evaluations] == [
            (e.round, e.position, e.indices, e.share) for e in further.evaluations
        ]


@pytest.mark.parametrize("changed", [{"version": 6}, {"partial_examples": "random"}, {"opening_budget": None}])
def test_older_runs_and_random_examples_count_full_validations_only(run, changed):
    header = run.header.model_copy(update=changed)
    assert all(one.share == 1.0 for one in measured_of(header, None, run.evaluations))


def started(folder, run, provenance=PROVENANCE, config=OTHER):
    context = fake_context()
    context = replace(context, supernet=Imaged(context.space))
    return search_in_context(context, config, folder, provenance=provenance, start_from=run)


def places(run):
    return [(e.round, e.position, e.indices, e.share, e.values) for e in run.evaluations]


@pytest.fixture(scope="module")
def second(run, tmp_path_factory):
    """A run that started from the other."""
    return started(tmp_path_factory.mktemp("second") / "run", run)


def test_a_run_that_starts_from_values_without_pilots_takes_random_examples_and_says_so(run, tmp_path):
    begun = started(tmp_path / "run", run, provenance={"checkpoint_sha256": "0" * 64})
    assert begun.start.counted
    assert not begun.start.header.pilots
    assert begun.header.partial_examples == "random"
    assert all(measured.share == 1.0 for measured in begun.measured)
    assert "on random examples" in begun.effort or not begun.partial_evaluations


def test_a_warm_start_takes_partial_evaluations_with_the_pilots_they_were_made_by(run, second):
    partial = [(e.indices, e.share, e.values["accuracy"]) for e in run.partial_evaluations]
    taken = [(r.indices, r.share, r.values["accuracy"]) for r in second.start.counted_in_part]
    assert taken == partial
    assert second.start.header.pilots == tuple(e.outcomes for e in run.evaluations if e.outcomes)
    assert f"and {len(partial)} of its partial evaluations count" in str(second.start)
    assert not any(e.outcomes for e in second.evaluations)
    examples = DecidingExamples.of([kept.read() for kept in second.start.header.pilots])
    supernet = Imaged(second.space())
    assert second.partial_evaluations
    for one in second.partial_evaluations:
        architecture = Architecture(second.config.space, one.indices)
        assert one.values["accuracy"] == evaluate_on(supernet, architecture, "validation", examples, one.share)


def test_what_was_evaluated_both_ways_tells_the_new_run_which_count(run, second):
    assert least_counting_share(second.header, second.start, ()) == least_counting_share(
        run.header, None, run.evaluations
    )
    counting = {(m.architecture.indices, m.share) for m in run.measured}
    assert {
        (m.architecture.indices, m.share) for m in as_measured(second.header, second.start, (), run.least_share)
    } == counting
    growing = gain.CountedVolume(second.problem, second.header, second.start)
    assert growing.value == pytest.approx(run.hypervolume())
    for made, evaluation in enumerate(second.evaluations, 1):
        growing.add(evaluation)
        known = measured_of(second.header, second.start, second.evaluations[:made])
        assert growing.value == pytest.approx(feasible_volume(second.problem, known))
    assert len({m.architecture for m in second.measured}) == len(second.measured)
    assert second.hypervolume() >= run.hypervolume()
    assert len(second.hypervolume_trace()) == len(second.counted)


@pytest.mark.parametrize("kept", [0, 3])
def test_a_run_with_partial_evidence_resumes_and_stands_alone(second, tmp_path, kept):
    folder = shutil.copytree(second.folder, tmp_path / "run")
    lines = (folder / "evaluations.jsonl").read_bytes().splitlines(keepends=True)
    (folder / "evaluations.jsonl").write_bytes(b"".join(lines[:kept]))
    context = fake_context()
    context = replace(context, supernet=Imaged(context.space))
    again = search_in_context(context, OTHER, folder, provenance=PROVENANCE)
    assert places(again) == places(second)
    assert load_run(folder).measured == second.measured


def test_evidence_of_evidence_is_taken_too(second, tmp_path):
    third = started(tmp_path / "run", second, config=OTHER.model_copy(update={"seed": 2, "budget": 1}))
    assert len(third.start.counted_in_part) == len(second.start.counted_in_part) + len(second.partial_evaluations)
    assert third.start.header.pilots == second.start.header.pilots


@pytest.mark.parametrize(
    ("provenance", "settings", "why"),
    [
        ({"examples_sha256": None}, {}, "it is not known that both have the same validation examples"),
        ({}, {"partial_share": 1.0}, "they are on deciding examples, and here they are on random ones"),
        ({"examples_sha256": "f" * 64}, {}, "its validation examples are eeeeeeeeeeee, here they are ffffffffffff"),
    ],
)
def test_partial_evaluations_on_other_examples_are_not_taken(run, tmp_path, provenance, settings, why):
    config = OTHER.model_copy(update={"budget": 1, **settings})
    other = started(tmp_path / "run", run, PROVENANCE | provenance, config)
    assert why in str(other.start)
    assert not other.start.counted_in_part
    assert not other.start.header.pilots
    full = {evaluation.indices for evaluation in run.evaluations if evaluation.is_full}
    values_count = "examples are" not in why
    assert {record.indices for record in other.start.counted} == (full if values_count else set())


def test_partial_evaluations_of_an_earlier_format_are_not_taken(run, tmp_path):
    old = replace(run, header=run.header.model_copy(update={"version": 9}))
    other = started(tmp_path / "run", old, config=OTHER.model_copy(update={"budget": 1}))
    assert "as format version 9 evaluated in part in another way" in str(other.start)
    assert not other.start.counted_in_part
    assert {record.indices for record in other.start.counted} == {e.indices for e in run.evaluations if e.is_full}
