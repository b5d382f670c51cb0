import dataclasses
import functools
import math

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from gnomon.lut import ProfileMismatch, diff_profiles, load_profile, shipped_profiles
from gnomon.lut.profile_file.schema import ProfileContention
from gnomon.profilers.results.contention import informed_by_all
from gnomon.profilers.timing.measurement import Contention, Measurement

OFA = next(name for name in shipped_profiles() if name.startswith("ofa_mobilenetv3/") and ".onnxruntime." in name)
BASE = load_profile(OFA)
KEYS = tuple(BASE.table.measurements)


def measured(rng, base_us, *, noise=0.006, disturbed=0.3, blocks=3):
    """Visit as the profiler does: eight times, then until two halves agree within 1.5 %; some visits hit by others."""
    visits = []
    while len(visits) < 24:
        slowed = rng.uniform(1.05, 1.6) if rng.random() < disturbed else 1.0
        visits.append(tuple(base_us * slowed * math.exp(noise * rng.normal()) for _ in range(blocks)))
        found = Measurement(tuple(visits), 10)
        if len(visits) >= 8 and found.relative_disagreement <= 0.015:
            break
    return found


def simulated(seed, *, factor_of=lambda key: 1.0, session=0.004, disturbed=0.3, **changes):
    """Profile the shipped layers again in a simulated session, some of them changed by a factor."""
    rng = np.random.default_rng(seed)
    measurements = {
        key: measured(rng, m.value_us * factor_of(key) * math.exp(session * rng.normal()), disturbed=disturbed)
        for key, m in BASE.table.measurements.items()
    }
    header = BASE.header.model_copy(update=changes)
    table = dataclasses.replace(BASE.table, measurements=measurements)
    return dataclasses.replace(BASE, header=header, table=table)


simulated_again = functools.cache(simulated)  # of a seed alone: such profiles serve several tests


def verdicts(diff):
    return {layer.key: layer.verdict for layer in diff.layers}


def test_a_profile_is_the_same_as_itself():
    diff = diff_profiles(BASE, BASE)
    assert set(verdicts(diff).values()) == {"same"}
    assert diff.environment == ()
    assert (diff.ratio, diff.anchor_ratio) == (1.0, 1.0)
    assert not diff.is_common
    assert "no layer changed" in diff.summary


@pytest.mark.slow
def test_without_a_change_false_alarms_are_rare():
    alarms = [len(diff_profiles(simulated_again(2 * n), simulated_again(2 * n + 1)).changed) for n in range(60)]
    assert sum(alarms) / (60 * len(KEYS)) <= 0.001
    assert sum(count > 0 for count in alarms) <= 6


def beside(rng, base_us, *, shared, blocks=3):
    """Visit until twelve blocks are clean, beside a neighbour; some clean blocks are slowed by what no probe sees."""
    times, clean = [], []
    while sum(map(sum, clean)) < 12:
        ours = rng.random() > shared
        unseen = [1 + 0.15 * rng.random() if rng.random() < 0.25 * shared else 1.0 for _ in range(blocks)]
        noise = np.exp(0.01 * rng.standard_normal(blocks))
        times.append(tuple(float(base_us * (slow if ours else 1.6) * e) for slow, e in zip(unseen, noise)))
        clean.append((ours,) * blocks)
    slowness = tuple(tuple(1.0 if ours else 1.6 for ours in visit) for visit in clean)
    return Measurement(tuple(times), 10, Contention(tuple(clean), slowness))


def profiled_beside(seed, *, shared, factor_of=lambda key: 1.0, session=0.004):
    """Profile the shipped layers again with a probe, in an hour in which the core is shared so much."""
    rng = np.random.default_rng(seed)
    found = {
        key: beside(rng, m.value_us * factor_of(key) * math.exp(session * rng.normal()), shared=shared)
        for key, m in BASE.table.measurements.items()
    }
    return with_measurements(informed_by_all(found))


@pytest.mark.slow
@pytest.mark.parametrize("shared", [0.3, 0.8])
def test_a_profile_of_a_quiet_hour_and_one_of_a_busy_hour_are_the_same(shared):
    diffs = [
        diff_profiles(profiled_beside(2 * n, shared=0.0), profiled_beside(2 * n + 1, shared=shared)) for n in range(20)
    ]
    assert sum(bool(diff.changed) for diff in diffs) <= 2  # 5 % of comparisons may have a false alarm
    assert all(abs(diff.ratio - 1) < 0.01 for diff in diffs)


def test_a_slower_layer_is_found_however_busy_the_hour():
    changed = set(KEYS[::10])
    a = profiled_beside(1, shared=0.0)
    b = profiled_beside(2, shared=0.8, factor_of=lambda key: 1.08 if key in changed else 1.0)
    found = {layer.key for layer in diff_profiles(a, b).changed}
    assert found <= changed
    assert len(found) >= 0.8 * len(changed)


def test_layers_that_were_never_seen_undisturbed_are_a_caution():
    header = BASE.header.model_copy(
        update={"contention": ProfileContention(time_share=1.0, slow_down=1.6, spell_ms=9.0, disturbed_layers=93)}
    )
    busy = dataclasses.replace(BASE, header=header)
    assert f"{len(KEYS)} layers of {busy.name} were never seen undisturbed" in diff_profiles(BASE, busy).caution


@pytest.mark.parametrize(("now_us", "is_said"), [(20.5, False), (31.0, True), (13.0, True), (None, False)])
def test_a_core_that_was_slower_all_the_time_is_a_caution(now_us, is_said):
    then, now = (dataclasses.replace(BASE, clean_level_us=us) for us in (20.0, now_us))
    caution = diff_profiles(then, now).caution or ""
    assert ("shared all the time, or its clock was lower" in caution) is is_said
    assert not is_said or f"{max(now_us, 20.0) / min(now_us, 20.0):.2f} times as long" in caution


@pytest.mark.slow
def test_five_percent_on_some_layers_is_found_and_named_as_their_own():
    changed = set(KEYS[::12])
    found = wrong = 0
    for n in range(20):
        diff = diff_profiles(
            simulated_again(2 * n), simulated(2 * n + 1, factor_of=lambda key: 1.05 if key in changed else 1)
        )
        slower = {layer.key for layer in diff.layers if layer.verdict == "slower"}
        found, wrong = found + len(slower & changed), wrong + len({c.key for c in diff.changed} - changed)
        assert not diff.is_common
    assert found >= 0.8 * 20 * len(changed)
    assert wrong <= 2


def test_a_common_factor_is_told_from_changed_layers():
    diff = diff_profiles(simulated(1, disturbed=0), simulated(2, disturbed=0, factor_of=lambda key: 1.22))
    assert diff.is_common
    assert diff.low < 1.22 < diff.high
    assert set(verdicts(diff).values()) == {"slower"}
    assert not any(layer.specific for layer in diff.layers)
    assert "clock, session and device" in diff.summary


def test_layers_that_deviate_from_a_common_factor_are_specific():
    odd = set(KEYS[:4])
    diff = diff_profiles(
        simulated(1, disturbed=0), simulated(2, disturbed=0, factor_of=lambda key: 0.9 if key in odd else 1.22)
    )
    assert diff.is_common
    assert {layer.key for layer in diff.layers if layer.specific} == odd
    assert {layer.key for layer in diff.changed if layer.verdict == "faster"} == odd
    assert "4 layers deviate" in diff.summary


def test_a_session_that_was_disturbed_most_of_the_time_warns_of_false_alarms():
    assert diff_profiles(BASE, BASE).caution is None
    slowed = tuple(a.model_copy(update={"value_us": us}) for a, us in zip(BASE.anchors, [100.0, 150.0, 160.0] * 99))
    assert (
        "single changes may be false alarms" in diff_profiles(BASE, dataclasses.replace(BASE, anchors=slowed)).caution
    )


def test_a_change_too_small_to_matter_is_not_called_one():
    steady = {key: Measurement(tuple((100 + v / 100,) for v in range(8)), 10) for key in KEYS}
    moved = {key: Measurement(tuple((101.5 + v / 100,) for v in range(8)), 10) for key in KEYS}
    a, b = (with_measurements(values) for values in (steady, moved))
    diff = diff_profiles(a, b)
    assert diff.changed == ()
    assert set(verdicts(diff).values()) == {"same"}
    assert max(layer.p for layer in diff.layers) < 0.05


def with_measurements(measurements):
    return dataclasses.replace(BASE, table=dataclasses.replace(BASE.table, measurements=measurements))


def test_tables_without_repeats_say_unsure_rather_than_changed():
    single = {key: Measurement(((m.value_us,),), 1) for key, m in BASE.table.measurements.items()}
    off = {
        key: Measurement(((m.value_us * (1.08 if key == KEYS[0] else 1),),), 1)
        for key, m in BASE.table.measurements.items()
    }
    diff = diff_profiles(with_measurements(single), with_measurements(off))
    assert diff.changed == ()
    assert verdicts(diff)[KEYS[0]] == "unsure"


@pytest.mark.slow
@given(seed=st.integers(0, 10**6))
@settings(max_examples=10, deadline=None)
def test_swapping_the_profiles_inverts_every_ratio(seed):
    a, b = simulated(seed), simulated(seed + 1, factor_of=lambda key: 1.1 if key in KEYS[::5] else 1)
    there, back = diff_profiles(a, b), diff_profiles(b, a)
    swap = {"slower": "faster", "faster": "slower", "same": "same", "unsure": "unsure"}
    for one, other in zip(there.layers, back.layers):
        assert one.ratio == pytest.approx(1 / other.ratio)
        assert (one.low, one.high) == pytest.approx((1 / other.high, 1 / other.low))
        assert one.verdict == swap[other.verdict]
    assert there.ratio == pytest.approx(1 / back.ratio)


def test_environment_is_compared_field_by_field_what_was_measured_first():
    header = BASE.header
    other = simulated(
        1,
        hardware={**header.hardware, "cpu_model": "Another"},
        versions={**header.versions, "onnxruntime": "9.9"},
        config=header.config.model_copy(update={"threads": 4}),
        policy={**header.policy, "max_passes": 3},
        created="2030-01-01",
        seconds=1.0,
        sessions=2,
        session_starts_s={"a" * 12: 0.0, "b" * 12: 9.0},
    )
    fields = [difference.field for difference in diff_profiles(BASE, other).environment]
    expected = ["config.threads", "versions.onnxruntime", "hardware.cpu_model", "policy.max_passes"]
    assert fields == expected


def test_only_layers_in_common_are_compared_and_the_others_named():
    fewer = {key: m for key, m in BASE.table.measurements.items() if not key.startswith("stem")}
    diff = diff_profiles(BASE, with_measurements(fewer))
    assert len(diff.layers) == len(KEYS) - 1
    assert diff.only_a == tuple(key for key in KEYS if key.startswith("stem"))
    assert diff.only_b == ()


def test_profiles_of_spaces_without_a_common_layer_are_refused():
    other = load_profile(next(name for name in shipped_profiles() if name.startswith("fashion_mnist/")))
    with pytest.raises(ProfileMismatch, match="no measured layer in common"):
        diff_profiles(BASE, other)


def test_the_largest_change_comes_first_and_json_keeps_everything():
    diff = diff_profiles(simulated(1), simulated(2, factor_of=factor))
    sizes = [abs(math.log(layer.ratio)) for layer in diff.changed]
    assert sizes == sorted(sizes, reverse=True)
    assert diff.changed[0].key == KEYS[1]
    found = diff.to_json()
    assert next(iter(found)) == "environment"
    assert len(found["layers"]) == len(KEYS)
    assert found["summary"] == diff.summary


def factor(key):
    return {KEYS[0]: 1.1, KEYS[1]: 0.5, KEYS[2]: 1.3}.get(key, 1.0)


def test_how_often_an_anchor_was_disturbed_is_no_difference():
    pair = [
        dataclasses.replace(
            BASE,
            anchors=tuple(
                BASE.anchors[0].model_copy(update={"value_us": 100.0 if clean else 170.0, "clean": clean})
                for clean in [True] * clean_visits + [False] * 60
            ),
        )
        for clean_visits in (8, 30)
    ]
    assert diff_profiles(*pair).anchor_ratio == pytest.approx(1.0)


def test_anchors_are_compared_where_they_are_the_same_layer():
    slower = tuple(a.model_copy(update={"value_us": 1.2 * a.value_us}) for a in BASE.anchors)
    assert diff_profiles(BASE, dataclasses.replace(BASE, anchors=slower)).anchor_ratio == pytest.approx(1.2)
    other = tuple(a.model_copy(update={"key": "anchor:other"}) for a in BASE.anchors)
    assert diff_profiles(BASE, dataclasses.replace(BASE, anchors=other)).anchor_ratio is None
    assert diff_profiles(BASE, dataclasses.replace(BASE, anchors=())).anchor_ratio is None


def test_the_simulation_visits_as_the_profiler_does():
    found = [measured(np.random.default_rng(n), 100.0) for n in range(300)]
    visits = [m.visits for m in found]
    assert 8 == min(visits) < max(visits) <= 24
    assert np.median([m.value_us for m in found]) == pytest.approx(100, rel=0.01)
