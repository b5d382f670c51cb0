"""NSGA-II over the integer genes of a space: the only file that imports pymoo, and the only one that flips signs.

pymoo minimises, so maximised columns change sign on the way in. Its operators are written for real numbers; the
ones here cross and mutate option indices, and every child is canonical before it is compared, so a gene without
effect never makes two architectures out of one sub-network. All randomness comes from the `rng` given.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from ..supernets.space import Indices, SearchSpace
from .archive import first_occurrences, key_of
from .objective import Direction, Values

Evaluate = Callable[[Indices], Values]
Violation = Callable[[Values], Values]

CROSSOVER = 0.9
MATING_ATTEMPTS = 20  # times that children are bred again when all were duplicates


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
    """Evolve from `seed_indices` (filled up at random) and return all distinct architectures evaluated.

    `evaluate` gives (n, m) values in natural units for (n, d) canonical architectures and is asked for exactly
    `evaluations` architectures, or fewer when no new children can be bred. `violation` gives (n,) for (n, m) values,
    0 where feasible. `mutation` is the rate a gene, 1/d by default. Returns (n, d) and (n, m) in order of evaluation.
    """
    start = initial_population(space, seed_indices, min(population, evaluations), rng)
    algorithm = algorithm_from(
        space, directions, start, population=population, rates=(crossover, mutation), excluded=frozenset(), rng=rng
    )
    asked: list[Indices] = []
    answered: list[Values] = []
    spent = 0
    while spent < evaluations:
        offspring = algorithm.ask()
        if offspring is None or len(offspring) == 0:
            break
        offspring = offspring[: evaluations - spent]
        rows = offspring.get("X").astype(np.int64)
        values = evaluate(rows)
        tell(algorithm, offspring, values, directions, violation)
        asked.append(rows)
        answered.append(values)
        spent += len(rows)
    all_rows, all_values = np.concatenate(asked), np.concatenate(answered)
    first = first_occurrences(all_rows)
    return all_rows[first], all_values[first]


def next_generation(
    space: SearchSpace,
    generations: Sequence[tuple[Indices, Values]],
    directions: Sequence[Direction],
    *,
    n: int,
    population: int,
    rng: np.random.Generator,
    violation: Violation | None = None,
    crossover: float = CROSSOVER,
    mutation: float | None = None,
) -> Indices:
    """Breed up to `n` children that no generation holds, after letting the generations so far compete in order.

    `generations` are (rows (n, d), values (n, m)), oldest first. The answer depends on them and `rng` only.
    """
    from pymoo.core.population import Population

    excluded = frozenset(key_of(row) for rows, _ in generations for row in rows)
    algorithm = algorithm_from(
        space,
        directions,
        generations[0][0],
        population=population,
        rates=(crossover, mutation),
        excluded=excluded,
        rng=np.random.default_rng(0),  # ties of survivors: the same in every replay
    )
    for rows, values in generations:
        tell(algorithm, Population.new("X", rows), values, directions, violation)
    algorithm.random_state = rng
    algorithm.n_offsprings = n
    offspring = algorithm.ask()
    if offspring is None:
        return np.empty((0, len(space.choices)), dtype=np.int64)
    return np.asarray(offspring.get("X"), dtype=np.int64)[:n]


def best_first(values: Values, directions: Sequence[Direction], violations: Values | None = None) -> NDArray[np.intp]:
    """Order (n, m) values: feasible before infeasible, then by front, then the least crowded first, (n,)."""
    from moocore import pareto_rank

    broken = np.zeros(len(values)) if violations is None else violations
    ranks = np.zeros(len(values), dtype=np.int64)
    crowding = np.zeros(len(values))
    feasible = np.flatnonzero(broken == 0)
    if len(feasible):
        costs = minimised(values[feasible], directions)
        ranks[feasible] = pareto_rank(costs)
        for rank in range(int(ranks[feasible].max()) + 1):
            front = feasible[ranks[feasible] == rank]
            crowding[front] = crowding_distances(values[front])
    return np.lexsort((np.arange(len(values)), -crowding, ranks, broken))


def crowding_distances(values: Values) -> Values:
    """Return the gaps around each of (n, m) points summed over objectives, (n,); infinite at the ends."""
    total = np.zeros(len(values))
    for column in values.T:
        order = np.argsort(column, kind="stable")
        span = column[order[-1]] - column[order[0]]
        if span > 0:
            gaps = np.full(len(column), np.inf)
            gaps[1:-1] = (column[order[2:]] - column[order[:-2]]) / span
            total[order] += gaps
    return total


def minimised(values: Values, directions: Sequence[Direction]) -> Values:
    """Flip the sign of maximised columns of (n, m) values."""
    signs = np.array([-1.0 if direction == "max" else 1.0 for direction in directions])
    return np.asarray(values * signs, dtype=np.float64)


def crossed(parents: Indices, rng: np.random.Generator) -> Indices:
    """Swap each gene of two parents with probability one half; (2, n, d) to (2, n, d)."""
    swap = rng.random(parents.shape[1:]) < 0.5
    return np.stack([np.where(swap, parents[1], parents[0]), np.where(swap, parents[0], parents[1])])


def mutated(space: SearchSpace, rows: Indices, rate: float, rng: np.random.Generator) -> Indices:
    """Reset each gene of (n, d) rows, with probability `rate`, to another option chosen evenly."""
    steps = rng.integers(1, np.maximum(space.radices, 2), size=rows.shape)  # 1..options-1: never the same option
    chosen = rng.random(rows.shape) < rate
    return np.where(chosen, (rows + steps) % space.radices, rows)


def initial_population(space: SearchSpace, seeds: Indices, n: int, rng: np.random.Generator) -> Indices:
    """Return `n` canonical rows: the seeds first, then random ones; distinct as far as a few draws find."""
    rows = space.canonical(np.asarray(seeds, dtype=np.int64).reshape(-1, len(space.choices)))
    for _ in range(MATING_ATTEMPTS):
        rows = rows[first_occurrences(rows)][:n]
        if len(rows) == n:
            break
        rows = np.concatenate([rows, space.sample(n, rng)])
    return rows[first_occurrences(rows)][:n]


def tell(
    algorithm: Any, individuals: Any, values: Values, directions: Sequence[Direction], violation: Violation | None
) -> None:
    """Hand (n, m) values to pymoo as costs, and violations as one constraint."""
    broken = np.zeros(len(values)) if violation is None else violation(values)
    individuals.set("F", minimised(values, directions))
    individuals.set("G", broken[:, None])
    individuals.set("CV", broken[:, None])
    algorithm.tell(infills=individuals)


def algorithm_from(
    space: SearchSpace,
    directions: Sequence[Direction],
    start: Indices,
    *,
    population: int,
    rates: tuple[float, float | None],
    excluded: frozenset[bytes],
    rng: np.random.Generator,
) -> Any:
    """Build pymoo's NSGA-II over the space; `rates` are crossover a pair and mutation a gene."""
    from pymoo.config import Config

    Config.warnings["not_compiled"] = False  # its banner would land in the middle of our output
    from pymoo.algorithms.moo.nsga2 import NSGA2, binary_tournament
    from pymoo.core.crossover import Crossover
    from pymoo.core.duplicate import DuplicateElimination
    from pymoo.core.mutation import Mutation
    from pymoo.core.problem import Problem
    from pymoo.core.repair import Repair
    from pymoo.core.termination import NoTermination
    from pymoo.operators.selection.tournament import TournamentSelection
    from pymoo.operators.survival.rank_and_crowding import RankAndCrowding

    crossover_rate, mutation_rate = rates
    gene_rate = 1.0 / len(space.choices) if mutation_rate is None else mutation_rate

    class UniformCrossover(Crossover):  # type: ignore[misc]
        def _do(self, problem: Any, X: Any, *args: Any, random_state: Any = None, **kwargs: Any) -> Indices:
            return crossed(X.astype(np.int64), random_state)

    class RandomReset(Mutation):  # type: ignore[misc]
        def _do(self, problem: Any, X: Any, *args: Any, random_state: Any = None, **kwargs: Any) -> Indices:
            return mutated(space, X.astype(np.int64), gene_rate, random_state)

    class Canonical(Repair):  # type: ignore[misc]
        def _do(self, problem: Any, X: Any, **kwargs: Any) -> Indices:
            return space.canonical(X.astype(np.int64))

    class KeyDuplicates(DuplicateElimination):  # type: ignore[misc]
        def _do(self, pop: Any, other: Any, is_duplicate: Any) -> Any:
            known = excluded if other is None else excluded | {key_of(row) for row in other.get("X")}
            is_duplicate[:] = ~first_occurrences(pop.get("X").astype(np.int64), known)
            return is_duplicate

    algorithm = NSGA2(
        pop_size=population,
        sampling=start,
        selection=TournamentSelection(func_comp=binary_tournament),
        crossover=UniformCrossover(2, 2, prob=crossover_rate),
        mutation=RandomReset(prob=1.0),
        survival=RankAndCrowding(),
        repair=Canonical(),
        eliminate_duplicates=KeyDuplicates(),
        output=None,
    )
    algorithm.mating.n_max_iterations = MATING_ATTEMPTS
    problem = Problem(
        n_var=len(space.choices), n_obj=len(directions), n_ieq_constr=1, xl=0, xu=space.radices - 1, vtype=int
    )
    algorithm.setup(problem, termination=NoTermination())
    algorithm.random_state = rng
    return algorithm
