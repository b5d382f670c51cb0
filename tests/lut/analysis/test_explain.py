from dataclasses import replace
from functools import cache

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from gnomon.lut import LatencyMissing, LatencyTable, differences, explain, load_profile, shipped_profiles
from gnomon.lut.analysis.explain import isolated_interval
from gnomon.lut.latency_model.terms import runs_of
from gnomon.profilers.timing.measurement import Measurement
from gnomon.supernets import Architecture, InvalidArchitecture, LayerSpec

loaded = cache(load_profile)
seeds = st.integers(0, 2**32 - 1)
profiles = st.sampled_from(shipped_profiles()).map(loaded)


def random_architecture(space, seed):
    return space.architecture(space.sample(1, np.random.default_rng(seed))[0])


@pytest.fixture(params=shipped_profiles())
def profile(request):
    return loaded(request.param)


@pytest.mark.slow
@given(profile=profiles, seed=seeds)
def test_layers_and_what_belongs_to_none_sum_to_the_prediction(profile, seed):
    architecture = random_architecture(profile.space, seed)
    explanation = explain(profile, architecture)
    estimate = profile.latency.predict([architecture.indices])
    assert explanation.value_us == estimate.value_us[0]
    total = sum(layer.contribution_us for layer in explanation.layers) + explanation.unassigned_us
    assert total == pytest.approx(estimate.value_us[0], rel=1e-12)
    assert (explanation.low_us, explanation.high_us) == (estimate.low_us[0], estimate.high_us[0])
    assert explanation.source == estimate.source[0]


@given(profile=profiles, seed=seeds)
def test_what_belongs_to_no_layer_is_what_the_network_pays_as_a_whole(profile, seed):
    architecture = random_architecture(profile.space, seed)
    explanation, model = explain(profile, architecture), profile.latency
    (fixed_us,) = model.form.fixed_us(runs_of(profile.space), model.weights_kib(np.array([architecture.indices])))
    assert explanation.unassigned_us == pytest.approx(fixed_us, abs=1e-9 * explanation.value_us)


@given(profile=profiles, seed=seeds)
def test_the_layers_are_those_that_run_in_their_order(profile, seed):
    architecture = random_architecture(profile.space, seed)
    layers = explain(profile, architecture).layers
    parts = range(len(profile.space.parts))
    assert [layer.spec for layer in layers] == [s for n in parts for s in profile.space.part_layers(architecture, n)]
    names = [slot.name for slot in profile.space.slots]
    assert [names[layer.position] for layer in layers] == [layer.slot for layer in layers]
    assert sorted(layer.position for layer in layers) == [layer.position for layer in layers]


@pytest.mark.slow
@given(profile=profiles, seed=seeds)
def test_stages_and_kinds_are_the_same_layers_again(profile, seed):
    explanation = explain(profile, random_architecture(profile.space, seed))
    for groups in (explanation.stages, explanation.kinds):
        assert sum(group.layers for group in groups) == len(explanation.layers)
        assert sum(group.macs for group in groups) == profile.space.macs([explanation.architecture.indices])[0]
        assert sum(group.isolated_us for group in groups) == pytest.approx(explanation.isolated_us)
        assert sum(g.share for g in groups) + explanation.unassigned_us / explanation.value_us == pytest.approx(1)


@pytest.mark.slow
@given(profile=profiles, first=seeds, second=seeds)
def test_the_changes_between_two_networks_sum_to_the_change_of_the_whole(profile, first, second):
    a, b = (explain(profile, random_architecture(profile.space, seed)) for seed in (first, second))
    changes = differences(a, b)
    whole_us = b.unassigned_us - a.unassigned_us
    total_us = sum(d.change_us for d in changes) + whole_us
    assert total_us == pytest.approx(b.value_us - a.value_us, abs=1e-9 * a.value_us)
    assert [d.change_us for d in differences(b, a)] == [-d.change_us for d in changes]
    specs = zip(profile.space.slot_specs(a.architecture), profile.space.slot_specs(b.architecture))
    expected = [slot.name for slot, (x, y) in zip(profile.space.slots, specs) if x != y]
    assert [d.slot for d in changes] == expected


def test_a_network_does_not_differ_from_itself(profile):
    explanation = explain(profile, profile.space.architecture(profile.space.radices - 1))
    assert differences(explanation, explanation) == ()


def test_an_isolated_latency_is_the_tables_with_its_own_visits(profile):
    for layer in explain(profile, profile.space.architecture(profile.space.radices - 1)).layers:
        measured = profile.table.measurements[layer.spec.key]
        assert layer.isolated_us == measured.value_us
        blocks = [us for visit in measured.block_us for us in visit]
        assert min(blocks) <= layer.isolated_low_us <= layer.isolated_us <= layer.isolated_high_us <= max(blocks)


def test_throughput_counts_every_input_of_a_batch(profile):
    architecture = profile.space.architecture(profile.space.radices - 1)
    batched = replace(
        profile,
        header=profile.header.model_copy(update={"config": profile.header.config.model_copy(update={"batch": 8})}),
    )
    for one, eight in zip(explain(profile, architecture).layers, explain(batched, architecture).layers):
        assert one.gmacs_per_s == pytest.approx(one.macs / one.isolated_us / 1e3)
        assert eight.gmacs_per_s == pytest.approx(8 * one.gmacs_per_s)


visits = st.lists(st.floats(1.0, 1e6), min_size=1, max_size=60)


HEAD = LayerSpec.of("head", (8, 4, 4), final_channels=16, mix_channels=0, classes=10)


@given(visits)
def test_the_interval_of_a_layers_visits_holds_nine_in_ten_of_them(visit_us):
    measured = Measurement(tuple((us,) for us in visit_us), loops=1)
    low, high = isolated_interval(LatencyTable({HEAD.key: measured}, {}), HEAD)
    assert min(visit_us) <= low <= measured.value_us <= high <= max(visit_us)
    inside = sum(low <= us <= high for us in visit_us)
    assert inside >= 0.9 * len(visit_us) - 2  # interpolated quantiles leave out one visit at each end


def test_a_layer_that_was_not_measured_is_an_error(profile):
    largest = profile.space.architecture(profile.space.radices - 1)
    absent = profile.space.layers(largest)[-1].key
    kept = {key: m for key, m in profile.table.measurements.items() if key != absent}
    without = replace(profile, table=LatencyTable(kept, {absent: "runtime crashed"}))
    without.__dict__["latency"] = profile.latency
    with pytest.raises(LatencyMissing, match="runtime crashed") as raised:
        explain(without, largest)
    assert raised.value.keys == (absent,)


def test_an_architecture_of_another_space_is_refused(profile):
    with pytest.raises(InvalidArchitecture, match="is of space 'elsewhere'"):
        explain(profile, Architecture("elsewhere", (0,) * len(profile.space.choices)))
    with pytest.raises(InvalidArchitecture, match="options there"):
        explain(profile, Architecture(profile.space.name, (99,) * len(profile.space.choices)))
