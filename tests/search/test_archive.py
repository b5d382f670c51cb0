import numpy as np
import pytest

from gnomon.search import SearchConfig, Study, load_run, search_in_context
from gnomon.search.archive import Archive, every_architecture
from gnomon.search.errors import SpaceExhausted
from gnomon.search.problem.build import build_objectives
from gnomon.search.tactic import TACTICS
from gnomon.search.testing.contracts import fake_context, measured_archive, problem_of


def of_six(budget, **changes):
    return SearchConfig(
        space="six", objectives=("accuracy", "macs"), population=4, inner_evaluations=40, budget=budget, **changes
    )


def test_every_architecture_lists_each_network_once(six):
    assert len(every_architecture(six)) == 6
    assert six.size == 8


def test_unseen_drops_repeats_measured_rows_and_other_spellings(six, six_context):
    objectives = build_objectives(("macs",), six_context)
    archive = Archive.of(six, problem_of(six, objectives), measured=[(0, (0, 0, 0), (1.0,))])
    rows = np.array([[0, 1, 0], [1, 1, 0], [1, 0, 0], [1, 1, 1]])
    assert archive.unseen(rows).tolist() == [[1, 0, 0], [1, 1, 1]]


def test_topping_up_keeps_what_was_wanted_first():
    archive = measured_archive(fake_context(), 5)
    wanted = archive.space.sample(3, np.random.default_rng(8))
    found = archive.topped_up(np.concatenate([archive.indices, wanted]), 6, np.random.default_rng(0))
    assert np.array_equal(found[:3], wanted)
    assert len(archive.unseen(found)) == 6


def test_what_failed_is_seen_but_has_no_values(six, six_context):
    objectives = build_objectives(("macs",), six_context)
    archive = Archive.of(six, problem_of(six, objectives), measured=[(0, (0, 0, 0), (1.0,))], failed=[(1, 1, 1)])
    assert archive.unseen(np.array([[0, 0, 0], [1, 1, 1], [1, 0, 1]])).tolist() == [[1, 0, 1]]
    assert archive.values.shape == (1, 1)
    with pytest.raises(SpaceExhausted, match="has 6 distinct architectures, and 7") as raised:
        archive.topped_up(archive.indices, 5, np.random.default_rng(0))
    assert raised.value.available == 6


def test_a_run_ends_where_failures_leave_no_more_of_the_space(tmp_path, six):
    with Study(of_six(6, tactic="random"), tmp_path / "run", space=six) as study:
        while not study.done:
            for trial in study.ask():
                study.tell(trial, failed="lost") if trial.position == 1 else study.tell(trial, accuracy=90.0)
        assert (study.run.cost, len(study.run.failures)) == (6.0, 2)


def test_evidence_that_covers_the_space_ends_a_run_at_once(tmp_path, six, six_context):
    known = {"checkpoint_sha256": "c", "data": None}
    whole = search_in_context(six_context, of_six(6, tactic="random"), tmp_path / "whole", provenance=known)
    run = search_in_context(six_context, of_six(6), tmp_path / "run", provenance=known, start_from=whole)
    assert (len(run.evaluations), len(run.measured), run.stop.reason) == (0, 6, "space")
    assert run.front() == whole.front()


@pytest.mark.parametrize("tactic", TACTICS.names())
def test_a_small_space_is_measured_to_the_last_network(tmp_path, six, six_context, tactic):
    run = search_in_context(six_context, of_six(6, tactic=tactic), tmp_path / "run", provenance={})
    measured = sorted(evaluation.indices for evaluation in run.evaluations)
    assert measured == [tuple(row) for row in every_architecture(six).tolist()]


@pytest.mark.parametrize("tactic", TACTICS.names())
@pytest.mark.parametrize("budget", [7, 10**9])
def test_a_budget_beyond_the_space_is_all_of_it(tmp_path, six, six_context, tactic, budget):
    shown = []
    config = of_six(budget, tactic=tactic, partial_share=1.0)
    run = search_in_context(six_context, config, tmp_path / "run", provenance={}, on_progress=shown.append)
    assert len(run.values) == len(every_architecture(six)) == 6
    assert run.stop.reason == "space"
    assert run.stop.said == "all 6 distinct architectures of space 'six' are measured"
    assert {progress.budget for progress in shown} == {6}
    assert run.header.opening_budget == 6
    assert load_run(tmp_path / "run") == run


def test_an_exhausted_archive_says_how_many_there_are(six, six_context):
    objectives = build_objectives(("macs",), six_context)
    measured = [(0, row, (1.0,)) for row in every_architecture(six)[:4]]
    archive = Archive.of(six, problem_of(six, objectives), measured=measured)
    with pytest.raises(SpaceExhausted, match="has 6 distinct architectures, and 7") as raised:
        archive.topped_up(archive.indices, 3, np.random.default_rng(0))
    assert raised.value.available == 6


def test_a_run_of_one_evaluation_has_a_front(tmp_path, six_context):
    search_in_context(six_context, of_six(1), tmp_path / "run", provenance={})
    assert len(load_run(tmp_path / "run").front().architectures) == 1
