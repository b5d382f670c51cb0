"""Rounds that were asked for early: while earlier ones were still being measured, as several workers do.

What such a round asks for depends on what was known then. So `rounds.jsonl` keeps, before anything of the round is
measured, how many evaluations were recorded; all else follows from the evaluations. A run with one worker has none.
"""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

from pydantic import BaseModel, ConfigDict, ValidationError

from ..errors import RunDamaged
from .records import ASKS_FILE, Count, Evaluation, first_line, journal_lines

Asks = Mapping[int, int]  # by round, how many evaluations were known when it was asked for


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
    """Says of one evaluation after the other whether it can stand where it does among the rounds of a run."""

    def __init__(self, asks: Asks) -> None:
        self._asks = asks
        self._whole = 0  # all rounds below are
        self._begun: dict[int, tuple[int, dict[int, Evaluation]]] = {}  # size, and evaluations by position

    def misplaced(self, evaluation: Evaluation) -> str:
        """Say why `evaluation` cannot come next, or nothing."""
        number, order = evaluation.round, evaluation.order
        early = range(self._whole + 1, number + 1)
        if number < self._whole or not all(self._asks.get(one, order + 1) <= order for one in early):
            return f"evaluation {order} belongs to round {self._whole}, found {number}"
        if evaluation.position >= evaluation.size:
            return f"position {evaluation.position} is outside a round of {evaluation.size}"
        size, told = self._begun.get(number, (evaluation.size, {}))
        if size != evaluation.size:
            return f"round {number} has {size} evaluations by its other lines, {evaluation.size} by this"
        for other in told.values():
            if other.position == evaluation.position or other.indices == evaluation.indices:
                return f"position {evaluation.position} of round {number} repeats evaluation {other.order}"
        return ""

    def add(self, evaluation: Evaluation) -> None:
        """Count an evaluation that is not misplaced as come."""
        _, told = self._begun.setdefault(evaluation.round, (evaluation.size, {}))
        told[evaluation.position] = evaluation
        while self._whole in self._begun and len(self._begun[self._whole][1]) == self._begun[self._whole][0]:
            self._whole += 1

    def bars(self, other: Evaluation, evaluation: Evaluation) -> bool:
        """Tell whether the architecture of `other`, told before, could not be asked for again as `evaluation`."""
        if other.share == 1.0:
            return evaluation.share == 1.0 or other.round <= evaluation.round
        return other.failed is not None and other.order < self._asks.get(evaluation.round, evaluation.order)
