"""Real worker processes, interrupted in every way a process can be."""

import json
import signal
import subprocess
import sys
import time

import pytest

from gnomon.profilers import read_journal, read_results
from gnomon.profilers.exits import DONE, FAILED, INTERRUPTED, USAGE

MODELS = {f"layer{number}": {"us": [100.0 + number], "sleep_s": 0.02} for number in range(6)}
MODELS["anchor"] = {"us": [50.0], "role": "anchor"}


def start_worker(plan, results):
    command = [sys.executable, "-m", "gnomon.profilers.worker.worker", str(plan), "--results", str(results)]
    return subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)


def wait_for_visits(results, count):
    deadline = time.monotonic() + 60
    while time.monotonic() < deadline:
        if results.exists() and results.read_bytes().count(b'"record":"visit"') >= count:
            return
        time.sleep(0.005)
    raise AssertionError(f"the worker made no {count} visits in a minute")


def finish(worker):
    output, errors = worker.communicate(timeout=60)
    return worker.returncode, output, errors


@pytest.fixture
def results(tmp_path):
    return tmp_path / "results.jsonl"


@pytest.mark.slow
def test_a_worker_killed_at_several_moments_repeats_nothing_and_loses_nothing(fake_backend, make_plan, results, send):
    plan = make_plan(**MODELS)
    for visits in (1, 3, 8, 13):
        worker = start_worker(plan, results)
        wait_for_visits(results, visits)
        send(worker, signal.SIGKILL)
        finish(worker)
    assert finish(start_worker(plan, results))[0] == DONE
    found = read_results(results)
    steps = [visit.step for visit in found.visits if visit.step.slot >= 0]
    assert len(steps) == len(set(steps))
    assert found.is_complete
    assert {key: measurement.visits for key, measurement in found.measurements.items()} == {
        key: 2 for key in MODELS if key != "anchor"
    }
    assert found.failures == ()
    assert len(found.sessions) == 5


@pytest.mark.slow
def test_a_worker_continues_after_a_torn_last_line(fake_backend, make_plan, results):
    plan = make_plan(**MODELS)
    assert finish(start_worker(plan, results))[0] == DONE
    results.write_bytes(results.read_bytes()[: results.stat().st_size // 2])
    assert finish(start_worker(plan, results))[0] == DONE
    assert read_results(results).is_complete
    assert read_journal(results)[1] == ()


@pytest.mark.slow
def test_an_interrupted_worker_finishes_its_visit_and_says_so(fake_backend, make_plan, results, send):
    plan = make_plan(**MODELS)
    worker = start_worker(plan, results)
    wait_for_visits(results, 2)
    send(worker, signal.SIGINT)
    assert finish(worker)[0] == INTERRUPTED
    half = read_results(results)
    assert not half.is_complete
    assert len(half.attempts) == len(half.visits)
    assert finish(start_worker(plan, results))[0] == DONE


def test_a_worker_whose_reader_is_gone_stops_where_it_can_resume(fake_backend, make_plan, results):
    plan = make_plan(**{f"layer{number}": {"us": [100.0], "sleep_s": 0.1} for number in range(12)})
    worker = start_worker(plan, results)
    worker.stdout.close()
    worker.stdout = None
    code, _, errors = finish(worker)
    assert (code, errors) == (INTERRUPTED, "")
    assert not read_results(results).is_complete


@pytest.mark.slow
def test_progress_is_json_lines_that_end_at_the_total(fake_backend, make_plan, results):
    _, output, _ = finish(start_worker(make_plan(**MODELS), results))
    events = [json.loads(line) for line in output.splitlines()]
    assert {event["event"] for event in events} == {"progress"}
    assert events[-1]["done"] == events[-1]["total"]


def test_an_error_is_one_event_and_one_sentence(make_plan, results, tmp_path):
    code, output, errors = finish(start_worker(tmp_path / "nowhere", results))
    assert code == FAILED
    assert json.loads(output)["error"] == "PlanDamaged"
    assert "does not exist" in errors


def test_wrong_usage_has_its_own_exit_code():
    worker = subprocess.run([sys.executable, "-m", "gnomon.profilers.worker.worker"], capture_output=True)
    assert worker.returncode == USAGE
