"""Which evaluations of a run count in its front: full ones, and those on a share of the examples that is exact enough.

Only runs that ask for the examples that decide have such, and none from before format 7. Where a pilot failed, partial
evaluations are on random examples, and count only where networks evaluated both ways show them exact enough too.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from ..fronts.counting import counts_from
from .files.records import MOST, Evaluation, RunHeader
from .files.start import Start

FIRST_COUNTED = 7  # version of the oldest runs whose partial evaluations can count


def counts_partial(header: RunHeader) -> bool:
    """Tell whether partial evaluations can count in a run's front."""
    return (
        header.partial_examples == "deciding" and header.version >= FIRST_COUNTED and header.opening_budget is not None
    )


def counted(header: RunHeader, start: Start | None, evaluations: Iterable[Evaluation]) -> tuple[Evaluation, ...]:
    """Return what counts in the order it was written; of an architecture evaluated more than once, the most exact."""
    made = [evaluation for evaluation in evaluations if evaluation.failed is None]
    return counted_from(least_counting_share(header, start, made), start, made)


def counted_from(least: float, start: Start | None, made: Sequence[Evaluation]) -> tuple[Evaluation, ...]:
    """Return what counts as `counted` does, of evaluations that did not fail, by a least share that is known."""
    best: dict[tuple[int, ...], Evaluation] = {}
    for evaluation in made:
        known = best.get(evaluation.indices)
        if evaluation.share >= least and (known is None or evaluation.share > known.share):
            best[evaluation.indices] = evaluation
    taken = set() if start is None else {record.indices for record in start.counted}
    return tuple(e for e in made if e.is_full or (best.get(e.indices) is e and e.indices not in taken))


def least_counting_share(header: RunHeader, start: Start | None, evaluations: Sequence[Evaluation]) -> float:
    """Return the least share of the examples on which an evaluation counts in the front of a run; 1: full ones only."""
    budget = header.budget_in(MOST)
    if budget is None or not counts_partial(header):
        return 1.0

    def values(record: Evaluation) -> list[float]:
        return [record.values[name] for name in header.names]

    full = {} if start is None else {r.indices: [r.values[name] for name in header.names] for r in start.counted}
    full |= {e.indices: values(e) for e in evaluations if e.is_full}
    partial = [(e.indices, e.share, values(e)) for e in evaluations if e.is_partial]
    directions = [objective.direction for objective in header.objectives]
    return max(header.config.partial_share, counts_from(full, partial, directions, budget))
