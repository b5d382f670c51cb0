"""The measured architectures as arrays, and which architectures are still unseen.

All rows are canonical, so that equal rows are equal sub-networks. Never a set is iterated: order comes from arrays.
"""

from __future__ import annotations

from collections.abc import Container, Sequence, Set
from dataclasses import dataclass, field, replace
from functools import cached_property

import numpy as np
from numpy.typing import NDArray

from ..supernets.space.space import Indices, SearchSpace
from .errors import InvalidConstraint, SpaceExhausted
from .problem.objective import Direction, Objective, Values, minimised
from .problem.problem import Problem

ENUMERABLE = 1_000_000  # architectures that are listed one by one when random draws find nothing new
DRAWS_WITHOUT_NEWS = 20


@dataclass(frozen=True)
class PartialEvaluations:
    """Measurements on a share of the validation data, in order: `indices` (k, d), `shares` (k,), `values` (k, m).

    The data of a share are the same for every architecture, and a larger share contains a smaller.
    """

    indices: Indices
    shares: Values
    values: Values


@dataclass(frozen=True)
class Archive:
    """Measured architectures in order: `indices` (n, d), `values` (n, m) in natural units, `rounds` (n,).

    `partial` are cheaper evidence beside them: no front is made of it. What could not be measured is in `failed`
    (k, d); it has no values and is not asked for again; `failed_shares` (j,) is what trying cost. Round -1 is evidence
    that another run measured. `pilots` is how many full measurements a partial one is made after: two where these show
    which examples decide. `pending` (p, d) are being measured, on `pending_shares` (p,) of the data: they have no
    values yet and are not asked for again. `budget` is what the run may cost as far as it is told, None where a tactic
    knows it by its settings alone.
    """

    space: SearchSpace
    problem: Problem[Objective]
    indices: Indices
    values: Values
    rounds: Indices
    partial: PartialEvaluations
    failed: Indices = field(default_factory=lambda: np.empty((0, 0), dtype=np.int64))
    failed_shares: Values = field(default_factory=lambda: np.empty(0))
    pilots: int = 1
    pending: Indices = field(default_factory=lambda: np.empty((0, 0), dtype=np.int64))
    pending_shares: Values = field(default_factory=lambda: np.empty(0))
    budget: int | None = None

    @staticmethod
    def of(
        space: SearchSpace,
        problem: Problem[Objective],
        *,
        measured: Sequence[tuple[int, Sequence[int], Sequence[float]]] = (),
        partial: Sequence[tuple[float, Sequence[int], Sequence[float]]] = (),
        failed: Sequence[Sequence[int]] = (),
        failed_shares: Sequence[float] = (),
        pilots: int = 1,
        pending: Sequence[tuple[float, Sequence[int]]] = (),
    ) -> Archive:
        """Build an archive from (round, indices, values) in order, and `partial` from (share, indices, values).

        `pending` are (share, indices).
        """

        def rows(records: Sequence[tuple[float, Sequence[int], Sequence[float]]]) -> Indices:
            return np.array([row for _, row, _ in records], dtype=np.int64).reshape(-1, len(space.choices))

        def values(records: Sequence[tuple[float, Sequence[int], Sequence[float]]]) -> Values:
            return np.array([row for _, _, row in records], dtype=np.float64).reshape(-1, len(problem.objectives))

        rounds = np.array([number for number, _, _ in measured], dtype=np.int64)
        shares = np.array([share for share, _, _ in partial], dtype=np.float64)
        evaluated_in_part = PartialEvaluations(rows(partial), shares, values(partial))
        barred = np.array(list(failed), dtype=np.int64).reshape(-1, len(space.choices))
        return Archive(
            space,
            problem,
            rows(measured),
            values(measured),
            rounds,
            evaluated_in_part,
            barred,
            np.array(failed_shares, dtype=np.float64),
            pilots,
            np.array([row for _, row in pending], dtype=np.int64).reshape(-1, len(space.choices)),
            np.array([share for share, _ in pending], dtype=np.float64),
        )

    @property
    def objectives(self) -> tuple[Objective, ...]:
        """What is optimised, m objectives."""
        return self.problem.objectives

    @property
    def directions(self) -> tuple[Direction, ...]:
        """Direction of each objective, m of them."""
        return self.problem.directions

    @property
    def divisible(self) -> bool:
        """Whether there are costly objectives, and all of them can be measured on a share of their data."""
        costly = [objective for objective in self.objectives if objective.costly]
        return bool(costly) and all(objective.divisible for objective in costly)

    @property
    def awaited(self) -> int:
        """How many full measurements are pending."""
        return int((self.pending_shares == 1.0).sum())

    @property
    def validated(self) -> int:
        """How many full measurements were made, failed and pending ones included."""
        return len(self.indices) + int((self.failed_shares == 1.0).sum()) + self.awaited

    @property
    def partial_cost(self) -> float:
        """What measurements on a share of the data cost, failed and pending ones included, in full measurements."""
        beside = (self.failed_shares, self.pending_shares)
        return float(self.partial.shares.sum() + sum(shares[shares < 1.0].sum() for shares in beside))

    @cached_property
    def keys(self) -> Set[bytes]:
        """Keys of the rows that were or are being measured in full, or could not be measured."""
        pending = self.pending[self.pending_shares == 1.0]
        return frozenset(key for rows in (self.indices, self.failed, pending) for key in keys_of(rows))

    def knowing(self, keys: Set[bytes]) -> Archive:
        """Return this archive once its `keys` are set, so that they need not be computed; copies compute their own."""
        self.__dict__["keys"] = keys
        return self

    def violation(self, values: Values, rows: Indices | None = None) -> Values:
        """Return by how much (n, m) values, and (n, d) rows, break the constraints, (n,).

        Rows are needed for constraints on what is no objective; raises InvalidConstraint without them.
        """
        watched = self.problem.watched
        if watched:
            if rows is None:
                raise InvalidConstraint(
                    f"{', '.join(o.name for o in watched)} is constrained without being an objective, which this "
                    "tactic does not take; make it an objective, or choose tactic gnomon, linas or evolutionary"
                )
            values = np.column_stack([values, *(objective.values(rows) for objective in watched)])
        return self.problem.violation(values)

    def judged(self, rows: Indices, values: Values, violations: Values | None = None) -> tuple[Values, Values]:
        """Return costs to minimise (n, m), clipped to the region, and violations (n,), which come first.

        A violation is 0 in the region, below 1 outside it by how far, above 1 where a constraint is violated by how
        much: as `violations` (n,) say where given, else what the values say.
        """
        violations = self.violation(values, rows) if violations is None else violations
        miss = self.problem.region.miss(values)
        outside = np.where(violations > 0, 1.0 + violations, miss / (1.0 + miss))
        return minimised(self.problem.region.clipped(values), self.directions), outside

    def unseen(self, rows: Indices) -> Indices:
        """Return the canonical form of (n, d) rows without repeats, measured, failed and pending ones, order kept."""
        canonical = self.space.canonical(rows)
        return canonical[first_occurrences(canonical, self.keys)]

    def not_partially_evaluated(self, rows: Indices, share: float = 0.0) -> NDArray[np.bool_]:
        """Mark those of (n, d) canonical rows that neither were nor are measured on such a share of the data, (n,).

        What counts is a share below 1, and at least `share`.
        """
        pending = self.pending[(self.pending_shares < 1.0) & (self.pending_shares >= share)]
        partial = self.partial.indices[self.partial.shares >= share]
        evaluated = {key for rows in (partial, pending) for key in keys_of(rows)}
        return np.array([key_of(row) not in evaluated for row in rows], dtype=np.bool_)

    def without(self, rows: Indices) -> Archive:
        """Return the archive as if (n, d) canonical rows could not be measured."""
        return replace(self, failed=np.concatenate([self.failed.reshape(-1, rows.shape[1]), rows]))

    def topped_up(self, rows: Indices, n: int, rng: np.random.Generator) -> Indices:
        """Return the first `n` unseen of `rows`, and random unseen architectures where those are too few.

        Raises SpaceExhausted when the space does not have `n` unseen architectures.
        """
        unseen = self.unseen(rows)[:n]
        barren = 0
        while len(unseen) < n and barren < DRAWS_WITHOUT_NEWS:
            before = len(unseen)
            drawn = self.space.sample(n, rng)
            unseen = self.unseen(np.concatenate([unseen, drawn]))[:n]
            barren = 0 if len(unseen) > before else barren + 1
        if len(unseen) < n and self.space.size <= ENUMERABLE:
            rest = self.unseen(np.concatenate([unseen, every_architecture(self.space)]))[len(unseen) :]
            unseen = np.concatenate([unseen, rng.permutation(rest)])[:n]
        if len(unseen) < n:
            available = len(self.keys) + len(unseen)
            raise SpaceExhausted(
                f"all {available} distinct architectures of space {self.space.name!r} are measured"
                if len(unseen) == 0
                else f"space {self.space.name!r} has {available} distinct architectures, and {len(self.keys) + n} are "
                "asked for",
                available=available,
            )
        return unseen


def key_of(row: Indices) -> bytes:
    """Return a key that equals for equal rows (d)."""
    return np.ascontiguousarray(row, dtype=np.int64).tobytes()


def keys_of(rows: Indices) -> list[bytes]:
    """Return the key of each of (n, d) rows."""
    content = np.ascontiguousarray(rows, dtype=np.int64).tobytes()
    size = len(content) // max(len(rows), 1)
    return [content[size * n : size * (n + 1)] for n in range(len(rows))]


def first_occurrences(rows: Indices, excluded: Container[bytes] = frozenset()) -> NDArray[np.bool_]:
    """Mark rows (n, d) that repeat no earlier row and whose key is not excluded, (n,)."""
    seen: set[bytes] = set()
    first = np.zeros(len(rows), dtype=np.bool_)
    for position, key in enumerate(keys_of(rows)):
        first[position] = key not in seen and key not in excluded
        seen.add(key)
    return first


def every_architecture(space: SearchSpace) -> Indices:
    """List the distinct architectures of a small space, (n, d); n is at most the space's size."""
    grid = np.indices(tuple(int(radix) for radix in space.radices), dtype=np.int64)
    canonical = space.canonical(grid.reshape(len(space.choices), -1).T)
    return np.unique(canonical, axis=0)


def most_of(space: SearchSpace, budget: int) -> int:
    """Return `budget`, or the number of distinct architectures of a space that can be listed and has fewer."""
    if space.size <= ENUMERABLE and budget > space.size // 2 ** len(space.choices):
        return min(budget, len(every_architecture(space)))
    return budget
