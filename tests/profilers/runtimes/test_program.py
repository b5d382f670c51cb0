"""Programs over every backend there is; and what of them no backend decides."""

import json

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from gnomon.profilers import (
    ModelRejected,
    PlannedModel,
    Program,
    ProgramPart,
    RunConfig,
    TimingPolicy,
    load_program,
    read_results,
    run_plan_locally,
    write_plan,
)
from gnomon.profilers.runtimes.program import merged_options
from gnomon.profilers.runtimes.testing_programs import ProgramContract, decoder
from gnomon.profilers.testing import FakeBackend, ScriptedExecutable


class TestRegisteredBackends(ProgramContract):
    @pytest.fixture
    def backend(self, registered_backend):
        return registered_backend


class Part(ScriptedExecutable):
    """A part of a program that is a function of arrays; ``seen`` collects the inputs of every run."""

    def __init__(self, function, **inputs):
        super().__init__((1.0,), function=function)
        self.inputs = inputs
        self.seen = []

    def run(self, inputs):
        self.seen.append(dict(inputs))
        return super().run(inputs)


number = st.integers(1, 6)


@given(number, number, number)
def test_parts_run_as_often_as_they_say_and_start_afresh_every_pass(first_runs, second_runs, passes):
    ones = np.ones(2)
    first = Part(lambda x: {"shared": x["input"] + 1, "input.next": x["input"] + 1}, input=ones)
    second = Part(lambda x: {"sum.next": x["sum"] + x["shared"], "output": x["sum"]}, sum=ones, shared=ones)
    parts = [ProgramPart("first", b"", first_runs), ProgramPart("second", b"", second_runs)]
    with Program([(parts[0], first), (parts[1], second)]) as program:
        assert program.elapsed_ns(passes) > 0
        assert len(first.seen) == 1 + passes * first_runs  # one to see what it gives
        assert len(second.seen) == 1 + passes * second_runs
        ended = program.run({"second.sum": np.full(2, 0.5)})
    assert ended["first.shared"].tolist() == [first_runs] * 2
    assert ended["second.output"].tolist() == [0.5 + (second_runs - 1) * first_runs] * 2


def test_a_part_that_fits_nowhere_closes_those_that_were_loaded():
    fake = FakeBackend(lambda model: (1.0,))

    class Plain:  # without the fake's own way to load a program
        load = fake.load

    with pytest.raises(ModelRejected):
        load_program(Plain(), [ProgramPart("first", b""), ProgramPart("second", b"")], RunConfig())
    assert len(fake.loaded) == 2
    assert fake._alive == 0


def test_options_that_differ_are_reported_by_part():
    merged = merged_options({"a": {"threads": 1, "streams": 2, "own": 3}, "b": {"threads": 1, "streams": 4}})
    assert merged == {"threads": 1, "a.streams": 2, "b.streams": 4, "a.own": 3}


@pytest.mark.parametrize(("name", "runs"), [("", 1), ("a.b", 1), ("../up", 1), (7, 1), ("step", 0), ("step", True)])
def test_a_part_without_a_name_or_runs_is_refused(name, runs):
    with pytest.raises(ValueError, match="expected"):
        ProgramPart(name, b"", runs)


@pytest.mark.slow
@pytest.mark.parametrize("backend", ["onnxruntime", "openvino"])
def test_a_plan_times_programs_beside_models_in_a_child_process(backend, tmp_path):
    pytest.importorskip(backend)
    short, long = decoder(runs=1), decoder(runs=40)
    models = [PlannedModel("alone", "layer", short[0].model)]
    models += [PlannedModel("short", "network", short), PlannedModel("long", "network", long)]
    policy = TimingPolicy(block_us=300, min_passes=2, max_passes=2)
    write_plan(tmp_path / "plan", backend=backend, config=RunConfig(), policy=policy, models=models)
    run_plan_locally(tmp_path / "plan", tmp_path / "results.jsonl")
    results = read_results(tmp_path / "results.jsonl")
    assert not results.failures
    assert not results.warnings
    taken = {key: measurement.value_us for key, measurement in results.measurements.items()}
    assert taken["alone"] < taken["short"] < taken["long"]


def test_a_program_that_cannot_be_timed_is_a_failure_and_the_run_goes_on(fake_backend, tmp_path):
    def script(**wish):
        return json.dumps(wish).encode()

    good = (ProgramPart("encoder", script(us=[10.0])), ProgramPart("decoder_step", script(us=[2.0]), 12))
    bad = (*good[:1], ProgramPart("decoder_step", script(error="no such operator"), 12))
    models = [PlannedModel("good", "network", good), PlannedModel("bad", "network", bad)]
    policy = TimingPolicy(min_passes=2, max_passes=2)
    write_plan(tmp_path / "plan", backend=fake_backend, config=RunConfig(), policy=policy, models=models)
    run_plan_locally(tmp_path / "plan", tmp_path / "results.jsonl")
    results = read_results(tmp_path / "results.jsonl")
    assert results.measurements["good"].value_us == 10.0 + 12 * 2.0
    assert [(failure.key, failure.reason) for failure in results.failures] == [
        ("bad", "ModelRejected: no such operator")
    ]
