"""The pilots of a run: the first two full validations, by whose outcomes partial evaluations choose their examples.

A run that had to make a partial evaluation before there were two, as when one failed, goes on with random examples, so
that its partial evaluations are alike. A run that takes partial evaluations from another one has that one's pilots.
"""

from __future__ import annotations

from collections.abc import Iterable

from ....supernets.evaluation.deciding import PILOTS
from .outcomes import KeptOutcomes
from .records import Evaluation, PartialExamples, RunHeader
from .start import Start


def pilots_of(
    evaluations: Iterable[Evaluation], header: RunHeader, start: Start | None
) -> tuple[KeptOutcomes, ...] | None:
    """Return the outcomes of the pilots so far, at most two; None where partial evaluations are on random examples."""
    pilots = Pilots(header.partial_examples, start)
    for evaluation in evaluations:
        if pilots.settled:
            break
        pilots.add(evaluation)
    return pilots.outcomes


class Pilots:
    """The pilots of a run so far, as its evaluations come."""

    def __init__(self, partial_examples: PartialExamples, start: Start | None) -> None:
        given = [] if start is None else list(start.header.pilots)
        self._found: list[KeptOutcomes] | None = None if partial_examples == "random" else given

    @property
    def outcomes(self) -> tuple[KeptOutcomes, ...] | None:
        """Their outcomes, at most two; None where partial evaluations are on random examples."""
        return None if self._found is None else tuple(self._found)

    @property
    def settled(self) -> bool:
        """Whether no further evaluation changes them."""
        return self._found is None or len(self._found) == PILOTS

    def add(self, evaluation: Evaluation) -> None:
        """Take the next evaluation into account."""
        if self._found is None or len(self._found) == PILOTS:
            return
        if evaluation.outcomes is not None:
            self._found.append(evaluation.outcomes)
        if len(self._found) < PILOTS and evaluation.share < 1.0:
            self._found = None

    def fault_of(self, evaluation: Evaluation) -> str:
        """Say why the next evaluation of a run cannot have the outcomes that it has, or lack them, or nothing."""
        pilots, outcomes = self._found, evaluation.outcomes
        wanted = pilots is not None and len(pilots) < PILOTS and evaluation.is_full
        if wanted != (outcomes is not None):
            return "the outcomes of a pilot are missing" if wanted else "outcomes are kept of what is no pilot"
        if pilots and outcomes is not None and outcomes.examples != pilots[0].examples:
            return f"outcomes of {outcomes.examples} examples; those of the first pilot are of {pilots[0].examples}"
        return ""
