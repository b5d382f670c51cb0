"""The pilots of a run: the first two full validations, by whose outcomes partial evaluations choose their examples.

A run that had to make a partial evaluation before there were two, as when one failed, goes on with random examples, so
that its partial evaluations are alike.
"""

from __future__ import annotations

from collections.abc import Sequence

from ...supernets.evaluation.deciding import PILOTS
from .outcomes import KeptOutcomes
from .records import Evaluation, RunHeader


def pilots_of(evaluations: Sequence[Evaluation], header: RunHeader) -> tuple[KeptOutcomes, ...] | None:
    """Return the outcomes of the pilots so far, at most two; None where partial evaluations are on random examples."""
    pilots: list[KeptOutcomes] = []
    if header.partial_examples == "random":
        return None
    for evaluation in evaluations:
        if evaluation.outcomes is not None:
            pilots.append(evaluation.outcomes)
        if len(pilots) == PILOTS:
            break
        if evaluation.share < 1.0:
            return None
    return tuple(pilots)


def misplaced_outcomes(evaluation: Evaluation, before: Sequence[Evaluation], header: RunHeader) -> str:
    """Say why `evaluation` of a run cannot have the outcomes that it has, or lack them, or nothing."""
    pilots, outcomes = pilots_of(before, header), evaluation.outcomes
    wanted = pilots is not None and len(pilots) < PILOTS and evaluation.is_full
    if wanted != (outcomes is not None):
        return "the outcomes of a pilot are missing" if wanted else "outcomes are kept of what is no pilot of the run"
    if pilots and outcomes is not None and outcomes.examples != pilots[0].examples:
        return f"outcomes of {outcomes.examples} examples; those of the first pilot are of {pilots[0].examples}"
    return ""
