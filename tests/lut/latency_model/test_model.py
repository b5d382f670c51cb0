import numpy as np
import pytest

from gnomon.lut import LatencyMissing, LatencyModel, LatencyTable, LutError, NotVerified
from gnomon.lut.latency_model.sampling import networks_for
from gnomon.lut.latency_model.terms import border_kib, weight_kib
from gnomon.profilers.timing.measurement import Measurement
from gnomon.supernets import InvalidArchitecture, load_space
from gnomon.supernets.layers.registry import macs

SPACES = ("fashion_mnist", "ofa_mobilenetv3")


def steady(value_us):
    return Measurement(((value_us,) * 3,) * 4, loops=10)


def layer_us(spec):
    return 5.0 + macs(spec) / 20_000 + sum(spec.key.encode()) % 7


def table_for(space):
    return LatencyTable({spec.key: steady(layer_us(spec)) for spec in space.unique_layers()}, {})


def truth_for(space, indices, scale, constant, per_layer, per_border, per_weight=0.0):
    return [
        scale * sum(map(layer_us, layers))
        + constant
        + sum(per_layer + per_border * border_kib(spec) + per_weight * weight_kib(spec) for spec in layers)
        for layers in (space.layers(space.architecture(row)) for row in indices)
    ]


@pytest.mark.parametrize("name", SPACES)
@pytest.mark.parametrize(
    ("truth", "winner"),
    [
        ((1.0, 0.0, 0.0, 0.0), "plain sum"),
        ((0.8, 0.0, 0.0, 0.0), "scaled sum"),
        ((0.9, 40.0, 0.0, 0.0), "scaled sum + constant"),
        ((0.9, 0.0, -3.0, 0.0), "scaled sum + layers"),
        ((0.9, 0.0, 0.0, -0.05), "scaled sum + borders"),
        ((0.9, 0.0, -2.0, 0.05), "scaled sum + layers + borders"),
        ((0.9, 0.0, 0.0, 0.0, 0.02), "scaled sum + weights"),
        ((0.9, 0.0, 0.0, -0.05, 0.02), "scaled sum + borders + weights"),
        ((0.9, 0.0, -2.0, 0.05, 0.02), "scaled sum + layers + borders + weights"),
    ],
)
def test_a_truth_among_the_candidates_is_recovered(name, truth, winner):
    space = load_space(name)
    indices = networks_for(space, 30, np.random.default_rng(0))
    measured = [steady(us) for us in truth_for(space, indices, *truth)]
    model = LatencyModel.fit(space, table_for(space), indices, measured)
    fresh = space.sample(50, np.random.default_rng(1))
    assert model.predict(fresh).value_us == pytest.approx(truth_for(space, fresh, *truth), rel=1e-6)
    assert model.report.mape_percent < 1e-6
    assert model.report.model == winner


@pytest.mark.slow
def test_intervals_cover_what_they_promise():
    space = load_space("fashion_mnist")
    indices = space.sample(80, np.random.default_rng(0))
    exact = np.array(truth_for(space, indices, 0.9, 0.0, 0.0, 0.0))
    covered = []
    for seed in range(60):
        noisy = exact * np.exp(np.random.default_rng(seed).normal(0, 0.03, 80))
        model = LatencyModel.fit(space, table_for(space), indices[:40], [steady(us) for us in noisy[:40]])
        estimate = model.predict(indices[40:])
        covered.append(np.mean((estimate.low_us <= noisy[40:]) & (noisy[40:] <= estimate.high_us)))
    assert 0.86 <= np.mean(covered) <= 0.94


@pytest.mark.slow
def test_intervals_of_ten_networks_cover_what_they_promise():
    space, covered = load_space("ofa_mobilenetv3"), []
    indices = space.sample(150, np.random.default_rng(0))
    exact = np.array(truth_for(space, indices, 1.0, 0.0, -2.0, 0.02))
    for seed in range(60):
        rng = np.random.default_rng(seed)
        noisy, order = exact * np.exp(rng.normal(0, 0.05, len(exact))), rng.permutation(len(exact))
        known, fresh = order[:10], order[10:]
        measured = [steady(us) for us in noisy[known]]
        model = LatencyModel.fit(space, LatencyTable({}, {}), indices[known], measured, between_sessions=0.0)
        estimate = model.predict(indices[fresh])
        covered.append(np.mean((estimate.low_us <= noisy[fresh]) & (noisy[fresh] <= estimate.high_us)))
    assert 0.88 <= np.mean(covered) <= 0.94


def test_where_launches_decide_ten_networks_alone_show_it():
    space = load_space("ofa_mobilenetv3")
    indices = space.sample(210, np.random.default_rng(0))
    depth = space.slot_sum(lambda spec: 1.0)(indices)
    truth = (300 + 150 * depth) * np.random.default_rng(1).normal(1, 0.01, len(indices))
    model = LatencyModel.fit(space, LatencyTable({}, {}), indices[:10], [steady(us) for us in truth[:10]])
    assert model.report.model == "regression on layers"
    assert np.mean(np.abs(model.value_us(indices[10:]) / truth[10:] - 1)) < 0.012
    assert set(model.predict(indices[10:]).source) == {"predicted"}


@pytest.mark.parametrize("name", SPACES)
def test_a_prediction_is_the_sum_of_its_layers_contributions(name):
    space = load_space(name)
    indices = networks_for(space, 30, np.random.default_rng(0))
    noise = np.random.default_rng(1).normal(1, 0.02, len(indices))
    measured = [steady(us) for us in noise * truth_for(space, indices, 0.9, 30.0, -2.0, 0.02)]
    model = LatencyModel.fit(space, table_for(space), indices, measured)
    fresh = space.sample(100, np.random.default_rng(2))
    layers_us = [sum(map(model.contribution_us, space.layers(space.architecture(row)))) for row in fresh]
    by_hand = layers_us + model.form.fixed_us(1, model.weights_kib(fresh))
    estimate = model.predict(fresh)
    assert estimate.value_us == pytest.approx(by_hand)
    assert set(estimate.source) == {"composed"}
    assert np.all((estimate.low_us < estimate.value_us) & (estimate.value_us < estimate.high_us))


def test_weights_that_spill_over_a_cache_come_from_memory():
    space = load_space("bert_minilm")
    indices = networks_for(space, 30, np.random.default_rng(0))
    weights_kib = space.slot_sum(weight_kib)
    memory_us = 0.2 * np.maximum(0, weights_kib(indices) - 12 * 1024)
    summed_us = truth_for(space, indices, 1.0, 0.0, 0.0, 0.0)
    measured = [steady(us) for us in np.random.default_rng(1).normal(1, 0.01, 30) * (summed_us + memory_us)]
    model = LatencyModel.fit(space, table_for(space), indices, measured)
    assert "spill over 11.3 MiB" in model.report.model
    fresh = space.sample(200, np.random.default_rng(2))
    spilled_us = 0.2 * np.maximum(0, weights_kib(fresh) - 12 * 1024)
    truth = truth_for(space, fresh, 1.0, 0.0, 0.0, 0.0) + spilled_us
    assert np.mean(np.abs(model.value_us(fresh) / truth - 1)) < 0.01
    assert max(model.report.candidates_mape_percent.values()) > 5


@pytest.mark.slow
def test_the_stated_error_is_that_of_new_networks_however_many_models_compete():
    space = load_space("fashion_mnist")
    said, true = [], []
    for seed in range(8):
        rng = np.random.default_rng(seed)
        rows = space.sample(230, rng)
        summed_us = truth_for(space, rows, 0.9, 30.0, -2.0, 0.02)
        truth_us = summed_us * rng.normal(1, 0.05, len(rows))  # what no candidate can know
        model = LatencyModel.fit(space, table_for(space), rows[:30], [steady(us) for us in truth_us[:30]])
        said.append(model.report.mape_percent)
        true.append(100 * np.mean(np.abs(model.value_us(rows[30:]) / truth_us[30:] - 1)))
    assert np.mean(said) == pytest.approx(np.mean(true), rel=0.15)


def test_shrunk_corrections_find_layers_that_the_table_has_wrong():
    space = load_space("fashion_mnist")
    indices = space.sample(200, np.random.default_rng(0))
    wrong = {spec: np.random.default_rng(i).normal(1, 0.2) for i, spec in enumerate(space.unique_layers())}
    truth = np.array([sum(layer_us(s) * wrong[s] for s in space.layers(space.architecture(row))) for row in indices])
    model = LatencyModel.fit(space, table_for(space), indices[:100], [steady(us) for us in truth[:100]])
    assert "+ corrections" in model.report.model
    plain = model.report.candidates_mape_percent["scaled sum + layers + borders + weights"]
    fresh_error = 100 * np.mean(np.abs(model.value_us(indices[100:]) / truth[100:] - 1))
    assert fresh_error < 0.75 * plain


def test_where_layers_do_not_add_up_a_regression_takes_over_and_says_so():
    space = load_space("ofa_mobilenetv3")
    indices = networks_for(space, 40, np.random.default_rng(0))
    rng = np.random.default_rng(1)
    nonsense = {spec.key: steady(rng.lognormal(3, 2)) for spec in space.unique_layers()}
    model = LatencyModel.fit(
        space, LatencyTable(nonsense, {}), indices, [steady(us) for us in 50 + space.macs(indices) / 1e4]
    )
    assert model.report.model == "regression on MACs"
    estimate = model.predict(space.sample(5, rng))
    assert set(estimate.source) == {"predicted"}


def test_times_that_no_model_can_be_fitted_to_are_refused():
    space = load_space("fashion_mnist")
    table = LatencyTable({spec.key: steady(9e11) for spec in space.unique_layers()}, {})
    with pytest.raises(LutError, match="no latency model can be fitted to networks of 1e-06 to 1e-06 us"):
        LatencyModel.fit(space, table, [space.sample(1, np.random.default_rng(0))[0]] * 12, [steady(1e-6)] * 12)


def test_without_any_layer_whole_networks_alone_are_enough():
    space = load_space("fashion_mnist")
    indices = networks_for(space, 60, np.random.default_rng(0))
    measured = [steady(us) for us in truth_for(space, indices, 1.0, 0.0, 0.0, 0.0)]
    model = LatencyModel.fit(space, LatencyTable({}, {}), indices, measured)
    fresh = space.sample(100, np.random.default_rng(2))
    error = np.abs(model.value_us(fresh) / truth_for(space, fresh, 1.0, 0.0, 0.0, 0.0) - 1)
    assert error.mean() < 0.03
    assert set(model.predict(fresh).source) == {"predicted"}


def test_a_table_that_nothing_verified_has_values_but_no_interval():
    space = load_space("fashion_mnist")
    model = LatencyModel.unverified(space, table_for(space))
    rows = space.sample(3, np.random.default_rng(0))
    estimate = model.predict(rows)
    assert estimate.value_us == pytest.approx(truth_for(space, rows, 1.0, 0.0, 0.0, 0.0))
    assert "not verified" in model.report.sentence()
    with pytest.raises(NotVerified, match="gnomon profile"):
        _ = estimate.low_us


def test_the_interval_is_wider_outside_the_measured_networks():
    space = load_space("ofa_mobilenetv3")
    indices = space.sample(40, np.random.default_rng(0))
    noise = np.random.default_rng(1).normal(1, 0.02, 40)
    measured = [steady(us) for us in noise * truth_for(space, indices, 0.9, 2000.0, 0.0, 0.0)]
    model = LatencyModel.fit(space, table_for(space), indices, measured)
    ends = np.array([[0] * 45, space.radices - 1])
    inside = model.predict(space.sample(200, np.random.default_rng(3))).ratio
    assert model.predict(ends).ratio.min() > np.median(inside)


@pytest.mark.slow
def test_a_million_architectures_at_once_equal_single_ones():
    space = load_space("ofa_mobilenetv3")
    indices = networks_for(space, 20, np.random.default_rng(0))
    measured = [steady(us) for us in truth_for(space, indices, 0.9, 0.0, -1.0, 0.0)]
    model = LatencyModel.fit(space, table_for(space), indices, measured)
    rows = np.random.default_rng(2).integers(0, space.radices.astype(np.int8), (1_000_000, 45), dtype=np.int8)
    together = model.predict(rows).value_us
    alone = [model.predict(rows[i : i + 1]).value_us[0] for i in range(0, 1_000_000, 9_973)]
    assert together.shape == (1_000_000,)
    assert together[::9_973] == pytest.approx(alone)


def test_inactive_genes_do_not_change_a_latency():
    space = load_space("fashion_mnist")
    indices = networks_for(space, 20, np.random.default_rng(0))
    model = LatencyModel.fit(space, table_for(space), indices, [steady(1.0 + i) for i in range(len(indices))])
    raw = np.random.default_rng(1).integers(0, space.radices, (200, len(space.choices)))
    assert np.array_equal(model.predict(raw).value_us, model.predict(space.canonical(raw)).value_us)


def test_layers_without_a_measurement_are_an_error_never_zero():
    space = load_space("fashion_mnist")
    table = table_for(space)
    absent = space.unique_layers()[3].key
    partial = LatencyTable({k: m for k, m in table.measurements.items() if k != absent}, {absent: "runtime crashed"})
    with pytest.raises(LatencyMissing, match="runtime crashed") as raised:
        LatencyModel.fit(space, partial, space.sample(200, np.random.default_rng(0)), [steady(10.0)] * 200)
    assert raised.value.keys == (absent,)


@pytest.mark.parametrize("indices", [[0] * 25, [0] * 27, [3, *[0] * 25], [-1, *[0] * 25]])
def test_a_network_that_is_not_of_the_space_is_refused(indices):
    space = load_space("fashion_mnist")
    others = networks_for(space, 20, np.random.default_rng(0)).tolist()
    with pytest.raises(InvalidArchitecture):
        LatencyModel.fit(space, table_for(space), [*others, indices], [steady(10.0)] * 21)


def test_too_few_networks_cannot_verify():
    space = load_space("fashion_mnist")
    with pytest.raises(LutError, match="it takes 10"):
        LatencyModel.fit(space, table_for(space), space.sample(9, np.random.default_rng(0)), [steady(10.0)] * 9)


def test_genes_outside_the_space_are_refused():
    space = load_space("fashion_mnist")
    indices = networks_for(space, 20, np.random.default_rng(0))
    model = LatencyModel.fit(space, table_for(space), indices, [steady(1.0 + i) for i in range(len(indices))])
    with pytest.raises(InvalidArchitecture, match=r"kernel\.1\.1"):
        model.predict([[7, *([0] * 25)]])
    with pytest.raises(InvalidArchitecture, match=r"shape \(1, 25\)"):
        model.predict([[0] * 25])
    with pytest.raises(InvalidArchitecture, match="whole numbers"):
        model.predict([[0.0] * 26])


@pytest.mark.parametrize("name", SPACES)
def test_verification_networks_are_distinct_and_span_the_space(name):
    space = load_space(name)
    rows = networks_for(space, 40, np.random.default_rng(0))
    assert len(np.unique(rows, axis=0)) == 40
    assert np.array_equal(space.canonical(rows), rows)
    extremes = space.macs([[0] * len(space.choices), list(space.radices - 1)])
    assert (space.macs(rows).min(), space.macs(rows).max()) == tuple(extremes)
