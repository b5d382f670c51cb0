"""When everything is measured, a second process measures some of it again, and the run ends there."""

import pytest

from gnomon.profilers import TimingPolicy, read_results
from gnomon.profilers.exits import DONE, FRESH
from gnomon.profilers.worker import worker
from gnomon.profilers.worker.execution import FreshProcessWanted

MODELS = {f"layer{number}": {"us": [100.0 + number]} for number in range(12)}
POLICY = TimingPolicy(min_passes=2, max_passes=5, clean_blocks=6, repeated=8)


@pytest.fixture
def work(backend, make_plan, tmp_path):
    def start(plan, *, stop_after=None):
        made = []
        return worker.run_plan(
            plan,
            tmp_path / "results.jsonl",
            is_stopped=lambda: stop_after is not None and len(made) >= stop_after,
            report=made.append,
            may_begin_anew=True,
        )

    return start


def repeated_visits(results):
    return [visit for visit in results.visits if visit.step.pass_index >= POLICY.max_passes and visit.role != "anchor"]


def test_a_second_process_is_asked_for_once_and_ends_the_run(work, make_plan, tmp_path):
    plan = make_plan(policy=POLICY, **MODELS)
    with pytest.raises(FreshProcessWanted):
        work(plan)
    before = read_results(tmp_path / "results.jsonl")
    assert not before.is_complete
    assert len(before.repeated.models) == 8
    assert repeated_visits(before) == []
    assert work(plan)
    after = read_results(tmp_path / "results.jsonl")
    assert after.is_complete
    again = repeated_visits(after)
    assert {visit.key for visit in again} == set(before.repeated.models)
    assert {visit.session for visit in again} == {after.sessions[1].id}
    assert work(plan)  # what is complete stays as it is
    assert len(read_results(tmp_path / "results.jsonl").visits) == len(after.visits)


def test_a_repetition_that_was_stopped_goes_on_where_it_was(work, make_plan, tmp_path):
    plan = make_plan(policy=POLICY, **MODELS)
    with pytest.raises(FreshProcessWanted):
        work(plan)
    assert not work(plan, stop_after=5)
    assert work(plan)
    results = read_results(tmp_path / "results.jsonl")
    steps = [visit.step for visit in results.visits if visit.step.slot >= 0]
    assert len(set(steps)) == len(steps)
    assert len(repeated_visits(results)) == 2 * 8


@pytest.mark.parametrize("policy", [{"repeated": 0}, {"repeated": 8, "time_cap_s": 1e-6}])
def test_nothing_is_repeated_where_nobody_asked_or_the_time_is_over(work, make_plan, tmp_path, policy):
    assert work(make_plan(policy=TimingPolicy(min_passes=2, max_passes=5, **policy), **MODELS))
    assert read_results(tmp_path / "results.jsonl").repeated is None


def test_a_failing_model_is_not_repeated(work, make_plan, tmp_path):
    plan = make_plan(policy=POLICY, **MODELS, broken={"error": "no such operator"})
    with pytest.raises(FreshProcessWanted):
        work(plan)
    assert "broken" not in read_results(tmp_path / "results.jsonl").repeated.models


def test_the_worker_says_by_its_exit_code_that_it_is_to_be_started_again(backend, make_plan, tmp_path):
    command = [str(make_plan(policy=POLICY, **MODELS)), "--results", str(tmp_path / "results.jsonl")]
    assert worker.main(command) == FRESH
    assert worker.main(command) == DONE
