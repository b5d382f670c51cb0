import numpy as np
import pytest

from gnomon.lut import LatencyTable
from gnomon.lut.latency_model.candidates import Design
from gnomon.lut.latency_model.choice import Choice, simplest_of_the_best, widening
from gnomon.lut.latency_model.verification import conformal_rank
from gnomon.supernets import load_space

EMPTY = LatencyTable({}, {})


def choice_of(errors, of_others, composed=True):
    shape = (len(errors), 1, len(errors[0]))
    leverages = np.zeros((shape[0], shape[2]))
    return Choice(np.reshape(errors, shape), np.reshape(of_others, shape), leverages, np.full(shape[0], composed))


def design_of(networks):
    space = load_space("fashion_mnist")
    rows = space.sample(networks, np.random.default_rng(networks))
    layers = [space.layers(space.architecture(row)) for row in rows]
    return Design.of(layers, EMPTY, [1] * networks), 50 + space.macs(rows) / 1e4


def test_a_network_is_predicted_by_the_model_that_the_others_choose():
    errors = [[0.0, 0.0, 0.0, 0.4], [0.05, 0.05, 0.05, 0.0]]
    choice = choice_of(errors, [[0.13, 0.13, 0.13, 0.0], [0.03, 0.03, 0.03, 0.05]])
    assert choice.best.tolist() == [1]
    assert choice.of_the_others.tolist() == [[1, 1, 1, 0]]
    assert choice.honest_errors[0] == pytest.approx([0.05, 0.05, 0.05, 0.4])


def test_no_network_has_a_part_in_the_choice_that_predicts_it():
    design, truth_us = design_of(12)
    truth_us = truth_us * np.random.default_rng(0).normal(1, 0.1, 12)
    candidates = design.candidates()
    choice = Choice.among((design.fitted(one, truth_us) for one in candidates), truth_us, np.ones((1, 12)))
    for network in range(12):
        kept = np.delete(np.arange(12), network)
        others = Design(design.layers, design.counts[kept], design.values, design.runs[kept])
        plain = [place for place, one in enumerate(candidates) if not one.correction_ratio]
        found = [others.fitted(candidates[place], truth_us[kept]) for place in plain]
        alone = Choice.among(found, truth_us[kept], np.ones((1, 11)))
        assert choice.of_others[plain, 0, network] == pytest.approx(np.abs(alone.errors[:, 0]).mean(axis=1))


def test_sums_of_measured_layers_come_first_unless_additivity_fails():
    composed = np.array([True, False])
    assert simplest_of_the_best(np.array([0.09, 0.01]), composed) == 0
    assert simplest_of_the_best(np.array([0.11, 0.01]), composed) == 1


def test_a_simpler_model_wins_a_tie():
    errors = np.array([[0.0101, 0.02], [0.01, 0.01]])
    assert simplest_of_the_best(errors, np.array([True, True])).tolist() == [0, 1]


def widening_of(networks, name):
    design, truth_us = design_of(networks)
    truth_us = truth_us * np.random.default_rng(1).normal(1, 0.05, networks)
    one = next(one for one in design.candidates() if one.name == name)
    fitted = design.fitted(one, truth_us)
    return widening(design, [fitted], fitted, truth_us, 0.9)


def test_intervals_are_widened_by_how_much_errors_of_few_networks_depend_on_each_other():
    name = "regression on MACs, layers, borders, weights"
    assert widening_of(10, "regression on MACs") < 1.03
    assert 1.03 < widening_of(10, name) < 1.3
    assert widening_of(40, name) < 1.02


def test_the_widening_is_what_a_new_network_needs_beside_ten():
    design, _ = design_of(10)
    name = "regression on MACs, layers, borders, weights"
    one = next(one for one in design.candidates() if one.name == name)
    exact = design.columns(one) @ [1.0, 2.0, 0.01, 0.1]
    fitted = design.fitted(one, exact)
    measured = exact * np.random.default_rng(0).normal(1, 0.01, 10)
    factor = widening(design, [design.fitted(one, measured)], fitted, measured, 0.9)
    noise = np.random.default_rng(1).normal(0, 0.01, (4000, 11))
    errors = Choice.among([fitted], exact, 1 + noise[:, :10])
    limits = factor * np.sort(errors.scores, axis=1)[:, conformal_rank(10, 0.9) - 1]
    projection = np.eye(10) - fitted.fit.residual
    network = 3  # as a new one with these layers: its error is its own noise less that of the fit
    new = np.abs(noise[:, 10] - noise[:, :10] @ projection[network]) / np.sqrt(1 + fitted.fit.leverages[network])
    assert np.mean(new <= limits) == pytest.approx(0.9, abs=0.015)
