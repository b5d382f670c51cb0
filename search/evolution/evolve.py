"""Evolution over the integer genes of a space: operators, orders, and the loop that an inner search runs.

Which algorithm breeds is a choice (`algorithms/`). Every child is canonical before it is compared, so a gene without
effect never makes two architectures out of one sub-network. All randomness comes from the `rng` given.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence

import numpy as np
from numpy.typing import NDArray

from ...supernets.space.space import Indices, SearchSpace
from ..archive import Archive, first_occurrences, key_of
from ..fronts.ranking import best_first
from ..problem.objective import Direction, Values
from ..problem.objective import minimised as minimised
from .algorithm import ALGORITHMS, CROSSOVER, Algorithm, Setting

Evaluate = Callable[[Indices], Values]
Violation = Callable[[Values], Values]
Judge = Callable[[Indices, Values], tuple[Values, Values]]
Generations = Sequence[tuple[Indices, Values]]

FRESH_ATTEMPTS = 20  # random draws for architectures that are not known yet


def evolve(
    setting: Setting,
    algorithm: Algorithm,
    evaluate: Evaluate,
    judge: Judge,
    *,
    evaluations: int,
    seed_indices: Indices,
    rng: np.random.Generator,
) -> tuple[Indices, Values]:
    """Evolve from `seed_indices` (filled up at random) and return the distinct architectures evaluated, in order.

    `evaluate` gives (n, m) values in natural units for (n, d) canonical architectures, and is asked for exactly
    `evaluations` of them, none twice, or for fewer when random draws find no more. `judge` turns architectures and
    values into costs to minimise (n, m) and violations (n,). Returns (n, d) and (n, m).
    """
    evolution = algorithm.start(setting)
    rows = initial_population(setting.space, seed_indices, min(setting.population, evaluations), rng)
    known: set[bytes] = set()
    asked: list[Indices] = []
    answered: list[Values] = []
    left = evaluations
    while True:
        values = evaluate(rows)
        asked.append(rows)
        answered.append(values)
        left -= len(rows)
        if left == 0:
            break
        known.update(key_of(row) for row in rows)
        evolution.tell(rows, *judge(rows, values))
        n = min(setting.population, left)
        rows = with_fresh(evolution.ask(n, rng), n, setting.space, known, rng)
        if len(rows) == 0:
            break
    return np.concatenate(asked), np.concatenate(answered)


def nsga2(
    space: SearchSpace,
    evaluate: Evaluate,
    directions: Sequence[Direction],
    *,
    population: int,
    evaluations: int,
    seed_indices: Indices,
    rng: np.random.Generator,
    violation: Violation | None = None,
    crossover: float = CROSSOVER,
    mutation: float | None = None,
) -> tuple[Indices, Values]:
    """Evolve by NSGA-II; as `evolve`, with values in `directions` and a `violation` of (n, m) values."""
    setting = Setting(space, len(directions), population, crossover, mutation, int(rng.integers(2**31)))
    return evolve(
        setting,
        ALGORITHMS.load("nsga2")(),
        evaluate,
        judge_of(directions, violation),
        evaluations=evaluations,
        seed_indices=seed_indices,
        rng=rng,
    )


def offspring(
    setting: Setting,
    algorithm: Algorithm,
    generations: Sequence[tuple[Indices, Values, Values]],
    *,
    n: int,
    rng: np.random.Generator,
) -> Indices:
    """Breed up to `n` children that no generation holds, after letting the generations so far compete in order.

    `generations` are (rows (n, d), costs (n, m), violations (n,)), oldest first. The answer depends on them, on the
    setting and on `rng` only.
    """
    evolution = algorithm.start(setting)
    for rows, costs, violations in generations:
        evolution.tell(rows, costs, violations)
    return evolution.ask(n, rng)


def next_generation(
    space: SearchSpace,
    generations: Generations,
    directions: Sequence[Direction],
    *,
    n: int,
    population: int,
    rng: np.random.Generator,
    violation: Violation | None = None,
    crossover: float = CROSSOVER,
    mutation: float | None = None,
) -> Indices:
    """Breed by NSGA-II; as `offspring`, from (rows (n, d), values (n, m)) in `directions`."""
    setting = Setting(space, len(directions), population, crossover, mutation)
    judge = judge_of(directions, violation)
    judged = [(rows, *judge(rows, values)) for rows, values in generations]
    return offspring(setting, ALGORITHMS.load("nsga2")(), judged, n=n, rng=rng)


def judge_of(directions: Sequence[Direction], violation: Violation | None = None) -> Judge:
    """Judge by values in `directions` alone."""

    def judge(rows: Indices, values: Values) -> tuple[Values, Values]:
        return minimised(values, directions), np.zeros(len(values)) if violation is None else violation(values)

    return judge


def ranked(archive: Archive, rows: Indices, values: Values, violations: Values | None = None) -> NDArray[np.intp]:
    """Order (n, d) rows of (n, m) values by violation, front and crowding, (n,): constraints, region, dominance.

    `violations` (n,) of the constraints are used where given, else by what the values say.
    """
    costs, violations = archive.judged(rows, values, violations)
    return best_first(costs, ("min",) * costs.shape[1], violations)


def crossed(parents: Indices, rng: np.random.Generator) -> Indices:
    """Swap each gene of two parents with probability one half; (2, n, d) to (2, n, d)."""
    swap = rng.random(parents.shape[1:]) < 0.5
    return np.stack([np.where(swap, parents[1], parents[0]), np.where(swap, parents[0], parents[1])])


def mutated(space: SearchSpace, rows: Indices, rate: float, rng: np.random.Generator) -> Indices:
    """Reset each gene of (n, d) rows, with probability `rate`, to another option chosen evenly.

    How far that is from the present one, 32 random bits scaled to the number of others say: as `rng.integers` does,
    but for one draw in 2**32.
    """
    several = np.flatnonzero(space.radices > 2)  # where there is one other option at most, nothing is drawn
    bits = np.zeros(rows.shape, dtype=np.uint64)
    bits[:, several] = rng.integers(0, 2**32, size=(len(rows), len(several)), dtype=np.uint32)
    row, gene = np.nonzero(rng.random(rows.shape) < rate)
    others = (space.radices - 1).astype(np.uint64)[gene]
    steps = 1 + (bits[row, gene] * others >> np.uint64(32)).astype(np.int64)  # 1..others: never the same option
    changed = rows.copy()
    changed[row, gene] = (rows[row, gene] + steps) % space.radices[gene]
    return changed


def initial_population(space: SearchSpace, seeds: Indices, n: int, rng: np.random.Generator) -> Indices:
    """Return `n` canonical rows: the seeds first, then random ones; distinct as far as a few draws find."""
    rows = space.canonical(np.asarray(seeds, dtype=np.int64).reshape(-1, len(space.choices)))
    return with_fresh(rows[first_occurrences(rows)][:n], n, space, set(), rng)


def with_fresh(rows: Indices, n: int, space: SearchSpace, known: set[bytes], rng: np.random.Generator) -> Indices:
    """Fill distinct (k, d) rows up to `n` with random ones that are not `known`, as far as a few draws find."""
    for _ in range(FRESH_ATTEMPTS):
        if len(rows) >= n:
            break
        drawn = space.sample(n, rng)
        news = [key_of(row) not in known for row in drawn]
        rows = np.concatenate([rows, drawn[news]])
        rows = rows[first_occurrences(rows)][:n]
    return rows
