"""The protocol as a whole, in this process, against the scripted backend."""

import errno
import threading

import pytest

from gnomon.profilers import (
    EnvironmentChanged,
    ModelRejected,
    PlanMismatch,
    ResultsLocked,
    ResultsUnwritable,
    TimingPolicy,
    UnknownBackend,
    UnsupportedConfig,
    read_journal,
    read_results,
)
from gnomon.profilers.testing import sign_journal
from gnomon.profilers.worker import worker
from gnomon.profilers.worker.lock import locked

MODELS = {f"layer{number}": {"us": [100.0 + number]} for number in range(5)}
ANCHOR = {"anchor": {"us": [50.0], "role": "anchor"}}


def test_every_model_gets_its_time(run, make_plan):
    is_done, results, _ = run(make_plan(**MODELS, network={"us": [9_000.0], "role": "network"}, **ANCHOR))
    assert is_done
    assert results.is_complete
    values = {key: measurement.value_us for key, measurement in results.measurements.items()}
    assert values == pytest.approx({**{key: wish["us"][0] for key, wish in MODELS.items()}, "network": 9_000.0})


def test_a_model_is_compiled_once_and_closed_in_the_end(run, make_plan, backend):
    run(make_plan(**MODELS, **ANCHOR))
    assert len(backend.loaded) == len(MODELS) + 1
    assert backend._alive == 0


def test_without_memory_to_keep_models_one_is_alive_at_a_time(run, make_plan, backend):
    policy = TimingPolicy(min_passes=2, max_passes=2, anchor_every=3, keep_mib=0)
    _, results, _ = run(make_plan(policy=policy, **MODELS, **ANCHOR))
    assert len(backend.loaded) == len(results.visits)
    assert backend.most_alive == 1
    assert backend._alive == 0


def test_anchors_are_kept_apart_from_measurements(run, make_plan):
    _, results, _ = run(make_plan(**MODELS, **ANCHOR))
    assert set(results.measurements) == set(MODELS)
    assert len(results.anchors) == 2 * 3
    assert {anchor.value_us for anchor in results.anchors} == {50.0}
    assert {anchor.session for anchor in results.anchors} == {results.sessions[0].id}


def test_precise_models_are_left_alone_and_vague_ones_get_all_passes(run, make_plan, unprobed):
    policy = TimingPolicy(min_passes=3, max_passes=6)
    plan = make_plan(policy=policy, steady={"us": [100.0]}, other={"us": [70.0]})
    _, results, _ = run(plan)
    assert {key: measurement.visits for key, measurement in results.measurements.items()} == {"steady": 3, "other": 3}


def test_a_model_that_will_not_settle_is_visited_until_the_last_pass(run, make_plan, unprobed, monkeypatch):
    monkeypatch.setattr(unprobed, "_script", lambda model: (100.0 + 30.0 * len(unprobed.loaded),))
    policy = TimingPolicy(min_passes=2, max_passes=5, keep_mib=0)
    _, results, _ = run(make_plan(policy=policy, restless={"us": [1.0]}))
    assert results.measurements["restless"].visits == 5


def test_the_time_cap_ends_the_run_but_not_before_every_model_had_a_visit(run, make_plan):
    _, results, _ = run(make_plan(policy=TimingPolicy(time_cap_s=1e-9), **MODELS))
    assert results.is_complete
    assert {key: measurement.visits for key, measurement in results.measurements.items()} == dict.fromkeys(MODELS, 1)


def test_passes_beyond_the_least_end_when_the_run_should_have_settled(run, make_plan, unprobed, monkeypatch):
    monkeypatch.setattr(unprobed, "_script", lambda model: (100.0 + 30.0 * len(unprobed.loaded),))
    policy = TimingPolicy(min_passes=3, max_passes=9, settle_s=1e-9, keep_mib=0)
    _, results, _ = run(make_plan(policy=policy, restless={"us": [1.0]}))
    assert results.measurements["restless"].visits == 3


def test_loops_are_calibrated_once_and_kept(run, make_plan):
    _, results, _ = run(make_plan(**MODELS))
    assert {visit.loops for visit in results.visits if visit.key == "layer0"} == {
        round(TimingPolicy().block_us / 100.0)
    }


def test_a_model_that_fails_is_a_record_and_the_run_goes_on(run, make_plan):
    _, results, _ = run(make_plan(**MODELS, broken={"error": "no such operator"}))
    assert [(failure.key, failure.reason) for failure in results.failures] == [
        ("broken", "ModelRejected: no such operator")
    ]
    assert set(results.measurements) == set(MODELS)


def test_a_failing_anchor_is_tried_once(run, make_plan, backend):
    _, results, _ = run(make_plan(**MODELS, anchor={"error": "broken", "role": "anchor"}))
    assert [failure.key for failure in results.failures] == ["anchor"]
    assert results.is_complete


def test_a_configuration_nobody_can_run_ends_the_run(run, make_plan, backend, monkeypatch):
    def refuse(model, config):
        raise UnsupportedConfig("no such precision here")

    monkeypatch.setattr(backend, "load", refuse)
    with pytest.raises(UnsupportedConfig):
        run(make_plan(**MODELS))


@pytest.mark.parametrize("stop_after", [1, 3, 7, 12])
def test_a_stopped_run_continues_in_the_order_it_would_have_taken(run, make_plan, tmp_path, stop_after):
    plan = make_plan(**MODELS, **ANCHOR)
    _, whole, _ = run(plan)
    (tmp_path / "results.jsonl").unlink()
    is_done, half, _ = run(plan, stop_after=stop_after)
    assert not is_done
    assert len(half.visits) == stop_after
    is_done, resumed, _ = run(plan)
    assert is_done
    regular = [visit.step for visit in resumed.visits if visit.step.slot >= 0]
    assert regular == [visit.step for visit in whole.visits]
    assert len(resumed.sessions) == 2


def test_a_resumed_session_begins_with_an_anchor(run, make_plan):
    plan = make_plan(**MODELS, **ANCHOR)
    run(plan, stop_after=3)
    _, results, _ = run(plan)
    second = [visit for visit in results.visits if visit.session == results.sessions[1].id]
    assert (second[0].key, second[0].step.slot) == ("anchor", -1)


def test_a_finished_run_is_not_run_again(run, make_plan, backend):
    plan = make_plan(**MODELS)
    run(plan)
    loaded = len(backend.loaded)
    assert run(plan)[0]
    assert len(backend.loaded) == loaded


def test_results_of_another_plan_are_refused(run, make_plan):
    run(make_plan(**MODELS))
    with pytest.raises(PlanMismatch, match="choose another results file"):
        run(make_plan(folder="other", lonely={"us": [1.0]}))


@pytest.mark.parametrize(
    ("before", "after", "field"),
    [
        ('"fake":"1.0"', '"fake":"0.9"', "versions.fake was '0.9' and is '1.0'"),
        ('"fake":"1.0"', '"fake":"1.0","driver":"7"', "versions.driver was '7' and is None"),
        ('"cpus":', '"cpus":10', "hardware.cpus was 10"),
        ('"cpu_model":"', '"cpu_model":"another ', "hardware.cpu_model was 'another "),
        ('"threads":1}', '"threads":7}', "options.threads was 7 and is 1"),
    ],
)
def test_a_run_does_not_go_on_in_another_environment(run, make_plan, tmp_path, before, after, field):
    path = tmp_path / "results.jsonl"
    plan = make_plan(**MODELS, **ANCHOR)
    run(plan, stop_after=3)
    header, *records = path.read_text().splitlines(keepends=True)
    path.write_text(header + "".join(records).replace(before, after, 1))
    sign_journal(path)
    kept = path.read_bytes()
    with pytest.raises(EnvironmentChanged, match="begun in another environment") as raised:
        run(plan)
    assert field in str(raised.value)
    assert [change[0] for change in raised.value.changes] == [field.split()[0]]
    assert path.read_bytes() == kept


def test_a_run_goes_on_when_its_first_model_cannot_be_loaded_any_more(run, make_plan, backend, monkeypatch):
    plan = make_plan(**MODELS)
    run(plan, stop_after=3)

    def refuse(model):
        raise ModelRejected("not today")

    monkeypatch.setattr(backend, "_script", refuse)
    is_done, results, _ = run(plan)
    assert is_done
    assert {failure.reason for failure in results.failures} == {"ModelRejected: not today"}


def test_a_full_disk_is_no_failure_of_the_model(run, make_plan, tmp_path, monkeypatch):
    plan = make_plan(**MODELS)
    run(plan, stop_after=2)
    kept = len(read_results(tmp_path / "results.jsonl").visits)

    def refuse(descriptor):
        raise OSError(errno.ENOSPC, "No space left on device")

    with monkeypatch.context() as patch:
        patch.setattr("os.fsync", refuse)
        with pytest.raises(ResultsUnwritable, match=r"ENOSPC .No space left on device.*kept in it") as raised:
            run(plan)
    assert str(tmp_path / "results.jsonl") in str(raised.value)
    is_done, results, _ = run(plan)
    assert is_done
    assert results.failures == ()
    assert kept == 2


def test_a_results_file_that_cannot_be_opened_is_said(run, make_plan, tmp_path):
    (tmp_path / "results.jsonl").mkdir()
    with pytest.raises(ResultsUnwritable, match="EISDIR"):
        run(make_plan(**MODELS))


def test_a_lock_that_is_given_up_in_time_is_waited_for(run, make_plan, tmp_path):
    with locked(tmp_path / "results.jsonl") as lock:
        timer = threading.Timer(0.3, lock.close)
        timer.start()
        assert run(make_plan(**MODELS))[0]
        timer.join()


def test_two_workers_cannot_share_a_results_file(run, make_plan, tmp_path, monkeypatch):
    monkeypatch.setattr(worker, "LOCK_WAIT_S", 0.1)
    with locked(tmp_path / "results.jsonl"), pytest.raises(ResultsLocked):
        run(make_plan(**MODELS))


def test_a_crash_is_blamed_on_the_model_in_flight(run, make_plan, backend, monkeypatch):
    plan = make_plan(**MODELS)

    def die(model):
        raise SystemExit

    with monkeypatch.context() as patch:
        patch.setattr(backend, "_script", die)
        with pytest.raises(SystemExit):
            run(plan)
    _, results, _ = run(plan, crashed="the process died with SIGSEGV")
    assert [failure.reason for failure in results.failures] == ["the process died with SIGSEGV"]
    assert len(results.measurements) == len(MODELS) - 1


def test_a_model_is_given_up_once_it_was_in_flight_three_times(run, make_plan, backend, monkeypatch):
    plan = make_plan(**MODELS)

    def die(model):
        raise SystemExit

    with monkeypatch.context() as patch:
        patch.setattr(backend, "_script", die)
        for _ in range(3):
            with pytest.raises(SystemExit):
                run(plan)
    _, results, _ = run(plan)
    assert [failure.reason for failure in results.failures] == ["the process died or hung 3 times while timing it"]


def test_progress_counts_up_to_the_end(run, make_plan):
    _, _, reports = run(make_plan(**MODELS, **ANCHOR))
    assert [report["done"] for report in reports] == list(range(1, len(reports) + 1))
    assert reports[-1]["done"] == reports[-1]["total"]
    assert set(reports[0]) == {"event", "done", "total", "pass", "eta_s", "key"}


def test_the_records_say_what_the_runtime_and_the_machine_are(run, make_plan, tmp_path):
    _, results, _ = run(make_plan(**MODELS))
    session = results.sessions[0]
    assert session.options == {"threads": 1, "precision": "fp32"}
    assert session.versions["fake"] == "1.0"
    assert session.hardware.cpus
    kinds = [record["record"] for record in read_journal(tmp_path / "results.jsonl")[0]]
    assert kinds[:5] == ["header", "session", "attempt", "options", "visit"]
    assert kinds[-1] == "done"


def test_a_change_of_options_between_models_is_a_warning(run, make_plan, backend, monkeypatch):
    load = backend.load

    def load_changed(model, config):
        executable = load(model, config)
        executable.options["threads"] = len(backend.loaded)
        return executable

    monkeypatch.setattr(backend, "load", load_changed)
    _, results, _ = run(make_plan(policy=TimingPolicy(min_passes=1, max_passes=1), a={"us": [1.0]}, b={"us": [2.0]}))
    assert results.warnings == ("the runtime reported different values of threads for different models: 1, 2",)


def test_an_unknown_backend_is_an_error(make_plan, tmp_path):
    with pytest.raises(UnknownBackend):
        worker.run_plan(make_plan(**MODELS), tmp_path / "r", is_stopped=lambda: False, report=print)
