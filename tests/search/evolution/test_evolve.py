from types import SimpleNamespace

import numpy as np
import pytest

from gnomon.search.archive import first_occurrences
from gnomon.search.evolution.evolve import crossed, mutated, next_generation, nsga2
from gnomon.search.fronts.ranking import best_first
from gnomon.supernets import load_space

SPACE = load_space("fashion_mnist")


def size_and_cost(rows):
    return np.stack([rows.sum(axis=1).astype(float), SPACE.macs(rows)], axis=1)


def evolved(seed, evaluations=150, seeds=None):
    start = np.empty((0, len(SPACE.choices)), dtype=np.int64) if seeds is None else seeds
    return nsga2(
        SPACE,
        size_and_cost,
        ("max", "min"),
        population=20,
        evaluations=evaluations,
        seed_indices=start,
        rng=np.random.default_rng(seed),
    )


@pytest.mark.parametrize("rate", [0.02, 0.1, 0.5])
def test_mutation_changes_genes_at_the_asked_rate(rate):
    rows = np.random.default_rng(0).integers(0, SPACE.radices, (4000, len(SPACE.radices)))
    changed = (mutated(SPACE, rows, rate, np.random.default_rng(1)) != rows).mean()
    assert changed == pytest.approx(rate, rel=0.05)


def test_mutation_reaches_every_other_option_and_stays_inside():
    rows = np.zeros((4000, len(SPACE.radices)), dtype=np.int64)
    children = mutated(SPACE, rows, 1.0, np.random.default_rng(1))
    for gene, radix in enumerate(SPACE.radices):
        assert set(children[:, gene]) == set(range(1, radix))


@pytest.mark.parametrize("radices", [[3] * 12, [1, 2, 3, 4, 7, 2, 5], [2, 2]])
def test_mutation_draws_as_the_generator_does(radices):
    space = SimpleNamespace(radices=np.array(radices))
    rows = np.random.default_rng(1).integers(0, radices, size=(200, len(radices)))
    ours, plain = np.random.default_rng(0), np.random.default_rng(0)
    steps = plain.integers(1, np.maximum(space.radices, 2), size=rows.shape)
    expected = np.where(plain.random(rows.shape) < 0.3, (rows + steps) % space.radices, rows)
    np.testing.assert_array_equal(mutated(space, rows, 0.3, ours), expected)
    assert ours.random() == plain.random()


def test_crossover_takes_every_gene_from_one_of_the_parents():
    parents = np.random.default_rng(0).integers(0, SPACE.radices, (2, 300, len(SPACE.radices)))
    children = crossed(parents, np.random.default_rng(1))
    assert np.array_equal(np.sort(children, axis=0), np.sort(parents, axis=0))
    assert 0.45 < (children[0] == parents[0])[parents[0] != parents[1]].mean() < 0.55


def test_everything_evaluated_is_canonical_distinct_and_counted():
    rows, values = evolved(0)
    assert len(rows) == 150
    assert first_occurrences(rows).all()
    assert np.array_equal(SPACE.canonical(rows), rows)
    assert np.array_equal(values, size_and_cost(rows))


def test_same_seed_same_search():
    assert np.array_equal(evolved(3)[0], evolved(3)[0])
    assert not np.array_equal(evolved(3)[0], evolved(4)[0])


def test_evolution_finds_better_than_its_start():
    rows, values = evolved(0, evaluations=600)
    assert values[:, 1].min() < values[:20, 1].min()
    assert values[:, 0].max() > values[:20, 0].max()
    assert first_occurrences(rows).all()


def test_seeds_come_first():
    seeds = SPACE.sample(5, np.random.default_rng(9))
    assert np.array_equal(evolved(0, seeds=seeds)[0][:5], seeds)


def test_a_new_generation_holds_nothing_seen():
    rows, values = evolved(0, evaluations=40)
    generations = [(rows[:20], values[:20]), (rows[20:], values[20:])]
    children = next_generation(SPACE, generations, ("max", "min"), n=10, population=20, rng=np.random.default_rng(0))
    assert len(children) == 10
    assert first_occurrences(np.concatenate([rows, children])).all()


def test_best_first_puts_feasible_then_front_then_lonely():
    values = np.array([[1.0, 5.0], [3.0, 3.0], [2.9, 2.9], [5.0, 1.0], [9.0, 9.0], [0.0, 0.0]])
    violations = np.array([0, 0, 0, 0, 2.0, 1.0])
    order = best_first(values, ("max", "max"), violations).tolist()
    assert set(order[:2]) == {0, 3}
    assert order[2:] == [1, 2, 5, 4]
