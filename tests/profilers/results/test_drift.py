"""The whole protocol on a machine whose speed follows a script: what is estimated must be what is true."""

import functools
import json
import math
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from gnomon.profilers import Anchor, Hardware, RunConfig, TimingPolicy
from gnomon.profilers.results import levels
from gnomon.profilers.results.contention import probed_visits
from gnomon.profilers.results.drift import SpeedCurve
from gnomon.profilers.results.parsing import results_from_records
from gnomon.profilers.results.results import Results, header_record
from gnomon.profilers.results.visits import measurements_from_visits
from gnomon.profilers.testing import FakeBackend, ScriptedExecutable
from gnomon.profilers.timing.plan import PlanItem, TimingPlan
from gnomon.profilers.worker.execution import PlanExecution

HARDWARE = Hardware.from_json(
    json.loads((Path(__file__).parents[1] / "samples" / "results-v1.jsonl").read_text().splitlines()[1])["hardware"]
)
MODELS = 30
LOAD_S = 0.1  # what loading and compiling a model costs
START_S = 5_000.0  # a monotonic clock does not begin at zero


def quiet(t_s):
    return 1.0


@dataclass(frozen=True)
class Machine:
    """What disturbs the machine: its speed over time, the noise of a block, and blocks that are hit by themselves."""

    slowness: object = quiet
    noise: float = 0.008
    outliers: float = 0.0
    second_session: float = 1.0  # how many times slower than the first
    stop_after: int | None = None  # visits, in the first session


class SimulatedBackend(FakeBackend):
    """Executables whose time passes on the simulated clock, at the machine's speed of that moment."""

    def __init__(self, truth_us, machine, rng):
        super().__init__(lambda model: [truth_us[model]])
        self.machine, self.rng, self.t_s, self.scale = machine, rng, 0.0, 1.0
        self.paused_s = START_S

    def clock(self):
        return self.paused_s + self.t_s

    def load(self, model, config):
        self.t_s += LOAD_S
        executable = super().load(model, config)
        executable.elapsed_ns = lambda loops: self.elapsed_ns(executable, loops)
        return executable

    def elapsed_ns(self, executable, loops):
        slowness = self.scale * self.machine.slowness(self.t_s) * (1 + self.machine.noise * self.rng.standard_normal())
        if self.rng.random() < self.machine.outliers:
            slowness *= 5
        elapsed = ScriptedExecutable.elapsed_ns(executable, loops) * slowness
        self.t_s += elapsed * 1e-9
        return round(elapsed)


class MemoryJournal:
    path = "memory"

    def __init__(self, plan):
        self.records = [header_record(plan)]

    def append(self, record, *, sync=True):
        self.records.append(json.loads(json.dumps(record)))


def run_session(folder, plan, backend, journal, *, stop_after=None):
    """Run the plan, from where it stopped, until the end or for some visits."""
    recorded = results_from_records(journal.records)
    execution = PlanExecution(folder, plan, backend=backend, journal=journal, recorded=recorded, clock=backend.clock)
    execution.open(None)
    made = []
    execution.run(is_stopped=lambda: len(made) == stop_after, report=made.append)


@dataclass(frozen=True)
class Simulation:
    truth_us: dict
    results: Results

    def errors(self, measured):
        """Relative errors of all models, (n,)."""
        return np.array([measured[key].value_us / truth - 1 for key, truth in self.truth_us.items()])


@pytest.fixture(scope="module")
def simulate(tmp_path_factory):
    """Return a function that runs a script with a seed, once for all that ask for the two."""

    @functools.cache
    def run(script, seed):
        machine, policy = script(seed)
        folder, rng = tmp_path_factory.mktemp("plan"), np.random.default_rng(seed)
        (folder / "models").mkdir()
        items, truth_us, by_model = [], {}, {}
        for number in range(MODELS + 1):
            key, file = f"m{number}", f"models/{number:064x}.onnx"
            (folder / file).write_bytes(key.encode())
            items.append(PlanItem(key, file, "layer" if number else "anchor"))
            by_model[key.encode()] = truth = 200.0 if number == 0 else math.exp(rng.uniform(3, 9))
            if number:
                truth_us[key] = truth
        plan = TimingPlan("fake", RunConfig(), replace(policy, seed=seed), tuple(items))
        backend, journal = SimulatedBackend(by_model, machine, rng), MemoryJournal(plan)
        if machine.stop_after:
            run_session(folder, plan, backend, journal, stop_after=machine.stop_after)
            backend.scale = machine.second_session
            backend.paused_s += 3_600.0
        run_session(folder, plan, backend, journal)
        return Simulation(truth_us, results_from_records(journal.records))

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr("gnomon.profilers.worker.execution.fingerprint", lambda: HARDWARE)
        yield run


SEEDS = range(4)
LONG_BLOCKS = TimingPolicy(block_us=1_000.0, blocks_per_visit=3, anchor_every=6, time_cap_s=1e6)
THREE = replace(LONG_BLOCKS, min_passes=3)
MANY = replace(LONG_BLOCKS, min_passes=12)
THREE_S, MANY_S = 16.0, 62.0  # what the two take on a quiet machine


def spells(seed, *, share, factor):
    """Spells of half a second to two, that cover a share of the time."""
    rng = np.random.default_rng([seed, 1])
    lengths = rng.uniform(0.5, 2.0, 2_000)
    gaps = rng.exponential(1.25 * (1 - share) / share, 2_000)
    edges = np.cumsum(np.column_stack([gaps, lengths]).ravel())
    return lambda t_s: factor if np.searchsorted(edges, t_s) % 2 else 1.0


def still(seed):
    return Machine(), MANY


def drift(seed):
    return Machine(lambda t_s: 1 + 0.2 * t_s / MANY_S), MANY  # by 20 % over the run


def second_session(seed):
    return Machine(second_session=1.25, stop_after=50), THREE


def bursts(seed):
    return Machine(spells(seed, share=0.3, factor=1.5)), MANY


def outliers(seed):
    return Machine(outliers=0.1), MANY


def slow_half(seed):
    return Machine(lambda t_s: 1.0 if t_s < THREE_S / 2 else 1.3), THREE


def everything(seed):
    hit = spells(seed, share=0.15, factor=1.4)
    return Machine(
        lambda t_s: (1 + 0.08 * t_s / MANY_S) * (1.15 if t_s > MANY_S / 2 else 1.0) * hit(t_s),
        outliers=0.03,
        second_session=1.1,
        stop_after=130,
    ), MANY


SCRIPTS = (still, drift, second_session, bursts, outliers, slow_half, everything)


def corrected(results):
    """The measurements as the machine would have given them at its undisturbed speed all through the run."""
    curve = SpeedCurve.from_anchors(results.anchors)
    visits = [
        replace(visit, block_us=tuple(us / curve.factor(visit.session, visit.t_s) for us in visit.block_us))
        for visit in results.visits
        if visit.role != "anchor"
    ]
    return measurements_from_visits(visits, probed_visits(visits))


def spread(errors):
    """The largest error once a common factor of at most a percent is granted."""
    common = np.clip(np.median(errors), -0.01, 0.01)
    return np.abs((1 + errors) / (1 + common) - 1).max()


@pytest.mark.parametrize("seed", SEEDS)
@pytest.mark.parametrize("script", SCRIPTS)
def test_every_model_is_within_about_a_percent_of_the_truth_whatever_the_machine_does(simulate, script, seed):
    found = simulate(script, seed)
    assert spread(found.errors(corrected(found.results))) < 0.012  # the largest of all models


@pytest.mark.parametrize("script", [second_session, everything])
def test_without_the_correction_the_truth_is_missed(simulate, script):
    found = simulate(script, 0)
    assert spread(found.errors(found.results.measurements)) > 0.02


@pytest.mark.parametrize("seed", SEEDS)
@pytest.mark.parametrize("script", [still, outliers])
def test_what_passes_is_left_to_the_estimator(simulate, script, seed):
    found = simulate(script, seed)
    assert corrected(found.results) == found.results.measurements


@pytest.mark.parametrize("seed", SEEDS)
@pytest.mark.parametrize("script", [drift, bursts, slow_half])
def test_many_short_visits_alone_stand_what_leaves_a_quarter_of_them_alone(simulate, script, seed):
    found = simulate(script, seed)
    assert spread(found.errors(found.results.measurements)) < 0.015


def test_measurements_stay_raw(simulate):
    found = simulate(drift, 0)
    raw = {visit.block_us for visit in found.results.visits}
    assert all(set(measurement.block_us) <= raw for measurement in found.results.measurements.values())


def anchors_from(factors, *, session="s", key="a", every_s=1.0):
    return [Anchor(key, every_s * number, session, 200.0 * factor) for number, factor in enumerate(factors)]


def noisy(factors, seed, *, noise=0.015, hit=0.0):
    rng = np.random.default_rng(seed)
    hits = np.where(rng.random(len(factors)) < hit, rng.uniform(1.0, 1.7, len(factors)), 1.0)
    return factors * hits * (1 + noise * rng.standard_normal(len(factors)))


@pytest.mark.parametrize("seed", range(20))
def test_readings_that_only_show_noise_give_a_factor_of_one(seed):
    curve = SpeedCurve.from_anchors(anchors_from(noisy(np.ones(40), seed, hit=0.25)))
    assert {factor for _, factor in curve.knots["s"]} == {1.0}
    assert curve.movement_percent == 0.0


@pytest.mark.parametrize("seed", range(20))
def test_a_drift_is_followed_through_noisy_readings(seed):
    truth = np.linspace(1.0, 1.2, 60)
    curve = SpeedCurve.from_anchors(anchors_from(noisy(truth, seed, noise=0.01, hit=0.15)))
    found = np.array([curve.factor("s", number) for number in range(60)])
    errors = np.abs(found / truth / np.median(found / truth) - 1)
    assert errors.mean() < 0.015
    assert errors.max() < 0.04


@pytest.mark.parametrize("seed", range(20))
def test_a_step_is_placed_between_the_anchors_it_lies_between_and_the_doubt_kept_to_the_faster_side(seed):
    truth = np.repeat([1.0, 1.3], 20)
    curve = SpeedCurve.from_anchors(anchors_from(noisy(truth, seed, noise=0.01)))
    assert curve.factor("s", 18.0) == pytest.approx(1.0, abs=0.02)
    assert curve.factor("s", 19.9) == pytest.approx(1.0, abs=0.02)
    assert curve.factor("s", 21.0) == pytest.approx(1.3, abs=0.02)


def test_between_anchors_on_a_slope_the_factor_is_linear():
    curve = SpeedCurve({"a": 200.0}, {"s": ((1.0, 1.0), (3.0, 1.02))})
    assert [curve.factor("s", t_s) for t_s in (0.0, 1.0, 2.0, 3.0, 9.0)] == pytest.approx([1.0, 1.0, 1.01, 1.02, 1.02])


def test_a_session_of_few_anchors_has_the_median_of_its_own():
    anchors = anchors_from(np.ones(10)) + anchors_from([1.24, 1.25, 1.9], session="short")
    curve = SpeedCurve.from_anchors(anchors)
    assert curve.factor("short", 0.0) == curve.factor("short", 2.0) == pytest.approx(1.25, rel=1e-3)
    assert curve.factor("s", 5.0) == pytest.approx(1.0)


def test_a_session_of_few_anchors_within_their_noise_is_not_corrected():
    anchors = anchors_from(np.ones(10)) + anchors_from([1.01, 0.99], session="short")
    assert SpeedCurve.from_anchors(anchors).factor("short", 0.5) == 1.0


def test_several_anchors_are_each_compared_with_themselves():
    one, other = anchors_from([1.0] * 8 + [1.3] * 8), anchors_from([5.0] * 8 + [6.5] * 8, key="b")
    curve = SpeedCurve.from_anchors([*one, *other])
    assert curve.reference_us == pytest.approx({"a": 200.0, "b": 1_000.0}, rel=2e-3)
    assert curve.factor("s", 14.0) == pytest.approx(1.3, rel=3e-3)


def test_nothing_is_corrected_where_no_anchor_says_anything():
    assert SpeedCurve.from_anchors([]).factor("s", 1.0) == 1.0
    assert SpeedCurve.from_anchors([]).movement_percent == 0.0
    assert SpeedCurve.from_anchors(anchors_from(np.ones(9))).factor("other", 1.0) == 1.0


@pytest.mark.slow
@given(st.lists(st.floats(1.0, 1e9), min_size=1, max_size=30), st.floats(1e-3, 1e3))
def test_any_readings_give_a_finite_curve_that_does_not_depend_on_the_anchors_size(values, scale):
    anchors = [Anchor("a", float(number), "s", value) for number, value in enumerate(values)]
    curve = SpeedCurve.from_anchors(anchors)
    scaled = SpeedCurve.from_anchors([replace(anchor, value_us=anchor.value_us * scale) for anchor in anchors])
    factors = [curve.factor("s", anchor.t_s) for anchor in anchors]
    assert all(0 < factor < math.inf for factor in factors)
    assert factors == pytest.approx([scaled.factor("s", anchor.t_s) for anchor in anchors], rel=1e-3)


@pytest.mark.parametrize(("truth", "moves"), [(np.ones(30), False), (np.repeat([1.0, 1.2], 15), True)])
@pytest.mark.parametrize("seed", range(3))
def test_what_is_left_early_is_never_what_is_likeliest(truth, moves, seed):
    values = np.log(noisy(truth, seed, hit=0.2))
    grid = np.linspace(values.min() - 0.1, values.max() + 0.1, 150)
    noises = [levels._Densities.of(values, grid, noise) for noise in levels.NOISES]
    still, moving = (
        [levels._Chain(grid, frozenset(), noise, wander) for noise in noises for wander in wanders]
        for wanders in ((None,), levels.WANDERS)
    )
    fits = [[chain.fit(-math.inf).log_likelihood for chain in chains] for chains in (still, moving)]
    assert levels._likeliest(still, least=-math.inf).log_likelihood == max(fits[0])
    found = levels._likeliest(moving, least=max(fits[0]) + levels.EVIDENCE)
    assert (found is not None) == (max(fits[1]) > max(fits[0]) + levels.EVIDENCE) == moves
    assert found is None or found.log_likelihood == max(fits[1])


@pytest.mark.parametrize("seed", range(3))
def test_readings_at_odds_with_each_other_still_give_a_curve(seed):
    curve = SpeedCurve.from_anchors(anchors_from(np.random.default_rng(seed).uniform(1.0, 1e6, 200)))
    assert all(0 < factor < math.inf for _, factor in curve.knots["s"])
