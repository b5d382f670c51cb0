"""Options without an order: nothing is learnt from their positions, and few measurements take no settings far."""

import numpy as np
import pytest

from gnomon.search.prediction.gaussian_process import LOCALS, NOISES, WEIGHTS, Evidence, GaussianProcess, best_settings
from gnomon.search.prediction.kernel import Encoding, default_settings, doubt
from gnomon.supernets import Choice, LayerSpec, SearchSpace, Slot, load_space

OPERATIONS = ("none", "skip", "conv1", "conv3", "pool")
PATHS = ((3,), (0, 4), (1, 5), (0, 2, 5))
WORK = np.array([0.0, 0.0, 0.6, 1.0, -0.1])


def cells(ordered=None, options=OPERATIONS):
    """A space of six edges with one of five operations each."""
    choices = tuple(Choice(f"edge{n}", options, ordered) for n in range(6))
    layer = {
        option: LayerSpec.of("head", (1, 4, 4), final_channels=1 + n, mix_channels=0, classes=2)
        for n, option in enumerate(options)
    }
    slots = tuple(Slot.tabulate(choice.name, choices, [choice.name], layer.get) for choice in choices)
    return SearchSpace("cells", "none", (1, 4, 4), choices, slots)


def carried(rows):
    """Return what four paths of edges carry together; an edge of the first operation cuts its paths."""
    paths = [(rows[:, path] > 0).all(axis=1) * np.exp(WORK[rows[:, path]].sum(axis=1)) for path in PATHS]
    total = np.sum(paths, axis=0)
    return np.where(total > 0, 95.0 - 25.0 / np.maximum(total, 0.5), 10.0)


def test_numbers_are_ordered_and_names_are_not_unless_it_is_said():
    assert Choice("kernel", (3, 5, 7)).is_ordered
    assert Choice("width", (0.5, 1.0)).is_ordered
    assert not Choice("op", OPERATIONS).is_ordered
    assert not Choice("mixed", (3, "none")).is_ordered
    assert Choice("size", ("small", "large"), ordered=True).is_ordered
    assert not Choice("op", (0, 1, 2), ordered=False).is_ordered


def test_an_order_that_is_said_changes_no_digest():
    assert cells().digest == cells(ordered=True).digest


def test_only_ordered_genes_have_a_position():
    assert len(Encoding.of(cells()).views) == 1
    assert Encoding.of(cells(ordered=True)).views[-1].shape == (30, 6)
    assert Encoding.of(cells(options=(0, 1, 2, 3, 4))).views[-1].shape == (30, 6)
    space = load_space("fashion_mnist:precision=fp32+int8")
    assert Encoding.of(space).views[-1].shape[1] == len(space.choices) - 1


@pytest.mark.parametrize("n", [6, 10, 25])
@pytest.mark.parametrize("ordered", [False, True])
def test_settings_do_not_run_away_on_few_measurements(n, ordered):
    space = cells(ordered)
    extremes = []
    for seed in range(10):
        rows = space.sample(n, np.random.default_rng(seed))
        settings = best_settings(Evidence(space.one_hot(rows), carried(rows), np.ones(n)), Encoding.of(space))
        extremes.append(
            settings.noise in (NOISES[0], NOISES[-1], NOISES[-2])
            or max(settings.weights) == WEIGHTS[-1]
            or settings.local == LOCALS[-1]
        )
    assert np.mean(extremes) <= 0.1


def test_without_an_order_cells_are_predicted_better_than_with_a_made_up_one():
    errors = {}
    for ordered in (False, True):
        space = cells(ordered)
        rows = space.sample(400, np.random.default_rng(3))
        found = []
        for seed in range(6):
            known = np.random.default_rng(seed).permutation(400)[:16]
            evidence = Evidence(space.one_hot(rows[known]), carried(rows[known]), np.ones(16))
            encoding = Encoding.of(space)
            process = GaussianProcess.after(evidence, encoding, best_settings(evidence, encoding))
            found.append(np.abs(process.mean(space.one_hot(rows)) - carried(rows)).mean())
        errors[ordered] = np.mean(found)
    assert errors[False] < errors[True]


def test_doubt_is_least_near_where_a_search_starts():
    usual = default_settings(2)
    assert doubt(usual) < doubt(default_settings(2).__class__((3.0, 3.0)))
    for name, value in (("noise", 0.3), ("noise", 1e-5), ("partial_noise", 0.3), ("length", 1.6), ("local", 3.0)):
        assert doubt(usual) < doubt(usual.__class__(usual.weights, **{name: value}))
