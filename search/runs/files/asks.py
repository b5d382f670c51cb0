"""Rounds that were asked for early: while earlier ones were still being measured, as several workers do.

What such a round asks for depends on what was known then. So `rounds.jsonl` keeps, before anything of the round is
measured, how many evaluations were recorded; all else follows from the evaluations. A run with one worker has none.
"""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

from pydantic import BaseModel, ConfigDict, ValidationError

from ...errors import RunDamaged
from .records import ASKS_FILE, Count, Evaluation, first_line, journal_lines

Asks = Mapping[int, int]  # by round, how many evaluations were known when it was asked for
Genes = tuple[int, ...]


class Ask(BaseModel):
    """Round `round` was asked for when `known` evaluations were recorded."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    round: Count
    known: Count


def read_asks(folder: Path) -> dict[int, int]:
    """Read which rounds of a run were asked for early, in order; raises RunDamaged."""
    path, asks = folder / ASKS_FILE, dict[int, int]()
    last, known = 0, 0
    for number, line in enumerate(journal_lines(path), 1):
        try:
            ask = Ask.model_validate(line)
        except ValidationError as error:
            raise RunDamaged(f"{path}, line {number}: {first_line(error)}", path=path, line_number=number) from error
        if ask.round <= last or ask.known < known:  # round 0 is never early
            raise RunDamaged(
                f"{path}, line {number}: round {ask.round} after {ask.known} evaluations cannot follow round {last} "
                f"after {known}",
                path=path,
                line_number=number,
            )
        asks[ask.round] = known = ask.known
        last = ask.round
    return asks


class RoundOrder:
    """Says of one evaluation after the other, in constant time, whether a run can have asked for it then."""

    def __init__(self, asks: Asks) -> None:
        self._asks = asks
        self._whole = 0  # all rounds below are
        self._begun: dict[int, tuple[int, dict[int | Genes, int]]] = {}  # size, and orders by position and by genes
        self._measured: dict[Genes, Evaluation] = {}  # on all the data
        self._failed: dict[Genes, Evaluation] = {}  # on a part of it

    def fault_of(self, evaluation: Evaluation) -> str:
        """Say why `evaluation` cannot come next, or nothing; it then counts as come."""
        wrong = self._repeated(evaluation) or self._misplaced(evaluation)
        if not wrong and evaluation.share == 1.0:
            self._measured[evaluation.indices] = evaluation
        elif not wrong and evaluation.failed is not None:
            self._failed.setdefault(evaluation.indices, evaluation)
        return wrong

    def _repeated(self, evaluation: Evaluation) -> str:
        """Say which evaluation told before kept its architecture from being asked for again, or nothing."""
        full, failed = self._measured.get(evaluation.indices), self._failed.get(evaluation.indices)
        if full is not None and (evaluation.share == 1.0 or full.round <= evaluation.round):
            return f"architecture {evaluation.id} is measured again after evaluation {full.order}"
        if failed is not None and failed.order < self._asks.get(evaluation.round, evaluation.order):
            return f"architecture {evaluation.id} is measured again after evaluation {failed.order}"
        return ""

    def _misplaced(self, evaluation: Evaluation) -> str:
        """Say why `evaluation` cannot stand in its round, or nothing."""
        number, order, position = evaluation.round, evaluation.order, evaluation.position
        early = range(self._whole + 1, number + 1)
        if number < self._whole or not all(self._asks.get(one, order + 1) <= order for one in early):
            return f"evaluation {order} belongs to round {self._whole}, found {number}"
        if position >= evaluation.size:
            return f"position {position} is outside a round of {evaluation.size}"
        size, told = self._begun.setdefault(number, (evaluation.size, {}))
        if size != evaluation.size:
            return f"round {number} has {size} evaluations by its other lines, {evaluation.size} by this"
        for key in (position, evaluation.indices):
            if key in told:
                return f"position {position} of round {number} repeats evaluation {told[key]}"
        told |= {position: order, evaluation.indices: order}
        while self._whole in self._begun and len(self._begun[self._whole][1]) == 2 * self._begun[self._whole][0]:
            self._whole += 1
        return ""
