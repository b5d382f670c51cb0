"""Memory and energy are measured in a child; energy by a counter that follows a script."""

import json
import os
import signal
import sys

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from gnomon.profilers import (
    CounterUnavailable,
    EnergyReading,
    EnergyUse,
    MemoryUse,
    ModelRejected,
    PlanDamaged,
    PlannedModel,
    ProgramPart,
    Resources,
    RunConfig,
    TimingPolicy,
    Usage,
    WorkerCrashed,
    counter_names,
    counter_states,
    open_counter,
    write_plan,
)
from gnomon.profilers.resources.measure import MIN_IDLE_S, MIN_RUN_S, energy_of, measure_resources, measured
from gnomon.profilers.resources.memory import peak_mib, reset_peak, resident_mib
from gnomon.profilers.testing import affine_model

MIB = 2**20
METERED = '''
import time
from gnomon.profilers.resources.counters import rapl
from gnomon.profilers.testing import FakeBackend

class Meter(rapl.Rapl):
    """A package that draws ten watts."""

    def read(self):
        return {"package-0": time.monotonic_ns() // 100}

def open_backend():
    rapl.open_counter = lambda root: Meter(root, (rapl._Zone("package-0", "", 0),))
    return FakeBackend(lambda model: (5.0,), "metered")
'''


def heavy_model(mib):
    """Return a model with so many MiB of weights."""
    from onnx import TensorProto, helper, numpy_helper

    columns = mib * MIB // (16 * 4)
    weight = np.random.default_rng(0).standard_normal((16, columns), dtype=np.float32)
    graph = helper.make_graph(
        [helper.make_node("MatMul", ["x", "w"], ["z"]), helper.make_node("ReduceSum", ["z"], ["y"])],
        "heavy",
        [helper.make_tensor_value_info("x", TensorProto.FLOAT, [1, 16])],
        [helper.make_tensor_value_info("y", TensorProto.FLOAT, [1, 1])],
        [numpy_helper.from_array(weight, "w")],
    )
    model = helper.make_model(graph, opset_imports=[helper.make_opsetid("", 17)], ir_version=8)
    return model.SerializeToString()


def wish(**fields):
    return json.dumps(fields).encode()


@pytest.mark.slow
@pytest.mark.parametrize("backend", ["onnxruntime", "openvino"])
def test_weights_are_seen_in_the_memory(backend):
    pytest.importorskip(backend)
    imported = backend in sys.modules
    small = measure_resources(affine_model(), backend=backend, config=RunConfig(), repeats=1)
    heavy = measure_resources(heavy_model(64), backend=backend, config=RunConfig(), repeats=1)
    assert heavy.memory_mib > small.memory_mib + 64
    assert heavy.peak_mib > heavy.memory_mib > 0
    assert (backend in sys.modules) == imported


@pytest.mark.slow
def test_each_repeat_is_a_fresh_process(fake_backend):
    found = measure_resources(wish(us=[5.0]), backend=fake_backend, config=RunConfig(), repeats=2)
    assert len(found.repeats) == 2
    assert all(0 < usage.memory.start < usage.memory.runtime <= usage.memory.peak for usage in found.repeats)
    assert found.energy_mj is found.idle_power_w is None
    assert found.no_device_memory == ""


@pytest.mark.slow
def test_a_program_of_several_models_is_measured_as_one(fake_backend):
    parts = (ProgramPart("encoder", wish(us=[5.0])), ProgramPart("step", wish(us=[1.0]), runs=3))
    assert measure_resources(parts, backend=fake_backend, config=RunConfig(), repeats=1).peak_mib > 0


@pytest.mark.slow
def test_energy_comes_from_the_child_with_all_raw_values(tmp_path, monkeypatch):
    info = tmp_path / "gnomon_metered-1.0.dist-info"
    info.mkdir()
    (tmp_path / "gnomon_metered.py").write_text(METERED)
    (info / "METADATA").write_text("Metadata-Version: 2.1\nName: gnomon-metered\nVersion: 1.0\n")
    (info / "entry_points.txt").write_text("[gnomon.backends]\nmetered = gnomon_metered:open_backend\n")
    monkeypatch.setenv("PYTHONPATH", str(tmp_path), prepend=os.pathsep)
    found = measure_resources(b"", backend="metered", config=RunConfig(), energy=True, repeats=1)
    (use,) = found.energy
    assert (use.counter, use.total, use.interval_s, len(use.idle)) == ("rapl", ("package-0",), 0.001, 2)
    assert found.energy_mj == use.running.energy_mj["package-0"] / use.inferences > 0
    assert found.idle_power_w > 0
    assert found.energy_spread_mj == 0.0


def test_a_killed_child_is_named(fake_backend):
    with pytest.raises(WorkerCrashed, match="memory and energy with fake died with SIGKILL") as caught:
        measure_resources(wish(die=signal.SIGKILL), backend=fake_backend, config=RunConfig())
    assert caught.value.exit_code == -signal.SIGKILL


def test_errors_of_the_child_are_raised_as_themselves(fake_backend):
    with pytest.raises(ModelRejected, match="not this one"):
        measure_resources(wish(error="not this one"), backend=fake_backend, config=RunConfig())


def test_no_repeats_are_no_measurement(fake_backend):
    with pytest.raises(ValueError, match="repeats is 0"):
        measure_resources(wish(us=[5.0]), backend=fake_backend, config=RunConfig(), repeats=0)


def test_only_one_model_is_measured_at_a_time(tmp_path):
    models = [PlannedModel(key, "network", key.encode()) for key in "ab"]
    write_plan(tmp_path, backend="fake", config=RunConfig(), policy=TimingPolicy(), models=models)
    with pytest.raises(PlanDamaged, match="holds 2 models"):
        measured(tmp_path, energy=False)


def test_a_machine_without_counters_names_all_that_were_tried(tmp_path):
    with pytest.raises(CounterUnavailable, match=r"energy of the cpu here, .* ina: .*; rapl: "):
        open_counter("cpu", tmp_path)
    with pytest.raises(CounterUnavailable, match="none of the counters known counts it"):
        open_counter("abacus", tmp_path)


def test_the_state_of_every_counter_is_told(tmp_path):
    zone = tmp_path / "sys/class/powercap/intel-rapl:0"
    zone.mkdir(parents=True)
    (zone / "name").write_text("package-0")
    (zone / "energy_uj").write_text("5")
    states = {state.name: state for state in counter_states(tmp_path)}
    assert tuple(states) == counter_names()
    assert str(states["rapl"]) == "counts package-0, in steps of 1 ms"
    assert "Jetson" in str(states["ina"])
    counter = open_counter("cpu", tmp_path)
    assert (counter.name, counter.total) == ("rapl", ("package-0",))


class ScriptedMachine:
    """A clock that inferences and sleeps move, and a counter that draws 2 W idle, 10 W running; a part of both."""

    name, total = "scripted", ("package-0", "package-1")

    def __init__(self, interval_s, inference_s):
        self.interval_s, self.now_s, self.energy_mj, self.slept_s = interval_s, 0.0, 0.0, []
        self.inference_s = inference_s

    def clock(self):
        return self.now_s

    def sleep(self, seconds):
        self.slept_s.append(seconds)
        self.pass_time(seconds, 2.0)

    def pass_time(self, seconds, watts):
        self.now_s += seconds
        self.energy_mj += 1e3 * watts * seconds

    def elapsed_ns(self, loops):
        self.pass_time(loops * self.inference_s, 10.0)
        return round(loops * self.inference_s * 1e9)

    def read(self):
        return {"mj": self.energy_mj}

    def spent_mj(self, before, after):
        spent = after["mj"] - before["mj"]
        return {"package-0": 0.75 * spent, "package-1": 0.25 * spent, "package-0/core": 0.5 * spent}


@pytest.mark.parametrize(("interval_s", "run_s"), [(0.001, MIN_RUN_S), (0.1, 10.0)])
@pytest.mark.parametrize("inference_s", [1e-4, 0.3])
def test_energy_is_counted_gross_with_idling_before_and_after(interval_s, run_s, inference_s):
    machine = ScriptedMachine(interval_s, inference_s)
    use = energy_of(machine, machine, clock=machine.clock, sleep=machine.sleep)
    assert run_s <= use.running.seconds < run_s + 1
    assert use.inferences == pytest.approx(use.running.seconds / inference_s)
    assert use.energy_mj == pytest.approx(1e4 * inference_s)
    assert use.idle_power_w == pytest.approx(2.0)
    assert use.net_energy_mj == pytest.approx(8e3 * inference_s)
    assert [spell.seconds for spell in use.idle] == pytest.approx([max(MIN_IDLE_S, 20 * interval_s)] * 2)
    assert use.running.energy_mj["package-0/core"] == pytest.approx(5e3 * use.running.seconds)


seconds = st.floats(1e-3, 1e3)
spells = st.builds(EnergyReading, seconds, st.fixed_dictionaries({"package-0": st.floats(0, 1e6)}))
energies = st.builds(
    EnergyUse, st.text(), st.just(("package-0",)), seconds, st.integers(1, 10**9), spells, st.tuples(spells, spells)
)
mib = st.floats(0, 1e6)
usages = st.builds(Usage, st.builds(MemoryUse, mib, mib, mib, mib), st.none() | energies)


@pytest.mark.slow
@given(usages)
def test_a_measurement_survives_json(usage):
    assert Usage.from_json(json.loads(json.dumps(usage.to_json()))) == usage


def test_figures_are_medians_of_the_repeats():
    repeats = [Usage(MemoryUse(1.0, 50.0, peak, 60.0), None) for peak in (70.0, 61.0, 62.0)]
    found = Resources(tuple(repeats))
    assert (found.memory_mib, found.peak_mib, found.memory_spread_mib) == (12.0, 62.0, 9.0)


def test_a_peak_can_begin_anew():
    block = bytearray(os.urandom(1)) * (64 * MIB)
    high = peak_mib()
    del block
    reset_peak()
    assert peak_mib() < high - 32
    assert peak_mib() == pytest.approx(resident_mib(), abs=4)


@pytest.mark.parametrize("status", [None, "", "VmHWM:\t 12 kB more\n", "VmHWM:\t-12 kB\n"])
def test_a_system_that_does_not_say_its_memory_is_named(tmp_path, status):
    if status is not None:
        (tmp_path / "proc/self").mkdir(parents=True)
        (tmp_path / "proc/self/status").write_text(status)
    with pytest.raises(CounterUnavailable, match="on Linux only"):
        peak_mib(tmp_path)
    with pytest.raises(CounterUnavailable, match=r"clear_refs cannot be written \(No such file"):
        reset_peak(tmp_path / "absent")
