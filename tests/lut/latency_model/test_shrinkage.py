import numpy as np
import pytest

from gnomon.lut.latency_model.shrinkage import errors_without, fit_shrunk, held_out_errors


@pytest.mark.parametrize("ratio", [0.0, 5.0])
def test_held_out_predictions_equal_refitting_without_each_row(ratio):
    rng = np.random.default_rng(0)
    columns, corrections = rng.uniform(1, 2, (15, 3)), rng.uniform(0, 1, (15, 6))
    truth = columns @ [1.0, 0.5, 2.0] * rng.uniform(0.9, 1.1, 15)
    fitted = fit_shrunk(columns, truth, corrections, ratio)
    for row in range(15):
        kept = np.delete(np.arange(15), row)
        other = fit_shrunk(columns[kept], truth[kept], corrections[kept], ratio)
        alone = columns[row] @ other.coefficients + corrections[row] @ other.corrections
        assert fitted.held_out[row] == pytest.approx(alone)


@pytest.mark.parametrize("ratio", [0.0, 5.0])
def test_errors_without_a_row_equal_refitting_without_each_pair(ratio):
    rng = np.random.default_rng(0)
    columns, corrections = rng.uniform(1, 2, (12, 3)), rng.uniform(0, 1, (12, 6))
    truth = columns @ [1.0, 0.5, 2.0] * rng.uniform(0.9, 1.1, 12)
    found = errors_without(fit_shrunk(columns, truth, corrections, ratio).residual, np.ones((1, 12)))[0]
    for row in range(12):
        kept = np.delete(np.arange(12), row)
        others = fit_shrunk(columns[kept], truth[kept], corrections[kept], ratio)
        assert found[row, row] == 0
        assert found[row, kept] == pytest.approx(1 - others.held_out / truth[kept])


def test_a_row_of_which_the_others_say_nothing_is_predicted_as_zero():
    columns = np.column_stack([np.ones(6), [0, 0, 0, 0, 0, 3.0]])
    fitted = fit_shrunk(columns, np.array([1.0, 1.1, 0.9, 1.0, 1.05, 7.0]))
    assert fitted.held_out[-1] == 0
    assert np.all(fitted.held_out[:-1] > 0.9)


def test_errors_of_other_latencies_need_no_new_fit():
    rng = np.random.default_rng(3)
    columns, truth = rng.uniform(1, 2, (9, 2)), rng.uniform(5, 9, 9)
    relative = rng.uniform(0.9, 1.1, (4, 9))
    errors = held_out_errors(fit_shrunk(columns, truth).residual, relative)
    for drawn, found in zip(relative, errors):
        kept = np.arange(8)
        coefficients, *_ = np.linalg.lstsq(columns[kept] / truth[kept, None], drawn[kept], rcond=None)
        assert found[-1] == pytest.approx(drawn[-1] - columns[-1] / truth[-1] @ coefficients)


def test_without_shrinkage_it_is_least_squares_of_the_relative_error():
    rng = np.random.default_rng(1)
    columns, truth = rng.uniform(1, 2, (20, 3)), rng.uniform(5, 9, 20)
    expected, *_ = np.linalg.lstsq(columns / truth[:, None], np.ones(20), rcond=None)
    assert fit_shrunk(columns, truth).coefficients == pytest.approx(expected)


def test_a_scale_of_the_truth_is_a_scale_of_the_coefficients():
    rng = np.random.default_rng(2)
    columns, truth, corrections = rng.uniform(1, 2, (20, 3)), rng.uniform(5, 9, 20), rng.uniform(0, 1, (20, 4))
    once, thousandfold = (fit_shrunk(columns, scale * truth, scale * corrections, 3.0) for scale in (1.0, 1000.0))
    assert thousandfold.coefficients == pytest.approx(1000 * once.coefficients)
    assert thousandfold.corrections == pytest.approx(once.corrections)
