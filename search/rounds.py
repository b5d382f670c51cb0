"""The rounds of a search: what each measures is a pure function of what earlier ones did, the settings and the seed.

When a run may end is not among these, and neither is the order in which a round's measurements are told. So a run
that was stopped, killed, or given a larger budget goes on to the trajectory that it would have had at once. A round
that was asked for while earlier ones were being measured (`runs/asks.py`) depends on what was known then, and on what
was pending.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from ..supernets.space.slot import Option
from ..supernets.space.space import Architecture, Indices, SearchSpace
from .archive import Archive
from .config import SearchConfig
from .errors import RunDamaged, SpaceExhausted, TacticBroken
from .runs.files.records import EVALUATIONS_FILE, Evaluation, Expected
from .runs.files.stopping import TOLERANCE
from .runs.growing.history import History
from .tactic import Batch, Tactic


@dataclass(frozen=True, slots=True)
class Trial:
    """An architecture to measure on a `share` of the validation data: the `position`-th of `size` in its round.

    `choices` gives the option of every choice of the space, `expected` what the tactic expects of a full validation.
    `examples` (k,) are the positions of the validation examples to evaluate, in order, in a study that was told how
    many there are; else None.
    """

    architecture: Architecture
    share: float
    round: int
    position: int
    size: int
    expected: Expected | None = field(default=None, compare=False, repr=False)
    choices: Mapping[str, Option] = field(default_factory=dict, compare=False, repr=False)
    examples: NDArray[np.int64] | None = field(default=None, compare=False, repr=False)

    @property
    def id(self) -> str:
        """The architecture's eight hexadecimal digits."""
        return self.architecture.id

    @property
    def indices(self) -> tuple[int, ...]:
        """The architecture's option indices, one a choice."""
        return self.architecture.indices


@dataclass(frozen=True)
class Rounds:
    """What decides the rounds, beside what was measured. `config.population` is a number; `first` (k, d) is measured in
    round 0, before the tactic is asked. Partial evaluations are made after so many full ones, the `pilots`. `budget_in`
    is what the run was told that it may cost when a round was asked for.
    """

    space: SearchSpace
    config: SearchConfig
    tactic: Tactic
    first: Indices
    pilots: int = 1
    budget_in: Callable[[int], int | None] = lambda number: None

    def trials(
        self, history: History, number: int, *, known: int | None = None, open_trials: Sequence[Trial] = ()
    ) -> tuple[Trial, ...]:
        """Return what round `number` measures, in order, whatever the budget; nothing when the tactic waits.

        It depends on the first `known` evaluations, None for all of earlier rounds, and on which were pending then:
        those told since, and the `open_trials` of earlier rounds. Raises SpaceExhausted when nothing is left,
        TacticBroken, RunDamaged when what the round measured already is not what it asks for.
        """
        pending: list[Trial | Evaluation] = [*open_trials]
        pending += () if known is None else history.pending_at(number, known)
        pending.sort(key=lambda one: (one.round, one.position))
        archive = history.archive(
            number,
            known=known,
            pending=[(one.share, one.indices) for one in pending],
            pilots=self.pilots,
            budget=self.budget_in(number),
        )
        batch = self.batch(archive, number)
        columns = [column for column, objective in enumerate(archive.objectives) if objective.costly]
        names = [archive.objectives[column].name for column in columns]
        trials = []
        for position, row in enumerate(self.space.canonical(batch.rows)):
            architecture = Architecture(self.space.name, tuple(int(index) for index in row))
            expected = {
                name: (float(batch.mean[position, column]), finite(batch.deviation[position, column]))
                for name, column in zip(names, columns)
                if np.isfinite(batch.mean[position, column])
            }
            choices = self.space.values(architecture)
            share = float(batch.shares[position])
            trials.append(Trial(architecture, share, number, position, len(batch.rows), expected or None, choices))
        for evaluation in history.of_round(number):
            check_replayed(evaluation, trials)
        return tuple(trials)

    def batch(self, archive: Archive, number: int) -> Batch:
        """Ask the tactic, for fewer architectures where the space has no more left, and check what it answers."""
        if number == 0 and len(self.first):
            return Batch.of(self.first, len(archive.objectives))
        n = self.config.population or 1
        try:
            batch = self.tactic.ask(archive, n, self.rng(number), number)
        except SpaceExhausted as error:
            left = error.available - len(archive.keys)
            if not 0 < left < n:
                raise
            n = left
            batch = self.tactic.ask(archive, n, self.rng(number), number)
        if wrong := breach_of(batch, archive, n):
            raise TacticBroken(
                f"tactic {self.config.tactic!r} broke its contract in round {number}: {wrong}; this is a fault of the "
                "tactic, choose another (TacticContract of gnomon.search.testing.contracts finds it)"
            )
        return batch

    def rng(self, number: int) -> np.random.Generator:
        """Return the randomness of a round."""
        return np.random.default_rng([self.config.seed, number])


def breach_of(batch: Batch, archive: Archive, n: int) -> str:
    """Say how a batch breaks the contract of a tactic that may spend `n` full validations, or nothing."""
    k, m = len(batch.rows), len(archive.objectives)
    if k == 0 and len(archive.pending):
        return ""
    if k == 0 or batch.shares.shape != (k,) or {batch.mean.shape, batch.deviation.shape} != {(k, m)}:
        shapes = batch.rows.shape, batch.shares.shape, batch.mean.shape, batch.deviation.shape
        return f"rows, shares, mean and deviation have shapes {', '.join(map(str, shapes))}; expected k, k, (k, {m})"
    if not ((batch.shares > 0) & (batch.shares <= 1)).all():
        return f"shares of the data must be above 0 and at most 1, found {batch.shares.min()} to {batch.shares.max()}"
    cost = math.fsum(batch.shares)
    if cost > n + TOLERANCE:
        return f"the batch costs {cost:g} full validations, and the round may cost {n}"
    if (batch.shares < 1).any() and not archive.divisible:
        return "it asks for a share of the data, which not every costly objective can be measured on"
    new = archive.unseen(batch.rows)
    if not np.array_equal(new, batch.rows):
        return f"of {k} architectures {len(new)} are distinct, canonical, and new; all must be"
    return ""


def check_replayed(evaluation: Evaluation, trials: Sequence[Trial]) -> None:
    """Raise RunDamaged unless the round asks for what it measured."""
    trial = trials[evaluation.position] if evaluation.position < len(trials) else None
    recorded = (evaluation.indices, evaluation.share, evaluation.size)
    if trial is None or recorded != (trial.indices, trial.share, trial.size):
        raise RunDamaged(
            f"evaluation {evaluation.order} of the run is not what its settings lead to; its file was "
            "edited, or made on a machine whose arithmetic differs. Start anew with `force=True`",
            path=Path(EVALUATIONS_FILE),
            line_number=evaluation.order + 1,
        )


def finite(number: float) -> float | None:
    """Return a finite number as it is, else None."""
    return float(number) if np.isfinite(number) else None
