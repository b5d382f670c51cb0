"""What a run has evaluated, as the archives of its rounds need it: adding an evaluation takes constant time.

Whole rounds lie in arrays that grow at their end, in the order of their positions; an archive is a view of their
beginning, and of the few rounds that are still open a copy. So a round of a long run costs what one of a short run
does, and is the same function of what was known.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from fractions import Fraction

import numpy as np

from ....supernets.space.space import SearchSpace
from ...archive import Archive, PartialEvaluations, key_of
from ...problem.objective import Objective
from ...problem.problem import Problem
from ..files.records import Evaluation
from ..files.spending import Spending
from ..files.start import Known
from .grown import Grown, KeysSoFar

Place = tuple[int, int, int, int]  # sizes of the arrays of full, partial and failed ones, and of the keys


class History:
    """The evaluations of a run in the order that they are recorded in, and what `evidence` another run gave it."""

    def __init__(
        self,
        space: SearchSpace,
        problem: Problem[Objective],
        evidence: Sequence[Known] = (),
        evaluations: Iterable[Evaluation] = (),
    ) -> None:
        self._space, self._problem = space, problem
        d, m = len(space.choices), len(problem.objectives)
        self._rows, self._values = Grown((d,), np.int64), Grown((m,), np.float64)
        self._numbers = Grown((), np.int64)
        self._partial_rows, self._partial_values = Grown((d,), np.int64), Grown((m,), np.float64)
        self._partial_shares = Grown((), np.float64)
        self._failed_rows, self._failed_shares = Grown((d,), np.int64), Grown((), np.float64)
        self._keys: dict[bytes, int] = {}  # position of each of what is not asked for again
        self._rounds: dict[int, dict[int, Evaluation]] = {}
        self._places: list[Place] = []  # before each whole round, and after the last
        self._last: list[int] = [-1]  # the greatest order in the rounds before each of these
        self._greatest = -1  # number of a round of which something is recorded
        self.count = 0
        self.cost = Fraction(0)  # of all, exact, in full validations
        self.seconds = Spending()  # that evaluating took
        for share, row, values in evidence:
            if share == 1.0:
                self._add_full(-1, row, values)
            else:
                self._add_partial(share, row, values)
        self._places.append(self._place())
        for evaluation in evaluations:
            self.add(evaluation)

    @property
    def numbers(self) -> Iterable[int]:
        """Numbers of the rounds of which anything is recorded."""
        return self._rounds.keys()

    @property
    def whole(self) -> int:
        """How many rounds from the first are recorded to their end."""
        return len(self._places) - 1

    def is_whole(self, number: int) -> bool:
        """Tell whether a round is recorded to its end."""
        told = self._rounds.get(number)
        return told is not None and len(told) == next(iter(told.values())).size

    def add(self, evaluation: Evaluation) -> None:
        """Add the next evaluation."""
        self.count += 1
        self._greatest = max(self._greatest, evaluation.round)
        self.cost += Fraction(evaluation.share)
        self.seconds.add(evaluation.seconds)
        self._rounds.setdefault(evaluation.round, {})[evaluation.position] = evaluation
        while self.is_whole(self.whole):
            self._settle(self.of_round(self.whole))

    def of_round(self, number: int) -> tuple[Evaluation, ...]:
        """Return what is recorded of a round, in the order of positions."""
        told = self._rounds.get(number, {})
        return tuple(told[position] for position in sorted(told))

    def of_open_rounds(self) -> tuple[Evaluation, ...]:
        """Return what is recorded of the first round that is not whole, and of later ones, in order."""
        numbers = range(self.whole, self._greatest + 1)
        return tuple(evaluation for number in numbers for evaluation in self.of_round(number))

    def at(self, number: int, position: int) -> Evaluation | None:
        """Return what is recorded of a round's position, None where nothing is."""
        return self._rounds.get(number, {}).get(position)

    def archive(
        self,
        number: int,
        *,
        known: int | None = None,
        pending: Sequence[tuple[float, Sequence[int]]] = (),
        pilots: int = 1,
        budget: int | None = None,
    ) -> Archive:
        """Return what was known before round `number`, when `known` evaluations were recorded, None for all.

        What was pending then, as (share, genes) in order, is `pending`, and `budget` what the run might cost.
        """
        whole = self._whole_before(number, known)
        n, k, j, kept = self._places[whole]
        open_ones = [e for one in range(whole, number) for e in self.of_round(one) if known is None or e.order < known]
        rest = self._open_archive(open_ones, pending, pilots)
        archive = Archive(
            self._space,
            self._problem,
            self._rows.with_rest(n, rest.indices),
            self._values.with_rest(n, rest.values),
            self._numbers.with_rest(n, rest.rounds),
            PartialEvaluations(
                self._partial_rows.with_rest(k, rest.partial.indices),
                self._partial_shares.with_rest(k, rest.partial.shares),
                self._partial_values.with_rest(k, rest.partial.values),
            ),
            self._failed_rows.with_rest(j, rest.failed),
            self._failed_shares.with_rest(j, rest.failed_shares),
            pilots,
            rest.pending,
            rest.pending_shares,
            budget,
        )
        return archive.knowing(KeysSoFar(self._keys, kept, rest.keys))

    def pending_at(self, number: int, known: int) -> tuple[Evaluation, ...]:
        """Return what of the rounds before `number` was recorded after the first `known` evaluations, in order."""
        whole = self._whole_before(number, known)
        return tuple(e for one in range(whole, number) for e in self.of_round(one) if e.order >= known)

    def _whole_before(self, number: int, known: int | None) -> int:
        """Return how many rounds before `number` were whole when `known` evaluations were recorded."""
        whole = min(number, self.whole)
        while known is not None and self._last[whole] >= known:
            whole -= 1
        return whole

    def _open_archive(
        self, evaluations: Sequence[Evaluation], pending: Sequence[tuple[float, Sequence[int]]], pilots: int
    ) -> Archive:
        """Return an archive of a few evaluations, of rounds that are not whole, alone."""
        names = [objective.name for objective in self._problem.objectives]
        return Archive.of(
            self._space,
            self._problem,
            measured=[(e.round, e.indices, [e.values[name] for name in names]) for e in evaluations if e.is_full],
            partial=[(e.share, e.indices, [e.values[name] for name in names]) for e in evaluations if e.is_partial],
            failed=[e.indices for e in evaluations if e.failed is not None],
            failed_shares=[e.share for e in evaluations if e.failed is not None],
            pilots=pilots,
            pending=pending,
        )

    def _settle(self, evaluations: Sequence[Evaluation]) -> None:
        """Take the evaluations of the next whole round into the arrays."""
        for evaluation in evaluations:
            if evaluation.failed is not None:
                self._failed_rows.add(evaluation.indices)
                self._failed_shares.add(evaluation.share)
                self._bar(evaluation.indices)
                continue
            values = tuple(evaluation.values[objective.name] for objective in self._problem.objectives)
            if evaluation.is_full:
                self._add_full(evaluation.round, evaluation.indices, values)
                continue
            self._add_partial(evaluation.share, evaluation.indices, values)
        self._places.append(self._place())
        self._last.append(max(self._last[-1], *(evaluation.order for evaluation in evaluations)))

    def _add_full(self, number: int, row: Sequence[int], values: Sequence[float]) -> None:
        self._rows.add(row)
        self._values.add(values)
        self._numbers.add(number)
        self._bar(row)

    def _add_partial(self, share: float, row: Sequence[int], values: Sequence[float]) -> None:
        self._partial_rows.add(row)
        self._partial_shares.add(share)
        self._partial_values.add(values)

    def _bar(self, row: Sequence[int]) -> None:
        self._keys.setdefault(key_of(np.array(row)), len(self._keys))

    def _place(self) -> Place:
        return len(self._rows), len(self._partial_rows), len(self._failed_rows), len(self._keys)
