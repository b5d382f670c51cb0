from dataclasses import replace

import numpy as np
import pytest

from gnomon.search.archive import Archive
from gnomon.search.prediction.expectation import Expectation
from gnomon.search.prediction.gaussian_process import (
    AT_RANDOM,
    DECIDING,
    JITTER,
    Evidence,
    GaussianProcess,
    best_settings,
)
from gnomon.search.prediction.kernel import Basis, Encoding, Settings, common_errors, default_settings
from gnomon.search.prediction.posterior import MOST_TO_FIT, MOST_TO_TUNE, Hashed, Posterior, kept, step, tuned
from gnomon.search.problem.build import build_objectives
from gnomon.search.testing.contracts import fake_context, problem_of
from gnomon.supernets import load_space

SPACE = load_space("fashion_mnist")
ENCODING = Encoding.of(SPACE)
SETTINGS = Settings((0.3,) * len(ENCODING.views), noise=1e-2, partial_noise=1e-2)


def features(n, seed=1):
    return SPACE.one_hot(np.unique(SPACE.sample(n, np.random.default_rng(seed)), axis=0))


def additive(rows):
    return 80.0 + rows @ np.sin(1.3 * np.arange(rows.shape[1]))


def archive(full, partial, share=0.1, names=("accuracy", "macs")):
    context = fake_context()
    objectives = build_objectives(names, context)
    rows = np.unique(SPACE.sample(full + partial + 30, np.random.default_rng(3)), axis=0)
    rows = np.random.default_rng(4).permutation(rows)[: full + partial]
    values = np.stack([objective.values(rows) for objective in objectives], axis=1)
    if objectives[0].costly:
        values[full:, 0] = objectives[0].values_on(rows[full:], share)
    return Archive.of(
        SPACE,
        problem_of(SPACE, objectives),
        measured=[(0, row, value) for row, value in zip(rows[:full], values[:full])],
        partial=[(share, row, value) for row, value in zip(rows[full:], values[full:])],
    )


def test_the_posterior_is_the_textbooks():
    rows, new = features(12), features(5, seed=2)
    targets, shares = additive(rows), np.array([1.0, 0.1] * 6)[: len(rows)]
    process = GaussianProcess.after(Evidence(rows, targets, shares), ENCODING, SETTINGS)
    basis = Basis.of(ENCODING, rows)
    noise = np.diag(SETTINGS.noise + SETTINGS.partial_noise * (1 / shares - 1) + JITTER)
    own = (
        basis.components(rows, rows).covariance(SETTINGS)
        + SETTINGS.partial_noise * AT_RANDOM * common_errors(shares)
        + noise
    )
    across, prior = (basis.components(new, other).covariance(SETTINGS) for other in (rows, new))
    centre, spread = np.average(targets, weights=shares), targets.std()
    scaled = (targets - centre) / spread
    scale = scaled @ np.linalg.solve(own, scaled) / len(scaled)
    mean, beliefs = process.beliefs(new)
    covariance = np.stack([beliefs.covariances(position) for position in range(len(new))])
    assert mean == pytest.approx(centre + spread * across @ np.linalg.solve(own, scaled))
    expected = (prior - across @ np.linalg.solve(own, across.T)) * scale * spread**2
    np.testing.assert_allclose(covariance, expected, atol=1e-9 * spread**2)
    np.testing.assert_allclose(beliefs.variances, np.diag(expected), atol=1e-9 * spread**2)
    assert process.predict(new)[0] == pytest.approx(mean)
    assert process.mean(new) == pytest.approx(mean)
    assert process.predict(new)[1] == pytest.approx(np.sqrt(np.diag(expected)))


def test_the_covariance_is_its_components_added_up():
    rows, new = features(12), features(5, seed=2)
    basis, settings = Basis.of(ENCODING, rows), replace(SETTINGS, length=0.1, local=3.0)
    settings = replace(settings, weights=tuple(0.1 * n for n in range(len(settings.weights))))
    expected = basis.components(new, rows).covariance(settings)
    np.testing.assert_allclose(basis.covariance(new, rows, settings), expected, rtol=1e-12)
    weights = np.sin(np.arange(len(rows)))
    expectation = Expectation.of(basis, settings, rows, weights)
    np.testing.assert_allclose(expectation(new), expected @ weights, rtol=1e-9, atol=1e-12)


def test_a_partial_evaluation_is_less_believed_than_a_full_measurement():
    rows = features(30)
    targets = additive(rows)
    surprised = targets + np.where(np.arange(len(rows)) == 0, 8.0, 0.0)
    moved, unsure = [], []
    for share in (1.0, 0.1):
        shares = np.where(np.arange(len(rows)) == 0, share, 1.0)
        before, after = (
            GaussianProcess.after(Evidence(rows, t, shares), ENCODING, SETTINGS) for t in (targets, surprised)
        )
        moved.append(abs(after.mean(rows[:1])[0] - before.mean(rows[:1])[0]))
        unsure.append(after.predict(rows[:1])[1][0])
    assert moved[1] < 0.7 * moved[0]
    assert unsure[1] > unsure[0]


def test_a_shift_that_all_partial_evaluations_share_is_not_believed():
    rows, new = features(60), features(40, seed=2)
    shares = np.where(np.arange(len(rows)) < 12, 1.0, 0.1)
    settings = replace(SETTINGS, noise=1e-4, partial_noise=3e-2)
    truth = additive(rows)
    spread = truth.std()
    honest, shifted = (
        GaussianProcess.after(
            Evidence(rows, truth + np.where(shares < 1, shift, 0.0), shares), ENCODING, settings
        ).mean(new)
        for shift in (0.0, 0.5 * spread)
    )
    assert np.abs(shifted - honest).max() < 0.15 * spread
    independent = GaussianProcess.after(
        Evidence(rows, truth + np.where(shares < 1, 0.5 * spread, 0.0), np.ones(len(rows))), ENCODING, settings
    ).mean(new)
    assert np.abs(independent - honest).mean() > 3 * np.abs(shifted - honest).mean()


def test_what_lies_below_its_prediction_is_not_put_down_to_the_share_it_was_measured_on():
    rows = features(80)
    has = rows[:, 0] == 1.0
    full, part = rows[~has][:20], rows[has][:20]
    spread = additive(rows).std()
    evidence = Evidence(
        np.concatenate([full, full[:5], part]),
        np.concatenate([additive(full), additive(full[:5]), additive(part) - spread]),
        np.concatenate([np.ones(20), np.full(5, 0.2), np.full(len(part), 0.5)]),
        DECIDING,
    )
    process = GaussianProcess.after(evidence, ENCODING, best_settings(evidence, ENCODING))
    assert np.abs(process.mean(part) - (additive(part) - spread)).mean() < 0.2 * spread


def test_more_of_the_data_is_more_exact():
    process = GaussianProcess.after(Evidence(features(20), additive(features(20)), np.ones(20)), ENCODING, SETTINGS)
    noises = [process.noise(share, np.array([0.0]))[0] for share in (0.05, 0.1, 0.5, 1.0)]
    assert noises == sorted(noises, reverse=True)
    assert noises[-1] > 0


@pytest.mark.parametrize(("noise", "least", "most"), [(0.0, 0.0, 3e-3), (0.5, 3e-2, 1.0)])
def test_noise_is_recovered_from_the_data(noise, least, most):
    rows = features(120)
    truth = additive(rows)
    disturbed = truth + noise * truth.std() * np.random.default_rng(0).standard_normal(len(rows))
    settings = best_settings(Evidence(rows, disturbed, np.ones(len(rows))), ENCODING)
    process = GaussianProcess.after(Evidence(rows, disturbed, np.ones(len(rows))), ENCODING, settings)
    assert least <= process.noise(1.0, np.array([0.0]))[0] / truth.var() <= most


def test_settings_found_predict_an_additive_function_better_than_those_started_from():
    rows, new = features(80), features(60, seed=2)
    evidence = Evidence(rows, additive(rows), np.ones(len(rows)))
    errors = [
        np.abs(GaussianProcess.after(evidence, ENCODING, settings).mean(new) - additive(new)).mean()
        for settings in (best_settings(evidence, ENCODING), default_settings(len(ENCODING.views)))
    ]
    assert errors[0] < errors[1]
    assert errors[0] < 0.1 * additive(new).std()


def test_what_a_gene_without_weight_does_is_not_learnt():
    settings = Settings((0.0,) * len(ENCODING.views), local=1e-9)
    process = GaussianProcess.after(Evidence(features(20), additive(features(20)), np.ones(20)), ENCODING, settings)
    assert np.ptp(process.mean(features(20, seed=2))) < 1e-3


@pytest.mark.parametrize("n", [1, 2])
def test_constant_and_single_targets_have_a_posterior(n):
    rows = features(n)
    process = GaussianProcess.after(Evidence(rows, np.full(n, 70.0), np.ones(n)), ENCODING, SETTINGS)
    mean, deviation = process.predict(features(9, seed=2))
    assert mean == pytest.approx(np.full(len(mean), 70.0))
    assert np.isfinite(deviation).all()


def test_families_of_genes_have_a_view_each_and_cover_every_gene_once():
    views = ENCODING.views[:-1]
    assert sum(view.shape[1] for view in views) == len(features(1)[0])
    assert (sum(view.sum(axis=1) for view in views) == 1).all()


def test_rounds_between_two_steps_share_their_settings():
    assert [len(step(n)) for n in (0, 1, 2, 3)] == [0, 1, 2, 3]
    sizes = [len(step(n)) for n in range(400)]
    assert sizes == sorted(sizes)
    assert max(sizes) == MOST_TO_TUNE
    assert len(set(map(tuple, (step(n).tolist() for n in range(100, 200))))) < 5


def test_forgetting_what_was_worked_out_changes_nothing():
    known, new = archive(14, 20), SPACE.sample(10, np.random.default_rng(9))
    first = Posterior.of(known).expected(new)
    again = Posterior.of(known).expected(new)
    Posterior.of(archive(15, 30)).expected(new)
    tuned.cache_clear()
    fresh = Posterior.of(known).expected(new)
    for found in (again, fresh):
        assert np.array_equal(first[0], found[0])
        assert np.array_equal(first[1], found[1])


def test_equal_numbers_seen_by_another_encoding_are_other_evidence():
    evidence = Evidence(features(4), additive(features(4)), np.ones(4))
    one, other = Encoding((np.eye(evidence.features.shape[1]),)), Encoding((np.ones((evidence.features.shape[1], 1)),))
    assert Hashed(evidence, one) == Hashed(evidence, one)
    assert Hashed(evidence, one) != Hashed(evidence, other)


def test_cheap_objectives_are_exact():
    known = archive(12, 0)
    rows = SPACE.sample(10, np.random.default_rng(9))
    mean, deviation = Posterior.of(known).expected(rows)
    assert mean[:, 1] == pytest.approx(known.objectives[1].values(rows))
    assert (deviation[:, 1] == 0).all()
    assert (deviation[:, 0] > 0).all()


@pytest.mark.parametrize(("full", "partial"), [(2000, 0), (2000, 300), (400, 600), (600, 50)])
def test_a_process_of_many_measurements_stays_bounded_and_keeps_the_front(full, partial):
    from gnomon.search.fronts.pareto import non_dominated

    known = archive(full, partial, names=("params", "macs"))
    positions, looks = kept(known)
    assert len(positions) + len(looks) <= MOST_TO_FIT
    assert len(np.unique(positions)) == len(positions)
    assert set(np.flatnonzero(non_dominated(known.values, known.directions))) <= set(positions.tolist())


@pytest.mark.slow
def test_two_thousand_measurements_are_conditioned_on_in_part():
    known = archive(2000, 200)
    process = Posterior.of(known).processes[0]
    assert len(process.evidence.targets) == MOST_TO_FIT
    rows = SPACE.sample(50, np.random.default_rng(9))
    errors = Posterior.of(known).mean(rows)[:, 0] - known.objectives[0].values(rows)
    assert np.abs(errors).mean() < 0.2 * known.values[:, 0].std()
