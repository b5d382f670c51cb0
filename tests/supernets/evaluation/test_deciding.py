"""The examples that decide: their order by two pilots, and what a share of them says of another network."""

from dataclasses import replace

import numpy as np
import pytest

from gnomon.supernets.errors import SupernetError
from gnomon.supernets.evaluation.deciding import (
    DecidingExamples,
    NamesExamples,
    Outcomes,
    TellsOutcomes,
    evaluate_on,
    evenly,
)
from gnomon.supernets.supernet import load_supernet


def outcomes(right, margins):
    return Outcomes(np.array(right, dtype=bool), np.array(margins, dtype=np.float16))


def simulated(quality, seed, n=2000, noise=0.3):
    """Return the outcomes of a network: examples have difficulties, and each network errs a little by itself."""
    difficulty = np.random.default_rng(0).normal(0.0, 2.0, n)
    margin = quality - difficulty + np.random.default_rng(seed).normal(0.0, noise, n)
    return outcomes(margin > 0, np.abs(margin))


def test_outcomes_are_of_the_label_and_the_best_other_class():
    outputs = np.array([[3.0, 1.0, 0.0], [3.0, 1.0, 0.0], [2.0, 2.0, 0.0], [0.0, 1e6, 0.0]], dtype=np.float32)
    found = Outcomes.of(outputs, np.array([0, 1, 0, 0]))
    assert found.right.tolist() == [True, False, True, False]
    assert found.margins.tolist() == [2.0, 2.0, 0.0, float(np.finfo(np.float16).max)]
    assert found.percent == 50.0


def test_outputs_that_are_no_numbers_are_at_the_boundary():
    found = Outcomes.of(np.array([[np.nan, 1.0], [np.inf, 1.0]], dtype=np.float32), np.array([0, 0]))
    assert found.margins.tolist() == [0.0, float(np.finfo(np.float16).max)]


def test_disagreement_comes_first_then_the_smaller_margin():
    first = outcomes([1, 1, 1, 0, 1], [9.0, 5.0, 8.0, 1.0, 2.0])
    second = outcomes([0, 1, 0, 0, 1], [9.0, 0.5, 7.0, 4.0, 3.0])
    examples = DecidingExamples.of([first, second])
    assert (examples.order.tolist(), examples.disputed) == ([0, 2, 1, 3, 4], 2)
    assert examples.consensus.tolist() == [0.5, 1.0, 0.5, 0.0, 1.0]
    assert examples.rows(0.4).tolist() == [0, 2]
    assert examples.rows(0.01).tolist() == [0]


def test_without_margins_an_estimate_is_what_was_seen_and_the_consensus_on_the_rest():
    examples = DecidingExamples.of([outcomes([1, 1, 1, 0], [9, 5, 8, 1]), outcomes([0, 1, 0, 0], [9, 4, 7, 4])])
    assert examples.percent(outcomes([1], [0])) == 75.0  # the other disputed one counts as this
    assert examples.percent(outcomes([0], [0])) == 25.0
    assert examples.percent(outcomes([0, 0, 1, 1], [0, 0, 0, 0])) == 50.0


def test_a_pilot_is_estimated_exactly_as_soon_as_the_disagreements_are_seen():
    pilots = [simulated(2.0, 1), simulated(3.0, 2)]
    examples = DecidingExamples.of(pilots)
    differing = int((pilots[0].right != pilots[1].right).sum())
    for pilot in pilots:
        assert examples.percent(pilot.at(examples.order[:differing])) == pytest.approx(pilot.percent)


@pytest.mark.parametrize("apart", [0.0, 1.0, 4.0])
@pytest.mark.parametrize("share", [0.2, 0.3])
def test_deciding_examples_estimate_much_better_than_random_ones(share, apart):
    """Also where the pilots, far `apart`, disagree on more examples than the share holds."""
    pilots = [simulated(2.0, 1), simulated(2.0 + apart, 2)]
    examples = DecidingExamples.of(pilots)
    qualities = np.linspace(2.0, 2.0 + apart, 20)
    networks = [simulated(quality, 10 + number) for number, quality in enumerate(qualities)]
    rows = examples.rows(share)
    random = np.random.default_rng(5).permutation(len(examples.order))[: len(rows)]
    deciding = np.std([examples.percent(one.at(rows)) - one.percent for one in networks])
    drawn = np.std([100 * one.right[random].mean() - one.percent for one in networks])
    assert deciding < drawn / 2


@pytest.mark.parametrize("n", [0, 1, 2, 3, 100])
def test_every_beginning_of_an_even_order_is_spread(n):
    order = evenly(n)
    assert sorted(order.tolist()) == list(range(n))
    for size in range(1, n + 1):
        gaps = np.diff([-1, *np.sort(order[:size]), n])
        assert gaps.max() <= 4 * n / size


@pytest.mark.parametrize("margins", [0.0, 1.0])
def test_networks_at_chance_are_estimated_within_a_few_errors_of_random_examples(margins):
    """Outcomes mean nothing: without margins the rest is the pilots', with them what is read off these is noise."""

    def guessed(seed):
        rng = np.random.default_rng(seed)
        return outcomes(rng.random(2000) < 0.1, margins * rng.random(2000))

    examples = DecidingExamples.of([guessed(1), guessed(2)])
    rows = examples.rows(0.2)
    networks = [guessed(10 + number) for number in range(40)]
    errors = [examples.percent(one.at(rows)) - one.percent for one in networks]
    drawn = [100 * one.right[:400].mean() - one.percent for one in networks]
    assert np.std(errors) < np.std(drawn) * (3.0 if margins else 1.0)


def test_margins_tell_of_the_rest_where_the_pilots_are_both_better_than_a_network():
    """A network between two that err on other examples is wrong about some that both are right about."""
    pilots = [simulated(3.0, seed, noise=1.5) for seed in (1, 2)]
    examples = DecidingExamples.of(pilots)
    networks = [simulated(2.0, 10 + seed, noise=1.5) for seed in range(20)]
    rows = examples.rows(0.3)
    seen = [one.at(rows) for one in networks]
    without = [Outcomes(one.right, np.zeros_like(one.margins)) for one in seen]
    errors = [[examples.percent(one) - every.percent for one, every in zip(told, networks)] for told in (seen, without)]
    assert abs(np.mean(errors[0])) < abs(np.mean(errors[1])) / 3
    assert np.sqrt(np.mean(np.square(errors[0]))) < np.sqrt(np.mean(np.square(errors[1]))) / 2


@pytest.mark.parametrize(
    ("pilots", "said"),
    [
        ([], "of 0 networks"),
        ([outcomes([1], [1])], "of 1 networks' outcomes on 1 examples; expected those of 2"),
        ([outcomes([1], [1]), outcomes([1, 0], [1, 2])], "on 1, 2 examples"),
    ],
)
def test_pilots_that_make_no_order_are_refused(pilots, said):
    with pytest.raises(SupernetError, match=said):
        DecidingExamples.of(pilots)


@pytest.mark.usefixtures("few_images")
def test_a_classifier_tells_its_outcomes_in_the_order_asked_for():
    supernet = load_supernet("fashion_mnist")
    smallest, largest = (
        supernet.space.architecture(row) for row in (0 * supernet.space.radices, supernet.space.radices - 1)
    )
    assert isinstance(supernet, TellsOutcomes)
    assert supernet.has_outcomes
    pilots = [supernet.outcomes(one) for one in (smallest, largest)]
    assert [pilot.percent for pilot in pilots] == [supernet.evaluate(one) for one in (smallest, largest)]
    examples = DecidingExamples.of(pilots)
    reordered = supernet.outcomes(largest, rows=examples.order)
    assert reordered.right.tolist() == pilots[1].right[examples.order].tolist()
    assert evaluate_on(supernet, largest, "validation", examples, 1.0) == pytest.approx(pilots[1].percent)


@pytest.mark.usefixtures("few_images")
def test_a_task_of_another_metric_has_no_outcomes():
    supernet = load_supernet("fashion_mnist")
    assert not replace(supernet, task=replace(supernet.task, score=lambda logits, labels: 0.0)).has_outcomes


@pytest.mark.usefixtures("few_images")
def test_other_examples_or_another_order_have_another_digest():
    supernet = load_supernet("fashion_mnist")
    assert isinstance(supernet, NamesExamples)
    whole = supernet.task.validation
    orders = (slice(None), slice(None, None, -1), slice(len(whole) - 1))
    others = [replace(supernet, task=replace(supernet.task, validation=whole.take(order))) for order in orders]
    digests = [other.examples_sha256() for other in others]
    assert digests[0] == load_supernet("fashion_mnist").examples_sha256("validation")
    assert len({*digests, supernet.examples_sha256("test")}) == 4
