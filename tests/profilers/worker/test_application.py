"""Models as an application sees them, by the worker, against the scripted backend."""

import json

import pytest

from gnomon.profilers import PlannedModel, RunConfig, TimingPolicy, read_results, write_plan
from gnomon.profilers.errors import JournalDamaged, PlanDamaged
from gnomon.profilers.timing.application import Application
from gnomon.profilers.timing.plan import read_plan

POLICY = TimingPolicy(min_passes=2, max_passes=2)
START, PACED, HOT = 900.0, 130.0, 100.0


@pytest.fixture
def planned(tmp_path):
    def make(period_us=1_000.0, **wishes):
        models = [PlannedModel("anchor", "anchor", b'{"us": [50.0], "key": "anchor"}')]
        for key, wish in {"net": {"us": [HOT]}, **wishes}.items():
            models.append(PlannedModel(key, wish.pop("role", "network"), json.dumps(dict(wish, key=key)).encode()))
        application = Application(period_us)
        write_plan(
            tmp_path / "plan", backend="fake", config=RunConfig(), policy=POLICY, models=models, application=application
        )
        return tmp_path / "plan"

    return make


@pytest.fixture
def paused(backend, monkeypatch):
    """Let a single inference take longer than those of a loop, and the first after a load longer still."""
    load = backend.load

    def load_paused(model, config):
        executable = load(model, config)
        elapsed_ns = executable.elapsed_ns

        def elapsed(loops):
            is_first = not executable.calls
            taken = elapsed_ns(loops)
            return round((START if is_first else PACED) * 1e3) if loops == 1 else taken

        executable.elapsed_ns = elapsed
        return executable

    monkeypatch.setattr(backend, "load", load_paused)
    return backend


def test_networks_are_loaded_afresh_and_timed_with_pauses_and_layers_are_not(run, planned, paused):
    is_done, results, reports = run(planned(layer={"us": [70.0], "role": "layer"}))
    assert is_done
    assert set(results.applications) == {"net"}
    seen = results.applications["net"]
    assert seen.first_us == (START,) * 5
    assert seen.clean_starts == (True,) * 5
    assert (seen.typical_first_us, seen.paced.value_us) == (START, PACED)
    assert all(ms >= 0 for ms in seen.load_ms)
    assert results.measurements["net"].value_us == HOT
    assert paused._alive == 0
    assert reports[-1]["done"] == reports[-1]["total"] == len(results.visits) + 5


def test_without_a_period_the_start_alone_is_timed(run, planned, paused):
    _, results, _ = run(planned(period_us=None))
    seen = results.applications["net"]
    assert (seen.first_us, seen.paced) == ((START,) * 3, None)


def test_an_inference_that_somebody_disturbed_does_not_count(run, planned, paused, monkeypatch):
    class Shared:
        """A core that is shared at two of three readings."""

        def __init__(self):
            self.number = 0

        def read_us(self):
            self.number += 1
            return 20.0 if self.number % 12 < 4 else 36.0

        def switches(self):
            return 0

    core = Shared()
    monkeypatch.setattr(paused, "open_probe", lambda: core)
    load = paused.load

    def load_shared(model, config):
        executable = load(model, config)
        elapsed_ns = executable.elapsed_ns
        executable.elapsed_ns = lambda loops: round(elapsed_ns(loops) * (1.0 if core.number % 12 < 4 else 1.7))
        return executable

    monkeypatch.setattr(paused, "load", load_shared)
    _, results, _ = run(planned())
    seen = results.applications["net"]
    assert len(seen.load_ms) > 5
    assert seen.paced.is_undisturbed
    assert seen.paced.value_us == PACED


def test_a_run_that_was_stopped_goes_on_and_repeats_no_visit(run, planned, paused):
    place = planned()
    is_done, results, reports = run(place, stop_after=6)
    assert not is_done
    assert len(results.application_visits) == 6 - len(results.visits)
    is_done, results, _ = run(place)
    assert is_done
    assert [visit.step.pass_index for visit in results.application_visits] == [0, 1, 2, 3, 4]
    assert len(reports) == 6


def test_a_model_that_fails_only_then_keeps_its_latency_and_says_why(run, planned, backend, monkeypatch):
    place, load = planned(other={"us": [60.0]}), backend.load

    def load_once(model, config):
        if b'"net"' in model and model in backend.loaded:
            raise MemoryError("no room for a second one")
        return load(model, config)

    monkeypatch.setattr(backend, "load", load_once)
    _, results, _ = run(place)
    assert set(results.applications) == {"other"}
    assert results.measurements["net"].value_us == HOT
    assert [(failure.key, failure.reason) for failure in results.failures] == [
        ("net", "MemoryError: no room for a second one")
    ]


def test_only_a_plan_that_asks_for_it_says_so(planned, make_plan):
    assert "application" in json.loads((planned() / "plan.json").read_text())
    assert "application" not in json.loads((make_plan("plain", net={"us": [1.0]}) / "plan.json").read_text())
    assert read_plan(planned()).application == Application(1_000.0)


def test_a_plan_with_a_period_that_no_plan_has_is_refused(planned):
    path = planned() / "plan.json"
    path.write_text(path.read_text().replace('"period_us": 1000.0', '"period_us": -1'))
    with pytest.raises(PlanDamaged, match="the period is"):
        read_plan(path.parent)


@pytest.mark.parametrize(
    ("name", "value"), [("first_us", "0.0"), ("late", "9"), ("before_us", "[20.0]"), ("start_probe_us", "[20.0,-1.0]")]
)
def test_a_record_that_is_none_is_refused_with_its_line(run, planned, paused, tmp_path, name, value):
    run(planned())
    path = tmp_path / "results.jsonl"
    lines = path.read_text().splitlines()
    at = next(number for number, line in enumerate(lines) if '"record":"application"' in line)
    changed = json.loads(lines[at]) | {name: json.loads(value)}
    path.write_text("\n".join([*lines[:at], json.dumps(changed), *lines[at + 1 :]]) + "\n")
    with pytest.raises(JournalDamaged, match=f"line {at + 1}"):
        read_results(path)
