import numpy as np
import pytest

from gnomon.lut.latency_model.candidates import Candidate, CandidateFit
from gnomon.lut.latency_model.choice import Choice
from gnomon.lut.latency_model.shrinkage import fit_shrunk
from gnomon.lut.latency_model.stacking import (
    StackedFit,
    Stacking,
    chosen_weights,
    stacking_weights,
    weights_of_the_others,
)

SUMS = np.array([True, True])


def errors_with(*errors):
    return np.array([np.broadcast_to(one, 40) for one in errors], dtype=float)


def test_two_models_that_err_in_opposite_ways_are_better_together():
    noise, wave = np.random.default_rng(0).normal(0, 0.001, (3, 40)), 0.03 * np.sin(np.arange(40.0))
    errors = errors_with(wave + noise[0], -2 * wave + noise[1], 5 * np.abs(wave) + noise[2])
    assert chosen_weights(errors, np.full(3, True)) == pytest.approx([2 / 3, 1 / 3, 0], abs=0.02)


@pytest.mark.parametrize("seed", range(5))
def test_weights_are_the_best_of_all_that_add_up_to_one(seed):
    rng = np.random.default_rng(seed)
    errors = rng.normal(0.01, 0.03, (6, 40))
    weights = stacking_weights(errors)
    assert weights.min() >= 0
    assert weights.sum() == pytest.approx(1)
    others = rng.dirichlet(np.full(6, 0.5), 2_000)
    near = (weights + 0.01 * others) / 1.01
    assert np.sum((weights @ errors) ** 2) <= min(np.sum((one @ errors) ** 2) for one in (*others, *near)) + 1e-9


def test_the_simplest_model_stands_alone_where_a_mean_is_no_better():
    assert chosen_weights(errors_with(0.1, 0, 1e-12), np.full(3, True)).tolist() == [0, 1, 0]
    assert chosen_weights(errors_with(0.1), np.array([True])).tolist() == [1]


def test_of_models_that_are_all_beyond_measure_the_least_wrong_stands_alone():
    assert chosen_weights(errors_with(1e18, 1e17, 1e18), np.full(3, True)).tolist() == [0, 1, 0]


def test_a_network_has_no_part_in_the_weights_that_predict_it():
    lucky, steady = errors_with(0.05, 0)
    lucky[3], steady[3] = 0.0, 0.05
    without = np.array([np.tile(one, (40, 1)) for one in (lucky, steady)])
    assert weights_of_the_others(without, SUMS)[3].tolist() == [0, 1]
    without[:, 3] = [lucky + 1, steady]  # what the others err by without network 3
    without[:, 3, 3] = 0
    assert weights_of_the_others(without, SUMS)[3].tolist() == [0, 1]


def test_a_regression_competes_only_where_no_sum_of_layers_comes_near():
    composed = np.array([True, False])
    assert chosen_weights(errors_with(0.3, 0.01), composed).tolist() == [0, 1]
    assert chosen_weights(errors_with(0.06, 0.01), composed).tolist() == [1, 0]


def test_what_is_stated_is_by_fits_and_weights_without_each_network():
    rng = np.random.default_rng(0)
    truth = rng.uniform(50, 90, 14)
    columns = [np.column_stack([truth * rng.normal(1, 0.03, 14), np.ones(14)]) for _ in range(2)]

    def forms(kept):
        fits = [fit_shrunk(one[kept], truth[kept]) for one in columns]
        return [CandidateFit(Candidate(f"number {k}", ("sum", "constant")), fit, {}) for k, fit in enumerate(fits)]

    stacking = Stacking.of(forms(np.arange(14)), truth)
    assert stacking.form.name.startswith("mean of 2 models, ")
    for network in range(14):
        kept = np.delete(np.arange(14), network)
        found = forms(kept)
        errors = Choice.among(found, truth[kept], np.ones((1, 13))).errors[:, 0]
        weights = chosen_weights(errors, SUMS)
        predicted = [one[network] @ form.fit.coefficients for one, form in zip(columns, found)]
        assert stacking.honest_errors[network] == pytest.approx(1 - weights @ predicted / truth[network], abs=1e-6)


def test_a_mean_that_sums_layers_in_part_takes_all_of_them():
    truth = np.linspace(50, 90, 10)
    fit = fit_shrunk(np.column_stack([truth, np.ones(10)]), truth)
    sums, other = (CandidateFit(Candidate(name, (name, "constant")), fit, {}) for name in ("sum", "MACs"))
    told = []
    for parts in ((sums,), (sums, other), (other,)):
        form = StackedFit(tuple((1 / len(parts), one) for one in parts))
        told.append((form.is_composed, form.takes_layers))
    assert told == [(True, True), (False, True), (False, False)]


def test_of_many_networks_the_stated_error_is_that_of_few_of_them():
    rng = np.random.default_rng(0)
    truth = rng.uniform(50, 90, 240)
    columns = [np.column_stack([truth * rng.normal(1, 0.03, 240), np.ones(240)]) for _ in range(2)]

    def stated(count):
        fits = [fit_shrunk(one[:count], truth[:count]) for one in columns]
        forms = [CandidateFit(Candidate(f"number {k}", ("sum", "constant")), fit, {}) for k, fit in enumerate(fits)]
        return np.abs(Stacking.of(forms, truth[:count]).honest_errors)

    assert np.mean(stated(240)[:200]) == pytest.approx(np.mean(stated(200)), rel=0.03)
