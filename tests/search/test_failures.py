"""Architectures that cannot be evaluated: recorded, paid for, not asked for again, and never the end of a search."""

import json
from dataclasses import dataclass, replace

import pytest

import gnomon
from gnomon.profilers.errors import DeviceUnreachable, GpuLost
from gnomon.search import SearchConfig, load_run, search_in_context
from gnomon.search.acquisition.opening import FIRST, TRIAL_PARTIAL
from gnomon.search.errors import NothingEvaluates, NothingMeasured
from gnomon.search.loop import FAILURES_TO_STOP
from gnomon.search.tactic import TACTICS
from gnomon.search.testing.contracts import AnalyticSupernet, fake_context
from gnomon.supernets.errors import DataUnavailable, EvaluationImpossible, KernelsDisagree

CONFIG = SearchConfig(
    space="fashion_mnist", objectives=("accuracy", "macs"), budget=24, population=4, inner_evaluations=60
)
OF_NO_ARCHITECTURE = DeviceUnreachable, GpuLost, DataUnavailable, KernelsDisagree, EvaluationImpossible
OUTCOMES = {
    "raises": (RuntimeError("no kernel\nfor this"), "RuntimeError: no kernel for this"),
    "wordless": (KeyError(), "KeyError"),
    "no memory": (MemoryError(), "MemoryError"),
    "text": ("ninety", "the text 'ninety'"),
    "text of a number": ("90", "the text '90'"),
    "nan": (float("nan"), "expected one finite number"),
    "infinite": (float("inf"), "expected one finite number"),
    "nothing": (None, "one finite number"),
}


@dataclass(frozen=True)
class Failing(AnalyticSupernet):
    """Fails for evaluations that `which` picks by (number of the evaluation, share)."""

    outcome: object = None
    which: object = None
    calls: list = None

    def evaluate(self, architecture, split, share=1.0, *, precision="fp32"):
        self.calls.append((architecture.indices, share))
        if not self.which(len(self.calls) - 1, share):
            return super().evaluate(architecture, split, share)
        if isinstance(self.outcome, BaseException):
            raise self.outcome
        return self.outcome


def search(folder, outcome, which, config=CONFIG, **settings):
    context = fake_context()
    supernet = Failing(context.space, outcome=outcome, which=which, calls=[])
    config = config.model_copy(update=settings)
    try:
        return search_in_context(replace(context, supernet=supernet), config, folder, provenance={}), supernet.calls
    except (NothingEvaluates, *OF_NO_ARCHITECTURE, KeyboardInterrupt) as error:
        return error, supernet.calls


@pytest.mark.parametrize("name", OUTCOMES)
def test_an_evaluation_that_fails_is_recorded_with_its_reason_and_the_search_goes_on(tmp_path, name):
    outcome, said = OUTCOMES[name]
    run, calls = search(tmp_path / "run", outcome, lambda number, share: number == 3, tactic="random", budget=8)
    assert [(e.order, e.share) for e in run.failures] == [(3, 1.0)]
    assert said in run.failures[0].failed
    assert "\n" not in run.failures[0].failed
    assert (run.cost, len(run.values)) == (8.0, 7)
    assert len(set(calls)) == len(calls)
    assert load_run(tmp_path / "run") == run


@pytest.mark.slow
@pytest.mark.parametrize("tactic", TACTICS.names())
def test_a_third_that_fails_costs_and_is_not_asked_for_again(tmp_path, tactic):
    run, calls = search(tmp_path / "run", MemoryError(), lambda number, share: number % 3 == 1, tactic=tactic)
    assert len(run.failures) == len([n for n in range(len(calls)) if n % 3 == 1])
    assert 23.0 < run.cost <= 24.0
    failed = {e.indices for e in run.failures}
    assert not any(e.indices in failed for e in run.evaluations if e.failed is None and e.is_full)
    assert run.front().architectures


@pytest.mark.slow
@pytest.mark.parametrize("tactic", TACTICS.names())
def test_a_search_in_which_everything_fails_stops_and_says_so_once(tmp_path, tactic):
    error, calls = search(tmp_path / "run", ValueError("wrong shape"), lambda number, share: True, tactic=tactic)
    assert isinstance(error, NothingEvaluates)
    assert f"none of the first {FAILURES_TO_STOP} evaluations succeeded; each time: ValueError: wrong shape" in str(
        error
    )
    assert len(calls) == FAILURES_TO_STOP
    run = load_run(tmp_path / "run")
    assert len(run.failures) == FAILURES_TO_STOP
    assert len(search(tmp_path / "run", ValueError("wrong shape"), lambda *_: True, tactic=tactic)[1]) == 1
    with pytest.raises(NothingMeasured, match=r"measured nothing yet in full .* failed, the last with: ValueError"):
        run.front()
    assert "measured nothing" in run._repr_html_()
    mended, _ = search(tmp_path / "run", None, lambda number, share: False, tactic=tactic)
    assert mended.front().architectures
    assert len(mended.failures) == FAILURES_TO_STOP + 1


def test_a_budget_that_ends_before_anything_succeeds_is_the_same_error(tmp_path):
    error, calls = search(tmp_path / "run", ValueError("wrong shape"), lambda number, share: True, budget=2)
    assert isinstance(error, NothingEvaluates)
    assert len(calls) == 2


@pytest.mark.parametrize(
    "outcome", [KeyboardInterrupt(), *(kind("no line to the board") for kind in OF_NO_ARCHITECTURE)]
)
def test_what_is_no_fault_of_an_architecture_ends_the_search_unrecorded(tmp_path, outcome):
    error, calls = search(tmp_path / "run", outcome, lambda number, share: number == 3, tactic="random")
    assert error is outcome
    assert len(load_run(tmp_path / "run").evaluations) == 3
    run, again = search(tmp_path / "run", None, lambda number, share: False, tactic="random")
    assert again[0] == calls[3]
    assert not run.failures


@pytest.mark.slow
def test_looks_that_fail_cost_and_end_the_opening_as_others_do(tmp_path):
    run, calls = search(tmp_path / "run", RuntimeError("whole or not at all"), lambda _, share: share < 1, budget=40)
    looks = [e for e in run.failures if e.share < 1]
    assert sum(e.share for e in looks) == pytest.approx(TRIAL_PARTIAL)
    assert len(run.values) == 38 > FIRST
    assert len(set(calls)) == len(calls)
    assert run.cost == pytest.approx(40.0)


@pytest.mark.slow
def test_first_validations_that_fail_end_the_opening_too(tmp_path):
    run, _ = search(tmp_path / "run", RuntimeError("no"), lambda number, _: 0 < number < 14, partial_share=1.0)
    assert len(run.values) == 24 - 13
    assert any(e.expected for e in run.evaluations)


def test_a_study_in_which_everything_fails_asks_for_others_to_the_end(tmp_path):
    config = CONFIG.model_copy(update={"budget": 12})
    with gnomon.Study(config, tmp_path / "run") as study:
        while not study.done:
            for trial in study.ask():
                study.tell(trial, failed="lost")
        assert (study.run.cost, len({e.indices for e in study.run.evaluations})) == (12.0, 12)


@pytest.mark.slow
def test_a_run_cut_among_failures_goes_on_to_the_same_trajectory(tmp_path):
    def fails(folder):
        def which(number, share):
            path = folder / "evaluations.jsonl"
            return path.read_bytes().count(b"\n") % 3 == 1

        return which

    def trajectory(run):
        return [(e.indices, e.share, e.values, e.failed) for e in run.evaluations]

    folder = tmp_path / "run"
    whole, _ = search(folder, MemoryError(), fails(folder))
    path = folder / "evaluations.jsonl"
    lines = path.read_text().splitlines(keepends=True)
    for kept in (1, 2, len(lines) // 2, len(lines) - 1):
        path.write_text("".join(lines[:kept]))
        assert trajectory(search(folder, MemoryError(), fails(folder))[0]) == trajectory(whole)
    assert all(json.loads(line)["failed"] in (None, "MemoryError") for line in lines)
