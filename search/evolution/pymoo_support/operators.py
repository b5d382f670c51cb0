"""pymoo's operators for the integer genes of a space.

pymoo's own are written for real numbers, its defaults are instances shared by all algorithms, and some of its
tournaments draw from the operating system where both sides are equal. The ones here use `random_state` only.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
from numpy.typing import NDArray
from pymoo.core.crossover import Crossover
from pymoo.core.duplicate import DuplicateElimination
from pymoo.core.mutation import Mutation
from pymoo.core.repair import Repair
from pymoo.operators.selection.tournament import TournamentSelection

from ....supernets.space.space import Indices, SearchSpace
from ...archive import key_of
from ...problem.objective import Values
from ..algorithm import Setting
from ..evolve import crossed, mutated

Keys = Callable[[Any], Values]


class UniformCrossover(Crossover):  # type: ignore[misc]
    """Swaps each gene of a pair with probability one half."""

    def _do(self, problem: Any, X: Any, *args: Any, random_state: Any = None, **kwargs: Any) -> Indices:
        return crossed(X.astype(np.int64), random_state)


class RandomReset(Mutation):  # type: ignore[misc]
    """Sets genes to other options."""

    def __init__(self, space: SearchSpace, rate: float) -> None:
        super().__init__(prob=1.0)
        self.space, self.rate = space, rate

    def _do(self, problem: Any, X: Any, *args: Any, random_state: Any = None, **kwargs: Any) -> Indices:
        return mutated(self.space, X.astype(np.int64), self.rate, random_state)


class Canonical(Repair):  # type: ignore[misc]
    """Collapses genes without effect."""

    def __init__(self, space: SearchSpace) -> None:
        super().__init__()
        self.space = space

    def _do(self, problem: Any, X: Any, **kwargs: Any) -> Indices:
        return self.space.canonical(X.astype(np.int64))


class KnownKeys(DuplicateElimination):  # type: ignore[misc]
    """Drops children that repeat each other or anything whose key is in `known`."""

    def __init__(self, known: set[bytes]) -> None:
        super().__init__()
        self.known = known

    def do(self, pop: Any, *others: Any, **kwargs: Any) -> Any:
        """Return the new ones; the last of `others` is what was bred before in this generation, parents are known."""
        bred = list(others[-1].get("X").astype(np.int64)) if others and len(others[-1]) else []
        seen = {key_of(row) for row in bred}
        fresh = np.zeros(len(pop), dtype=np.bool_)
        for position, row in enumerate(pop.get("X").astype(np.int64)):
            key = key_of(row)
            fresh[position] = key not in self.known and key not in seen
            seen.add(key)
        return pop[fresh]


def tournament(keys: Keys) -> TournamentSelection:
    """Build a selection of the better of two: the smaller in the first of `keys` (n, k) that differs, else a draw."""

    def compared(pop: Any, P: Any, random_state: Any = None, **kwargs: Any) -> NDArray[np.int64]:
        columns = keys(pop)
        return winners(P, lexicographic(columns[P[:, 0]], columns[P[:, 1]]), random_state)

    return TournamentSelection(func_comp=compared)


def lexicographic(first: Values, second: Values) -> NDArray[np.int64]:
    """Compare rows (n, k): -1 where the first is smaller in the first column that differs, 1 larger, 0 equal, (n,)."""
    result = np.zeros(len(first), dtype=np.int64)
    for one, other in zip(first.T, second.T):
        result = np.where(result == 0, np.where(one < other, -1, np.where(one > other, 1, 0)), result)
    return result


def winners(pairs: Indices, better: NDArray[np.int64], rng: np.random.Generator) -> NDArray[np.int64]:
    """Return the first of each pair where `better` (n,) is negative, the second where positive, else either, (n, 1)."""
    drawn = np.where(rng.random(len(pairs)) < 0.5, -1, 1)
    first = np.where(better == 0, drawn, better) < 0
    return np.where(first, pairs[:, 0], pairs[:, 1])[:, None].astype(np.int64)


def attribute(pop: Any, name: str, missing: float) -> Values:
    """Return an attribute of a population as numbers, (n,); `missing` where its survival set none (infeasible)."""
    return np.array([missing if (value := one.get(name)) is None else float(value) for one in pop])


def rank_and_crowding(pop: Any) -> Values:
    """Compare as NSGA-II does: violation, rank, the less crowded, (n, 3)."""
    return np.stack([pop.get("CV")[:, 0], attribute(pop, "rank", np.inf), -attribute(pop, "crowding", 0.0)], axis=1)


def operators(setting: Setting, selection: Any) -> dict[str, Any]:
    """Return the arguments that every genetic algorithm of pymoo is built with."""
    return {
        "sampling": np.empty((0, len(setting.space.choices))),  # the first generation is told, not asked for
        "selection": selection,
        "crossover": UniformCrossover(2, 2, prob=setting.crossover),
        "mutation": RandomReset(setting.space, setting.gene_rate),
        "repair": Canonical(setting.space),
        "output": None,
    }
