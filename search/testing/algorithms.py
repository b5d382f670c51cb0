"""The contract that every evolutionary algorithm keeps, run on the stand-ins of `testing`.

class TestMyAlgorithm(AlgorithmContract):
    @pytest.fixture
    def algorithm(self): return build()
"""

from __future__ import annotations

import warnings

import numpy as np
import pytest

from ...supernets.space.space import Indices
from ..archive import first_occurrences
from ..evolution.algorithm import Algorithm, Evolution, Setting
from ..evolution.evolve import evolve, judge_of, minimised
from ..fronts.pareto import hypervolume
from ..fronts.ranking import best_first
from ..problem.build import build_objectives
from ..problem.objective import Values
from .contracts import fake_context

NAMES = ("accuracy", "latency", "params")
CONTEXT = fake_context()
SPACE = CONTEXT.space
OBJECTIVES = build_objectives(NAMES, CONTEXT)
DIRECTIONS = tuple(objective.direction for objective in OBJECTIVES)
NOBODY = np.empty((0, len(SPACE.choices)), dtype=np.int64)


def values_of(rows: Indices, m: int) -> Values:
    """Return the first `m` of a percentage that saturates with size, latency and params, (n, m)."""
    sizes = (rows + 1.0) / SPACE.radices * SPACE.active(rows)
    gains = 1.0 + np.sin(1.7 * np.arange(sizes.shape[1]))
    pairs = np.sin(3.0 * sizes[:, 1:] * sizes[:, :-1]).mean(axis=1)
    percent = 95.0 - 35.0 * np.exp(-3.0 * sizes @ gains / gains.sum() - 0.8 * pairs)
    return np.stack([percent, *(objective.values(rows) for objective in OBJECTIVES[1:])], axis=1)[:, :m]


def volume(values: Values, bound: float = np.inf) -> float:
    """Return the hypervolume of (n, m) values, latencies above `bound` left out, in ranges of a fixed sample."""
    m = values.shape[1]
    costs = minimised(values, DIRECTIONS[:m])
    probe = minimised(values_of(SPACE.sample(300, np.random.default_rng(0)), m), DIRECTIONS[:m])
    low, high = probe.min(axis=0), probe.max(axis=0)
    kept = values[:, 1] <= bound if m > 1 else np.ones(len(values), dtype=np.bool_)
    return hypervolume(((costs - low) / (high - low))[kept], ("min",) * m, (1.0,) * m)


def grown(algorithm: Algorithm, m: int, sizes: tuple[int, ...], *, scale: float = 1.0) -> Evolution:
    """Start an evolution and tell it random generations of the given sizes."""
    evolution = algorithm.start(Setting(SPACE, m, 10, seed=3))
    rows = SPACE.sample(2 * sum(sizes), np.random.default_rng(5))
    rows = rows[first_occurrences(rows)]
    costs = scale * minimised(values_of(rows, m), DIRECTIONS[:m])
    for start, size in zip(np.cumsum([0, *sizes]), sizes):
        part = slice(start, start + size)
        evolution.tell(rows[part], costs[part], np.zeros(size))
    return evolution


def counts(algorithm: Algorithm) -> list[int]:
    """Return the numbers of objectives, up to three, that an algorithm takes."""
    return [m for m in (1, 2, 3) if algorithm.takes.suits(m, constrained=False)]


class AlgorithmContract:
    """Behaviour that tactics rely on."""

    @pytest.fixture
    def algorithm(self) -> Algorithm:
        """The algorithm under test."""
        raise NotImplementedError

    def evolved(self, algorithm: Algorithm, m: int, seed: int, evaluations: int = 240) -> tuple[Indices, Values]:
        """Evolve on the stand-ins."""
        return evolve(
            Setting(SPACE, m, 20, seed=seed),
            algorithm,
            lambda rows: values_of(rows, m),
            judge_of(DIRECTIONS[:m]),
            evaluations=evaluations,
            seed_indices=NOBODY,
            rng=np.random.default_rng(seed),
        )

    def test_says_what_it_takes(self, algorithm: Algorithm) -> None:
        """There is a number of objectives that it is for."""
        assert str(algorithm.takes)
        assert counts(algorithm)

    @pytest.mark.parametrize("evaluations", [1, 20, 57])
    def test_evaluates_exactly_what_is_asked_and_nothing_twice(self, algorithm: Algorithm, evaluations: int) -> None:
        """Also less than a population, and a part of one at the end."""
        for m in counts(algorithm):
            rows, values = self.evolved(algorithm, m, 0, evaluations)
            assert len(rows) == evaluations
            assert first_occurrences(rows).all()
            assert np.array_equal(SPACE.canonical(rows), rows)
            assert np.array_equal(values, values_of(rows, m))

    def test_the_seed_decides(self, algorithm: Algorithm) -> None:
        """Same seed, same architectures; another seed, others."""
        for m in counts(algorithm):
            first, again, other = (self.evolved(algorithm, m, seed, 80)[0] for seed in (3, 3, 4))
            assert np.array_equal(first, again)
            assert not np.array_equal(first, other)

    @pytest.mark.parametrize("sizes", [(1,), (10,), (3, 10, 10), (40, 10, 2, 1), (2, 30, 7)])
    def test_generations_of_any_size_can_be_told(self, algorithm: Algorithm, sizes: tuple[int, ...]) -> None:
        """Children are canonical, distinct and unseen."""
        told = SPACE.sample(2 * sum(sizes), np.random.default_rng(5))[: sum(sizes)]
        for m in counts(algorithm):
            children = grown(algorithm, m, sizes).ask(7, np.random.default_rng(0))
            assert len(children) == 7
            assert np.array_equal(SPACE.canonical(children), children)
            assert first_occurrences(np.concatenate([told, children])).all()

    def test_asking_changes_nothing(self, algorithm: Algorithm) -> None:
        """Neither what is asked next, nor who survives."""
        rows = SPACE.sample(10, np.random.default_rng(77))
        for m in counts(algorithm):
            quiet, asked = (grown(algorithm, m, (10, 10)) for _ in "ab")
            first = asked.ask(5, np.random.default_rng(1))
            assert np.array_equal(asked.ask(5, np.random.default_rng(1)), first)
            for evolution in (quiet, asked):
                evolution.tell(rows, minimised(values_of(rows, m), DIRECTIONS[:m]), np.zeros(10))
            one, other = (evolution.ask(9, np.random.default_rng(2)) for evolution in (quiet, asked))
            assert np.array_equal(one, other)

    @pytest.mark.parametrize("scale", [2.0**-40, 2.0**40])
    def test_the_unit_of_costs_does_not_matter(self, algorithm: Algorithm, scale: float) -> None:
        """No hidden epsilon decides."""
        for m in counts(algorithm):
            one, other = (
                grown(algorithm, m, (12, 10, 10), scale=factor).ask(8, np.random.default_rng(1))
                for factor in (1.0, scale)
            )
            assert np.array_equal(one, other)

    def test_equal_costs_are_no_obstacle(self, algorithm: Algorithm) -> None:
        """A landscape without any difference is walked all the same."""
        for m in counts(algorithm):
            rows, _ = evolve(
                Setting(SPACE, m, 8),
                algorithm,
                lambda rows, m=m: np.ones((len(rows), m)),  # type: ignore[misc]
                judge_of(DIRECTIONS[:m]),
                evaluations=50,
                seed_indices=NOBODY,
                rng=np.random.default_rng(0),
            )
            assert len(rows) == 50

    @pytest.mark.parametrize("population", [1, 2, 3])
    def test_small_populations_work(self, algorithm: Algorithm, population: int) -> None:
        """Down to a single parent."""
        for m in counts(algorithm):
            evolution = algorithm.start(Setting(SPACE, m, population))
            rows = SPACE.sample(population, np.random.default_rng(0))
            for _ in range(4):
                evolution.tell(rows, minimised(values_of(rows, m), DIRECTIONS[:m]), np.zeros(len(rows)))
                rows = evolution.ask(population, np.random.default_rng(1))
                assert len(rows) == population

    def test_beats_random_sampling(self, algorithm: Algorithm) -> None:
        """Clearly, on a landscape without traps."""
        drawn = [SPACE.sample(400, np.random.default_rng(seed)) for seed in range(3)]
        for m in counts(algorithm):
            best_drawn = max(volume(values_of(rows, m)) for rows in drawn)
            assert min(volume(self.evolved(algorithm, m, seed, 400)[1]) for seed in range(3)) > best_drawn

    @pytest.mark.parametrize("infeasible", ["most", "all"])
    def test_what_breaks_less_comes_first(self, algorithm: Algorithm, infeasible: str) -> None:
        """A bound that hardly any random network keeps is reached, or come nearer to where it cannot be."""
        if not algorithm.takes.constraints:
            pytest.skip(f"takes {algorithm.takes}")
        latencies = OBJECTIVES[1].values(SPACE.sample(1000, np.random.default_rng(1)))
        bound = float(latencies.min()) if infeasible == "most" else 0.1 * float(latencies.min())

        def violation(rows: Indices) -> Values:
            return np.asarray(np.maximum(OBJECTIVES[1].values(rows) / bound - 1.0, 0.0))

        for m in counts(algorithm):
            rows, values = evolve(
                Setting(SPACE, m, 20),
                algorithm,
                lambda rows, m=m: values_of(rows, m),  # type: ignore[misc]
                lambda rows, values, m=m: (minimised(values, DIRECTIONS[:m]), violation(rows)),  # type: ignore[misc]
                evaluations=300,
                seed_indices=NOBODY,
                rng=np.random.default_rng(0),
            )
            early, late = violation(rows[:20]), violation(rows[-100:])
            assert early.min() > 0
            assert late.min() < early.min()
            assert np.median(late) < np.median(early)
            assert (late == 0).any() == (infeasible == "most")
            assert violation(rows)[best_first(values, DIRECTIONS[:m], violation(rows))[0]] == violation(rows).min()

    def test_leaves_the_process_as_it_was(self, algorithm: Algorithm) -> None:
        """Neither numpy's global generator nor the filter of warnings is changed."""
        for m in counts(algorithm):
            self.evolved(algorithm, m, 0, 60)  # scipy, when it is first imported, adds filters of its own
        before = global_state()
        for m in counts(algorithm):
            self.evolved(algorithm, m, 0, 60)
        assert global_state() == before


def global_state() -> tuple[str, str]:
    """Return what a library could change behind one's back: numpy's global generator, and the filter of warnings."""
    return str(np.random.get_state(legacy=False)), str(warnings.filters)  # noqa: NPY002
