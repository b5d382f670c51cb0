import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from gnomon.search import Evaluation, SearchConfig, search_in_context
from gnomon.search.runs.quality import quality_of
from gnomon.search.runs.widths import FIRST, Z_90, learnt_widths
from gnomon.search.testing.contracts import fake_context


def evaluation(order, measured, expected, *, round=0, share=1.0, failed=None):
    return Evaluation(
        round=round, position=0, size=1, order=order, id="0", indices=(order,), share=share,
        values={} if failed else {"accuracy": measured}, expected=expected and {"accuracy": expected},
        seconds=1.0, elapsed_s=1.0, failed=failed,
    )  # fmt: skip


def predicted(pairs):
    return [evaluation(order, value, expected) for order, (value, expected) in enumerate(pairs)]


def overall(pairs):
    """Return the quality of predictions of one round."""
    [found] = quality_of(predicted(pairs), {"accuracy": "percent"})
    return found.overall


def test_quality_counts_what_held():
    found = overall([(90.0, (91.0, 1.0)), (92.0, (92.0, 0.1)), (94.0, (90.0, 1.0))])
    assert found.n == 3
    assert found.rmse == pytest.approx(np.sqrt(17 / 3))
    assert found.within_90 == pytest.approx(2 / 3)
    assert found.kendall_tau == pytest.approx(-1 / 3)


@pytest.mark.slow
@given(st.lists(st.integers(0, 30), min_size=2, max_size=12, unique=True))
def test_a_perfect_order_has_tau_one_and_its_reverse_minus_one(values):
    for sign in (1.0, -1.0):
        pairs = [(float(value), (sign * 3.0 * value, None)) for value in values]
        assert overall(pairs).kendall_tau == pytest.approx(sign)


def test_without_deviations_nothing_is_said_of_intervals():
    [found] = quality_of(predicted([(90.0, (91.0, None)), (92.0, (92.0, None))]), {"accuracy": "percent"})
    assert found.overall.within_90 is None
    assert str(found) == "tau 1.00, RMSE 0.71 percent, on 2 validations predicted beforehand"


def test_normal_errors_fall_inside_nine_times_in_ten():
    rng = np.random.default_rng(0)
    pairs = [(90.0 + float(rng.normal()) * d, (90.0, d)) for d in rng.uniform(0.1, 2.0, 4000).tolist()]
    assert overall(pairs).surrogate_within_90 == pytest.approx(0.9, abs=0.015)


def test_one_prediction_is_said_in_the_singular():
    [found] = quality_of(predicted([(90.0, (91.0, 1.0))]), {"accuracy": "percent"})
    assert str(found) == (
        "RMSE 1 percent, 100 % of 90 % intervals hold, the next 1.5 times as wide as the surrogate's, "
        "on 1 validation predicted beforehand"
    )


def test_constant_values_have_no_tau():
    assert overall([(90.0, (91.0, 1.0)), (90.0, (92.0, 1.0))]).kendall_tau is None
    assert overall([(90.0, (90.0, 0.0))]).within_90 == 1.0


def test_only_full_measurements_that_were_predicted_count():
    evaluations = [
        evaluation(0, 90.0, None),
        evaluation(1, 80.0, (95.0, 1.0), share=0.1),
        evaluation(2, 0.0, (95.0, 1.0), failed="lost"),
        evaluation(3, 91.0, (91.5, 1.0), round=1),
        evaluation(4, 91.5, (92.5, 0.1), round=2),
    ]
    [found] = quality_of(evaluations, {"accuracy": "percent", "macs": "MACs"})
    assert found.overall.n == 2
    assert {number: one.n for number, one in found.rounds.items()} == {1: 1, 2: 1}
    assert str(found) == (
        "tau 1.00, RMSE 0.79 percent, 50 % of 90 % intervals hold, the next 1.8 times as wide as the surrogate's, "
        "on 2 validations predicted beforehand"
    )


def test_nothing_predicted_is_nothing_judged():
    assert quality_of([evaluation(0, 90.0, None)], {"accuracy": "percent"}) == ()


@pytest.mark.parametrize(("surrogate", "has_intervals"), [("ridge", False), ("gp", True)])
def test_linas_is_judged_from_its_second_round_on(tmp_path, surrogate, has_intervals):
    config = SearchConfig(
        space="fashion_mnist", objectives=("accuracy", "macs"), tactic="linas", surrogate=surrogate, budget=36,
        population=12, inner_evaluations=200,
    )  # fmt: skip
    run = search_in_context(fake_context(), config, tmp_path / "run", provenance={})
    [found] = run.predictor_quality()
    assert (found.objective, found.overall.n, set(found.rounds)) == ("accuracy", 24, {1, 2})
    assert found.overall.kendall_tau > 0.5
    assert (found.overall.within_90 is not None) == has_intervals


def test_intervals_allow_for_the_error_of_partial_evaluations_themselves():
    pairs = [evaluation(0, 90.0, None), evaluation(1, 80.0, None)]
    pairs += [evaluation(2, 92.0, None, share=0.5), evaluation(3, 78.0, None, share=0.5)]  # err by 2 where 1/s - 1 is 1
    pairs = [one.model_copy(update={"indices": (one.order % 2,)}) for one in pairs]
    counting = [evaluation(4, 85.0, (89.0, 0.1), share=0.2), evaluation(5, 70.0, (82.0, 0.1), share=0.2, round=1)]
    [found] = quality_of([*pairs, *counting], {"accuracy": "percent"}, counting)
    assert (found.overall.n, found.overall.partial, found.overall.own_error) == (2, 2, 4.0)
    assert found.overall.within_90 == 0.5  # 4 points off and 12, with an error of 4
    assert str(found).endswith(
        "on 2 partial evaluations predicted beforehand, which have an error of 4 percent themselves"
    )
    [found] = quality_of(counting, {"accuracy": "percent"}, counting)
    assert (found.overall.within_90, found.overall.own_error) == (None, None)  # not known


@pytest.mark.parametrize("wrong", [lambda rng: 3.0 * rng.standard_normal(4), lambda rng: rng.normal(-2.5, 0.8, 4)])
def test_intervals_of_a_surrogate_that_is_too_sure_hold_once_its_errors_are_known(wrong):
    rng = np.random.default_rng(0)
    errors = np.concatenate([wrong(rng) for _ in range(100)])
    widths, _ = learnt_widths(np.repeat(np.arange(100), 4), errors)
    assert np.mean(np.abs(errors) <= Z_90) < 0.5
    assert np.mean(np.abs(errors) <= widths) == pytest.approx(0.9, abs=0.03)


def test_a_width_knows_errors_of_earlier_rounds_only():
    rounds, errors = np.array([1, 1, 3, 3, 4]), np.array([9.0, np.nan, 0.0, 9.0, 0.0])
    widths, following = learnt_widths(rounds, errors)
    assert widths[0] == widths[1] == FIRST
    assert widths[2] == widths[3] > FIRST
    for last, value in ((4, 9.0), (3, 0.0), (2, 9.0)):
        changed = np.where(np.arange(5) == last, value, errors)
        assert (learnt_widths(rounds, changed)[0][: last + 1] == widths[: last + 1]).all()
    assert following < widths[4]


def test_a_round_that_misses_altogether_widens_the_next_by_no_more_than_a_few_misses_would():
    at = np.zeros(20, dtype=np.int64)
    _, few = learnt_widths(at[:5], np.full(5, 9.0))
    _, many = learnt_widths(at, np.full(20, 9.0))
    assert FIRST < many == pytest.approx(few)


def test_what_a_run_says_of_its_intervals_is_by_round_what_it_says_in_all():
    pairs = [evaluation(n, 90.0, (94.0, 1.0), round=n) for n in range(8)]
    [found] = quality_of(pairs, {"accuracy": "percent"})
    assert found.overall.surrogate_within_90 == 0.0
    held = [found.rounds[n].within_90 for n in range(8)]
    assert held[0] == 0.0
    assert held[-1] == 1.0
    assert found.overall.within_90 == pytest.approx(np.mean(held))
    assert found.widened > 1.0
