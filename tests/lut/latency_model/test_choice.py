import numpy as np
import pytest

from gnomon.lut.latency_model.candidates import Candidate, CandidateFit
from gnomon.lut.latency_model.choice import chosen_model, chosen_weights, stacking_weights
from gnomon.lut.latency_model.shrinkage import ShrunkFit

TRUTH = np.full(40, 100.0)


def predictions_with(*errors):
    return np.array([TRUTH * (1 + np.array(error)) for error in errors])


def form(name, held_out, terms=("sum",)):
    n = len(held_out)
    return CandidateFit(
        Candidate(name, terms), ShrunkFit(np.ones(1), np.zeros(0), held_out, np.eye(1), np.zeros(n)), {}
    )


def test_two_models_that_err_in_opposite_ways_are_better_together():
    noise = np.random.default_rng(0).normal(0, 0.001, (3, 40))
    wave = 0.03 * np.sin(np.arange(40.0))
    predictions = predictions_with(wave + noise[0], -2 * wave + noise[1], 5 * np.abs(wave) + noise[2])
    weights = chosen_weights(predictions, TRUTH)
    assert weights == pytest.approx([2 / 3, 1 / 3, 0], abs=0.02)
    model, held_out = chosen_model([form(f"number {k}", one) for k, one in enumerate(predictions)], TRUTH)
    assert [part.candidate.name for _, part in model.parts] == ["number 0", "number 1"]
    assert model.name == f"mean of 2 models, {weights[0]:.0%} number 0"
    assert model.held_out_us == pytest.approx(weights @ predictions)
    assert held_out == pytest.approx(TRUTH, rel=0.005)


@pytest.mark.parametrize("seed", range(5))
def test_weights_are_the_best_of_all_that_add_up_to_one(seed):
    rng = np.random.default_rng(seed)
    predictions = predictions_with(*rng.normal(0.01, 0.03, (6, 40)))

    def squared(weights):
        return np.sum((weights @ predictions / TRUTH - 1) ** 2)

    weights = stacking_weights(predictions, TRUTH)
    assert weights.min() >= 0
    assert weights.sum() == pytest.approx(1)
    others = rng.dirichlet(np.full(6, 0.5), 2_000)
    near = (weights + 0.01 * others) / 1.01
    assert squared(weights) <= min(squared(one) for one in (*others, *near, *np.eye(6))) + 1e-9


def test_the_simplest_model_stands_alone_where_a_mean_is_no_better():
    exact, nearly = np.zeros(40), np.full(40, 1e-12)
    assert chosen_weights(predictions_with(exact + 0.1, exact, nearly), TRUTH).tolist() == [0, 1, 0]
    assert chosen_weights(predictions_with(nearly + 0.1), TRUTH).tolist() == [1]


def test_what_is_held_out_had_no_part_in_choice_or_weights():
    is_lucky = np.arange(40) == 3
    lucky, steady = np.where(is_lucky, 0.0, 0.05), np.where(is_lucky, 0.05, 0.0)
    _, held_out = chosen_model([form("lucky", one) for one in predictions_with(lucky, steady)], TRUTH)
    assert held_out[3] == pytest.approx(105.0)


def test_a_regression_competes_only_where_no_sum_of_layers_comes_near():
    far, near = predictions_with(np.full(40, 0.3), np.full(40, 0.01))
    for summed, chosen in ((far, "regression"), (near * 1.05, "sum")):
        model, _ = chosen_model([form("sum", summed), form("regression", near, ("MACs",))], TRUTH)
        assert model.name == chosen
