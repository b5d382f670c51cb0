"""Several processes take turns: each makes its share of the visits to every model, and the last one ends the run."""

from dataclasses import replace

import pytest

from gnomon.profilers import TimingPolicy, read_results
from gnomon.profilers.exits import DONE, FRESH
from gnomon.profilers.timing.plan import read_plan
from gnomon.profilers.worker import time_limit, worker
from gnomon.profilers.worker.due import DueVisits
from gnomon.profilers.worker.execution import FreshProcessWanted

MODELS = {f"layer{number}": {"us": [100.0 + number]} for number in range(12)}
POLICY = TimingPolicy(min_passes=6, max_passes=9, clean_blocks=12, processes=3)


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


def recorded(tmp_path):
    return read_results(tmp_path / "results.jsonl")


def visits_by_session(results):
    found = {session.id: {} for session in results.sessions}
    for visit in results.visits:
        if visit.role != "anchor":
            found[visit.session].setdefault(visit.key, []).append(visit.step.pass_index)
    return list(found.values())


def test_every_process_visits_every_model(work, make_plan, tmp_path):
    plan = make_plan(policy=POLICY, **MODELS)
    for number in (1, 2):
        with pytest.raises(FreshProcessWanted):
            work(plan)
        assert len(recorded(tmp_path).turns) == number
        assert not recorded(tmp_path).is_complete
    assert work(plan)
    results = recorded(tmp_path)
    assert results.is_complete
    first, second, third = visits_by_session(results)
    assert set(first) == set(second) == set(third) == set(MODELS)
    assert all(len(passes) >= 2 for turn in (first, second, third) for passes in turn.values())
    assert work(plan)  # what is complete stays as it is
    assert recorded(tmp_path) == results


def test_a_turn_that_was_stopped_is_finished_before_the_next_one(work, make_plan, tmp_path):
    plan = make_plan(policy=POLICY, **MODELS)
    with pytest.raises(FreshProcessWanted):
        work(plan)
    assert not work(plan, stop_after=5)
    with pytest.raises(FreshProcessWanted):
        work(plan)
    assert work(plan)
    results = recorded(tmp_path)
    assert (len(results.sessions), len(results.turns)) == (4, 2)
    steps = [visit.step for visit in results.visits if visit.step.slot >= 0]
    assert len(set(steps)) == len(steps)
    _, stopped, resumed, _ = visits_by_session(results)
    assert all(len(stopped.get(key, [])) + len(resumed.get(key, [])) >= 2 for key in MODELS)


@pytest.mark.parametrize("policy", [{"processes": 1}, {"processes": 3, "time_cap_s": 1e-6}])
def test_one_process_makes_all_visits_where_nobody_asked_for_more_or_the_time_is_over(
    work, make_plan, tmp_path, policy
):
    assert work(make_plan(policy=TimingPolicy(min_passes=4, max_passes=5, **policy), **MODELS))
    assert recorded(tmp_path).turns == ()
    (visits,) = visits_by_session(recorded(tmp_path))
    assert {len(passes) >= 4 for passes in visits.values()} == {policy["processes"] == 1}


@pytest.mark.parametrize(("load_ms", "is_followed"), [(100.0, True), (3_000.0, False)])
def test_a_process_is_followed_only_where_loading_everything_again_fits_into_the_time(
    make_plan, load_ms, is_followed, work, tmp_path
):
    plan = make_plan(policy=replace(POLICY, time_cap_s=30.0), **MODELS)
    with pytest.raises(FreshProcessWanted):
        work(plan)
    results = replace(recorded(tmp_path), turns=())
    visits = [replace(visit, load_ms=load_ms) for visit in results.visits if visit.step.pass_index == 0]
    due = DueVisits(read_plan(plan), results, visits=visits, failed_in={}, seconds=lambda: 10.0, has_probe=False)
    assert due.is_followed() is is_followed


def test_what_failed_in_one_process_is_not_tried_in_the_next(work, make_plan, tmp_path):
    plan = make_plan(policy=POLICY, **MODELS, broken={"error": "no such operator"})
    for _ in (1, 2):
        with pytest.raises(FreshProcessWanted):
            work(plan)
    assert work(plan)
    assert [failure.key for failure in recorded(tmp_path).failures] == ["broken"]


def test_the_worker_says_by_its_exit_code_that_it_is_to_be_started_again(backend, make_plan, tmp_path):
    command = [str(make_plan(policy=POLICY, **MODELS)), "--results", str(tmp_path / "results.jsonl")]
    assert [worker.main(command) for _ in range(3)] == [FRESH, FRESH, DONE]


def test_a_long_run_looks_at_no_visit_again_for_each_further_one(work, make_plan, tmp_path, monkeypatch):
    looked = []
    duration_s = time_limit.duration_s
    monkeypatch.setattr(time_limit, "duration_s", lambda visit: looked.append(visit) or duration_s(visit))
    work(make_plan(policy=replace(POLICY, processes=1, min_passes=9, network_visits=1), **MODELS))
    assert len(looked) == len(recorded(tmp_path).visits)


def test_a_process_that_nobody_follows_goes_on_after_its_share(work, make_plan, tmp_path, monkeypatch):
    monkeypatch.setattr(DueVisits, "is_followed", lambda self: False)
    assert work(make_plan(policy=POLICY, **MODELS))
    (visits,) = visits_by_session(recorded(tmp_path))
    assert all(sorted(passes) == list(range(len(passes))) for passes in visits.values())
    assert {len(passes) for passes in visits.values()} == {POLICY.min_passes}


def test_no_more_time_is_announced_than_the_cap_leaves(backend, make_plan, tmp_path):
    plan = make_plan(policy=TimingPolicy(min_passes=4, max_passes=5, processes=1, time_cap_s=1e-6), **MODELS)
    made = []
    worker.run_plan(plan, tmp_path / "results.jsonl", is_stopped=lambda: False, report=made.append)
    assert {event["eta_s"] for event in made} == {0.0}
    assert made[0]["total"] > 1
