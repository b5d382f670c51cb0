"""Runs that stop before their budget is spent, say so, and go on when they may."""

import json
from dataclasses import replace

import pytest

from gnomon.search import SearchConfig, load_run, search_in_context
from gnomon.search.errors import InvalidConfig, RunDamaged
from gnomon.search.problem.build import build_objectives
from gnomon.search.session import Session
from gnomon.search.testing.contracts import AnalyticSupernet, fake_context

CONFIG = SearchConfig(
    space="fashion_mnist", objectives=("accuracy", "macs"), budget=24, population=4, tactic="evolutionary"
)
STOP_OF_VERSION_9 = '{"schema": "gnomon.run", "version": 9, "reason": "time", "said": "", "cost": 1, "elapsed_s": 1}'


class Clock:
    """A clock that the test moves."""

    now = 1000.0

    def __call__(self):
        return self.now


def search(folder, **changes):
    return search_in_context(fake_context(), CONFIG.model_copy(update=changes), folder, provenance={})


def session_of(folder, clock, **changes):
    context = fake_context()
    objectives = build_objectives(CONFIG.objectives, context)
    config = CONFIG.model_copy(update=changes)
    return Session(context.space, config, folder, objectives=objectives, provenance={}, clock=clock)


def measured_for(session, clock, seconds):
    """Measure, each for so many seconds, until the session is over; return how many."""
    count = 0
    while trials := session.pending():
        clock.now += seconds
        values = {"accuracy": 80.0 + count, "macs": 1e6}
        session.record(trials[0], values, seconds=seconds)
        count += 1
    return count


def rows(run):
    return [(e.round, e.position, e.indices, e.values) for e in run.evaluations]


@pytest.fixture(scope="module")
def whole(tmp_path_factory):
    return search(tmp_path_factory.mktemp("whole") / "run")


def test_a_run_says_that_its_budget_is_spent(whole):
    stop = load_run(whole.folder).stop
    assert (stop.reason, stop.cost, stop.said) == ("budget", 24.0, "24 of 24 full validations are spent")


def test_time_is_not_exceeded_by_a_measurement_that_would_take_too_long(tmp_path):
    clock = Clock()
    session = session_of(tmp_path / "run", clock, stop_after_s=35.0)
    assert measured_for(session, clock, 10.0) == 3
    stop = session.run.stop
    assert stop.reason == "time"
    assert "has taken 30 s, and the next validation (about 10 s) would end after the 35 s allowed" in stop.said


def test_time_goes_on_counting_in_another_session(tmp_path):
    clock = Clock()
    for allowed, more in ((35.0, 3), (35.0, 0), (52.0, 2), (1000.0, 19)):
        session = session_of(tmp_path / "run", clock, stop_after_s=allowed)
        assert measured_for(session, clock, 10.0) == more
        assert load_run(tmp_path / "run") == session.run
        session.close()
        clock.now += 500.0  # between sessions no time counts
    assert session.run.stop.reason == "budget"


def test_a_first_measurement_is_always_made(tmp_path):
    assert len(search(tmp_path / "run", stop_after_s=5.0).evaluations) >= 1


def test_a_run_stopped_by_time_goes_on_to_the_same_trajectory(tmp_path, whole):
    context = fake_context()
    slow = replace(context, supernet=AnalyticSupernet(context.space, 0.1))
    for allowed in (0.35, 0.8, None):
        run = search_in_context(
            slow if allowed else context,
            CONFIG.model_copy(update={"stop_after_s": allowed}),
            tmp_path / "run",
            provenance={},
        )
        assert run.stop.reason == ("time" if allowed else "budget")
        assert rows(run) == rows(whole)[: len(run.evaluations)]
    assert rows(run) == rows(whole)


def test_too_little_gain_ends_a_run_and_more_patience_goes_on(tmp_path, whole):
    volumes = whole.hypervolume_trace()
    stopped = search(tmp_path / "run", stop_gain=10.0, patience=6)
    assert stopped.stop.reason == "gain"
    assert len(stopped.evaluations) == 8  # the end of the first round with more than six
    gain = 100 * (volumes[7] / volumes[1] - 1)
    assert f"the last 6 full validations gained {gain:.2g} % of hypervolume, less than the 1e+03 %" in stopped.stop.said
    again = search(tmp_path / "run", stop_gain=10.0, patience=6)
    assert again.evaluations == stopped.evaluations
    further = search(tmp_path / "run", stop_gain=10.0, patience=10)
    assert len(further.evaluations) == 12
    assert rows(search(tmp_path / "run")) == rows(whole)
    assert load_run(tmp_path / "run").stop.reason == "budget"


def test_a_gain_above_the_least_does_not_end_a_run(tmp_path, whole):
    run = search(tmp_path / "run", stop_gain=1e-9, patience=23)
    assert rows(run) == rows(whole)
    assert run.stop.reason == "budget"


def test_how_a_run_stopped_is_no_part_of_what_it_is(tmp_path):
    search(tmp_path / "run", budget=4)
    (tmp_path / "run" / "stop.json").unlink()
    assert load_run(tmp_path / "run").stop is None
    assert search(tmp_path / "run", budget=4).stop.reason == "budget"


@pytest.mark.parametrize("budget", [4, 5, 7])
def test_the_last_of_a_budget_is_spent_on_what_fits(tmp_path, third_party, budget):
    halves = {"tactic": "alternating", "partial_share": 0.5}  # 3 a round: a half, a whole, a half, a whole
    run = search(tmp_path / "run", budget=budget, **halves)
    assert run.cost == budget
    assert (run.stop.reason, run.stop.cost) == ("budget", budget)
    assert search(tmp_path / "run", budget=budget, **halves).evaluations == run.evaluations
    assert load_run(tmp_path / "run").evaluations == run.evaluations
    further = search(tmp_path / "run", budget=9, **halves)
    assert sorted(rows(further)) == sorted(rows(search(tmp_path / "whole", budget=9, **halves)))
    assert further.cost == 9.0


def test_what_is_left_where_nothing_fits_stays_unspent(tmp_path, third_party):
    settings = {"tactic": "multi_fidelity", "partial_share": 0.35, "population": 3}  # a round: 1, four of .35
    run = search(tmp_path / "run", budget=3, **settings)
    assert run.cost == pytest.approx(2.75)
    assert (run.stop.reason, run.stop.said) == ("budget", "2.75 of 3 full validations are spent")
    assert search(tmp_path / "run", budget=3, **settings).evaluations == run.evaluations
    further = search(tmp_path / "run", budget=8, **settings)
    assert sorted(rows(further)) == sorted(rows(search(tmp_path / "whole", budget=8, **settings)))


def test_a_run_that_goes_on_is_not_said_to_have_stopped(tmp_path):
    clock = Clock()
    session = session_of(tmp_path / "run", clock, budget=4)
    measured_for(session, clock, 1.0)
    session.close()
    session = session_of(tmp_path / "run", clock, budget=8)
    assert session.pending()
    assert load_run(tmp_path / "run").stop is None
    session.close()


@pytest.mark.parametrize("content", ["{", "[]", '{"reason": "mood"}', STOP_OF_VERSION_9])
def test_a_damaged_stop_is_named(tmp_path, content):
    search(tmp_path / "run", budget=4)
    (tmp_path / "run" / "stop.json").write_text(content)
    with pytest.raises(RunDamaged, match=r"stop\.json"):
        load_run(tmp_path / "run")


def test_a_stop_is_plain_json(whole):
    content = json.loads((whole.folder / "stop.json").read_text())
    assert (content["schema"], content["version"], content["reason"]) == ("gnomon.run", 2, "budget")


@pytest.mark.parametrize(
    ("field", "value"),
    [
        ("stop_after_s", 0.0),
        ("stop_after_s", float("inf")),
        ("stop_gain", -1.0),
        ("stop_gain", float("nan")),
        ("patience", 0),
        ("partial_share", 0.0),
        ("partial_share", 1.01),
        ("partial_share", float("nan")),
    ],
)
def test_settings_that_stop_nothing_are_refused(field, value):
    with pytest.raises(InvalidConfig, match=f"{field}=") as raised:
        SearchConfig(space="fashion_mnist", **{field: value})
    assert raised.value.field == field
