import numpy as np
import pytest

from gnomon.search.acquisition.candidates import KEPT, bred
from gnomon.search.acquisition.initial_design import informative
from gnomon.search.archive import Archive, every_architecture
from gnomon.search.prediction.kernel import Basis, Encoding, default_settings
from gnomon.search.prediction.posterior import Posterior
from gnomon.search.problem.build import build_objectives
from gnomon.search.testing.contracts import fake_context, measured_archive, problem_of


def information(space, rows):
    """Return the log determinant of what partial evaluations of `rows` tell."""
    encoding = Encoding.of(space)
    features = space.one_hot(rows)
    every = space.one_hot(space.sample(500, np.random.default_rng(5)))
    settings = default_settings(len(encoding.views))
    covariance = Basis.of(encoding, every).components(features, features).covariance(settings)
    return np.linalg.slogdet(np.eye(len(rows)) + covariance / settings.variances(np.array([0.1])))[1]


@pytest.mark.parametrize("measured", [0, 1, 30])
@pytest.mark.parametrize("n", [1, 40])
def test_informative_rows_are_distinct_unseen_and_as_many_as_asked(measured, n):
    archive = measured_archive(fake_context(), measured)
    rows = informative(archive, n, 0.1, np.random.default_rng(0))
    assert len(rows) == n
    assert np.array_equal(archive.unseen(rows), rows)


def test_what_was_evaluated_in_part_is_not_looked_at_again():
    archive = measured_archive(fake_context(), 5)
    looked = informative(archive, 30, 0.1, np.random.default_rng(0))
    partial = [(0.1, row, (80.0, 1.0)) for row in looked]
    known = Archive.of(archive.space, archive.problem, partial=partial)
    again = informative(known, 30, 0.1, np.random.default_rng(0))
    assert len(again) == 30
    assert known.not_partially_evaluated(again).all()
    assert not known.not_partially_evaluated(looked).any()


@pytest.mark.parametrize("seed", range(3))
def test_informative_rows_tell_more_than_random_ones(seed):
    archive = measured_archive(fake_context(), 0)
    rng = np.random.default_rng(seed)
    chosen = information(archive.space, informative(archive, 20, 0.1, rng))
    drawn = [information(archive.space, archive.space.sample(20, rng)) for _ in range(10)]
    assert chosen > 1.05 * max(drawn)


def test_a_small_space_has_no_more_rows_than_it_has(six, six_context):
    archive = Archive.of(six, problem_of(six, build_objectives(("accuracy", "macs"), six_context)))
    rows = informative(archive, 40, 0.1, np.random.default_rng(0))
    assert sorted(map(tuple, rows)) == sorted(map(tuple, every_architecture(six)))
    full = Archive.of(six, archive.problem, measured=[(0, row, (90.0, 1.0)) for row in rows])
    assert informative(full, 40, 0.1, np.random.default_rng(0)).shape == (0, 3)


def test_nothing_asked_is_nothing_chosen():
    assert informative(measured_archive(fake_context(), 3), 0, 0.1, np.random.default_rng(0)).shape == (0, 26)


def test_children_are_canonical_distinct_and_better_than_chance():
    archive = measured_archive(fake_context(), 30)
    posterior = Posterior.of(archive)
    rows = bred(archive, posterior, np.random.default_rng(0))
    assert 50 < len(rows) <= KEPT
    assert np.array_equal(np.unique(rows, axis=0), np.unique(archive.space.canonical(rows), axis=0))
    assert len(np.unique(rows, axis=0)) == len(rows)
    drawn = archive.space.sample(20 * len(rows), np.random.default_rng(1))
    at_most = np.median(posterior.mean(rows)[:, 1])
    bred_best, drawn_best = (
        posterior.mean(some)[posterior.mean(some)[:, 1] <= at_most, 0].max() for some in (rows, drawn)
    )
    assert bred_best > drawn_best


@pytest.mark.slow
def test_breeding_is_a_function_of_archive_and_seed():
    archive = measured_archive(fake_context(), 12)
    posterior = Posterior.of(archive)
    one, same, other = (bred(archive, posterior, np.random.default_rng(seed)) for seed in (0, 0, 1))
    assert np.array_equal(one, same)
    assert not np.array_equal(one, other)


def test_breeding_ends_where_a_small_space_does(six, six_context):
    objectives = build_objectives(("accuracy", "macs"), six_context)
    rows = every_architecture(six)
    values = np.stack([objective.values(rows) for objective in objectives], axis=1)
    measured = [(0, row, value) for row, value in zip(rows, values)]
    archive = Archive.of(six, problem_of(six, objectives), measured=measured)
    found = bred(archive, Posterior.of(archive), np.random.default_rng(0))
    assert sorted(map(tuple, found)) == sorted(map(tuple, rows))
