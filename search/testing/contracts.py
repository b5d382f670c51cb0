"""Contracts that every objective, surrogate and tactic keeps, and small fakes to run them and searches on.

class TestMyTactic(TacticContract):
    @pytest.fixture
    def tactic(self): return build(SearchConfig(space="fashion_mnist"))
"""

from __future__ import annotations

import time
from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Any, ClassVar

import numpy as np
import pytest

from ...supernets import load_space
from ...supernets.metric import ACCURACY, Metric
from ...supernets.precision import FP32
from ...supernets.space.space import Architecture, Indices, SearchSpace
from ..archive import Archive
from ..config import SearchConfig
from ..prediction.surrogate import Floats, Surrogate
from ..problem.build import build_objectives
from ..problem.context import SearchContext
from ..problem.objective import Objective, Values
from ..problem.problem import Problem, settled
from ..tactic import Tactic


@dataclass(frozen=True)
class AnalyticSupernet:
    """A stand-in for a super-network: accuracy is a formula of the active genes, with effects that interact.

    Draws nothing at random. `seconds` is how long an evaluation pretends to take.
    """

    space: SearchSpace
    seconds: float = 0.0
    metric: Metric = ACCURACY
    precisions: tuple[str, ...] = (FP32,)
    checkpoint_sha256: ClassVar[str | None] = None

    def models(self, architecture: Architecture, *, batch: int = 1, precision: str = FP32) -> None:
        """Return nothing: there are no weights to export."""

    def evaluate(self, architecture: Architecture, split: str, share: float = 1.0, *, precision: str = FP32) -> float:
        """Return a percentage between 60 and 95 that saturates with size, less exact on a share of the images."""
        if self.seconds:
            time.sleep(self.seconds)
        row = np.array([architecture.indices])
        sizes = (row[0] + 1.0) / self.space.radices * self.space.active(row)[0]
        gains = 1.0 + np.sin(1.7 * np.arange(len(sizes)))
        main = float(gains @ sizes / gains.sum())
        pairs = float(np.mean(np.sin(3.0 * sizes[1:] * sizes[:-1])))
        shift = 0.25 if split == "test" else 0.0
        shift += (1.0 - share) * (0.3 + 0.2 * float(np.sin(31.0 * main)))
        return 60.0 + 35.0 * (1.0 - float(np.exp(-3.0 * main - 0.8 * pairs))) - shift


@dataclass(frozen=True)
class LinearLatency:
    """A stand-in for a latency model: 0.2 microseconds a thousand MACs and 20 a gene that is on."""

    space: SearchSpace

    def value_us(self, indices: Indices) -> Values:
        """Estimate (n, d) architectures."""
        return np.asarray(self.space.macs(indices) * 2e-4 + 20.0 * self.space.active(indices).sum(axis=1))


@dataclass(frozen=True)
class FormulaResources:
    """A stand-in for a device: 40 MiB and 8 bytes a parameter, 2 nJ a multiply-accumulate."""

    space: SearchSpace
    memory_refusal: str = ""
    energy_refusal: str = ""

    def memory_mib(self, architecture: Architecture) -> float:
        """Return the memory of a sub-network."""
        return 40.0 + float(self.space.params(np.array([architecture.indices]))[0]) * 8 / 2**20

    def energy_mj(self, architecture: Architecture) -> float:
        """Return the energy of a sub-network."""
        return float(self.space.macs(np.array([architecture.indices]))[0]) * 2e-6


def fake_context(space: str = "fashion_mnist", *, seconds: float = 0.0) -> SearchContext:
    """Build a context of the stand-ins over a real space."""
    loaded = load_space(space)
    resources = {"": FormulaResources(loaded)}
    return SearchContext(loaded, AnalyticSupernet(loaded, seconds), LinearLatency(loaded), resources=resources)


def problem_of(
    space: SearchSpace, objectives: Sequence[Objective], watched: Sequence[Objective] = (), **settings: Any
) -> Problem[Objective]:
    """Return what a search of these objectives is after, with its other settings, as constraints or a region."""
    config = SearchConfig(space=space.name, objectives=tuple(objective.name for objective in objectives), **settings)
    return settled(config, space, objectives, watched)[1]


def measured_archive(context: SearchContext, n: int, *, names: tuple[str, ...] = ("accuracy", "macs")) -> Archive:
    """Build an archive of up to `n` architectures, all of round 0."""
    objectives = build_objectives(names, context)
    rows = np.unique(context.space.sample(n, np.random.default_rng(3)), axis=0)
    values = np.stack([objective.values(rows) for objective in objectives], axis=1)
    problem = problem_of(context.space, objectives)
    return Archive.of(context.space, problem, measured=[(0, row, value) for row, value in zip(rows, values)])


class ObjectiveContract:
    """Behaviour that a search relies on."""

    @pytest.fixture
    def objective(self) -> Objective:
        """The objective under test, over the space `fashion_mnist`."""
        raise NotImplementedError

    @pytest.fixture
    def rows(self) -> Indices:
        """Canonical architectures, (8, d)."""
        return load_space("fashion_mnist").sample(8, np.random.default_rng(1))

    def test_says_what_it_is(self, objective: Objective) -> None:
        """Name, unit and direction are declared, and what a search may ask besides."""
        assert isinstance(objective, Objective)
        assert objective.name
        assert objective.unit
        assert objective.direction in ("max", "min")
        for claim in (objective.costly, objective.divisible, objective.device_independent, objective.knows_worst):
            assert isinstance(claim, bool)
        assert isinstance(objective.on_device, bool)

    def test_values_are_finite_one_an_architecture(self, objective: Objective, rows: Indices) -> None:
        """The shape is (n,)."""
        values = objective.values(rows)
        assert values.shape == (len(rows),)
        assert np.isfinite(values).all()

    def test_values_do_not_depend_on_company(self, objective: Objective, rows: Indices) -> None:
        """An architecture's value is its own: alone, in another order, again."""
        together = objective.values(rows)
        np.testing.assert_allclose(objective.values(rows[::-1])[::-1], together)
        np.testing.assert_allclose([objective.values(row[None])[0] for row in rows], together)


class SurrogateContract:
    """Behaviour that tactics rely on."""

    @pytest.fixture
    def surrogate(self) -> Surrogate:
        """The surrogate under test."""
        raise NotImplementedError

    @pytest.fixture
    def features(self) -> Floats:
        """Masked one-hot rows of the space `fashion_mnist`, (160, k)."""
        space = load_space("fashion_mnist")
        return space.one_hot(space.sample(160, np.random.default_rng(5)))

    def test_recovers_an_additive_function(self, surrogate: Surrogate, features: Floats) -> None:
        """On rows it has not seen, the error is a small part of the spread."""
        targets = 70.0 + features @ np.sin(np.arange(features.shape[1]))
        fitted = surrogate.fit(features[:120], targets[:120], np.random.default_rng(0))
        errors = fitted.predict(features[120:])[0] - targets[120:]
        assert np.sqrt(np.mean(errors**2)) < 0.5 * targets.std()

    def test_is_deterministic(self, surrogate: Surrogate, features: Floats) -> None:
        """The same data and seed give the same predictions."""
        targets = features[:, 0] - features[:, 5]
        first, second = (surrogate.fit(features, targets, np.random.default_rng(0)).predict(features)[0] for _ in "ab")
        assert np.array_equal(first, second)

    def test_two_rows_are_enough(self, surrogate: Surrogate, features: Floats) -> None:
        """Predictions after two measurements are finite."""
        fitted = surrogate.fit(features[:2], np.array([1.0, 2.0]), np.random.default_rng(0))
        assert np.isfinite(fitted.predict(features)[0]).all()

    def test_constant_targets_are_predicted(self, surrogate: Surrogate, features: Floats) -> None:
        """No division by a spread of zero."""
        fitted = surrogate.fit(features, np.full(len(features), 70.0), np.random.default_rng(0))
        np.testing.assert_allclose(fitted.predict(features)[0], 70.0, atol=0.1)

    def test_deviations_are_positive_where_given(self, surrogate: Surrogate, features: Floats) -> None:
        """Shapes are (n,), deviations finite and not negative."""
        mean, deviation = surrogate.fit(features, features[:, 0], np.random.default_rng(0)).predict(features[:7])
        assert mean.shape == (7,)
        assert deviation is None or (
            deviation.shape == (7,) and np.isfinite(deviation).all() and (deviation >= 0).all()
        )


class TacticContract:
    """Behaviour that a run relies on."""

    @pytest.fixture
    def tactic(self) -> Tactic:
        """The tactic under test."""
        raise NotImplementedError

    @pytest.mark.parametrize("measured", [0, 1, 30])
    def test_asks_for_distinct_unseen_canonical_rows(self, tactic: Tactic, measured: int) -> None:
        """Whatever the archive holds; exactly as many as wanted where all are measured in full."""
        context = fake_context()
        archive = measured_archive(context, measured)
        batch = tactic.ask(archive, 7, np.random.default_rng(0), 1)
        assert batch.rows.shape[1:] == (len(context.space.choices),)
        assert np.array_equal(archive.unseen(batch.rows), batch.rows)
        assert len(batch.rows) == 7 or (batch.shares < 1).any()

    @pytest.mark.parametrize("measured", [0, 1, 30])
    @pytest.mark.parametrize("n", [1, 4, 7])
    def test_a_batch_costs_what_the_round_may(self, tactic: Tactic, measured: int, n: int) -> None:
        """Shares are in (0, 1], one a row, and add up to more than 0 and at most `n`."""
        batch = tactic.ask(measured_archive(fake_context(), measured), n, np.random.default_rng(0), 1)
        assert batch.shares.shape == (len(batch.rows),)
        assert ((batch.shares > 0) & (batch.shares <= 1)).all()
        assert 0 < batch.shares.sum() <= n + 1e-9

    def test_expectations_have_a_row_an_architecture(self, tactic: Tactic) -> None:
        """Mean and deviation are (k, m); a deviation is not negative, NaN is no idea."""
        batch = tactic.ask(measured_archive(fake_context(), 30), 5, np.random.default_rng(0), 1)
        assert batch.mean.shape == batch.deviation.shape == (len(batch.rows), 2)
        assert not (batch.deviation < 0).any()
        assert not np.isinf(batch.mean).any()

    def test_failures_are_not_asked_for_again(self, tactic: Tactic) -> None:
        """What failed counts as seen, though it has no values."""
        archive = measured_archive(fake_context(), 12)
        asked = tactic.ask(archive, 4, np.random.default_rng(0), 1).rows
        again = tactic.ask(replace(archive, failed=asked), 4, np.random.default_rng(0), 1).rows
        assert len(replace(archive, failed=asked).unseen(again)) == len(again)

    @pytest.mark.parametrize("measured", [0, 1, 30])
    def test_what_is_pending_is_not_asked_for_again(self, tactic: Tactic, measured: int) -> None:
        """What other workers are measuring counts as seen; an empty batch waits for it."""
        archive = measured_archive(fake_context(), measured)
        asked = tactic.ask(archive, 4, np.random.default_rng(0), 1)
        archive = replace(archive, pending=asked.rows, pending_shares=asked.shares)
        again = tactic.ask(archive, 4, np.random.default_rng(0), 2).rows
        assert len(archive.unseen(again)) == len(again)

    def test_a_round_is_a_pure_function(self, tactic: Tactic) -> None:
        """Asking twice with the same seed gives the same rows."""
        archive = measured_archive(fake_context(), 20)
        first, second = (tactic.ask(archive, 5, np.random.default_rng(4), 1).rows for _ in "ab")
        assert np.array_equal(first, second)
