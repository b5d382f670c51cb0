"""Which evaluations of a run count in its front: full ones, and those on a share of the examples that is exact enough.

Only runs that ask for the examples that decide have such, and none from before format 7. Where a pilot failed, partial
evaluations are on random examples, and count only where networks evaluated both ways show them exact enough too.
"""

from __future__ import annotations

from collections.abc import Iterable

from ..fronts.counting import counts_from
from .files.records import MOST, Evaluation, RunHeader
from .files.start import Start, StartRecord

FIRST_COUNTED = 7  # version of the oldest runs whose partial evaluations can count


def counts_partial(header: RunHeader) -> bool:
    """Tell whether partial evaluations can count in a run's front."""
    return (
        header.partial_examples == "deciding" and header.version >= FIRST_COUNTED and header.opening_budget is not None
    )


def counted_from(least: float, start: Start | None, evaluations: Iterable[Evaluation]) -> tuple[Evaluation, ...]:
    """Return what counts from a share on, in the order it was written.

    Of an architecture that was evaluated more than once it is the most exact, unless another run's is as exact.
    """
    made = [evaluation for evaluation in evaluations if evaluation.failed is None]
    best = best_of((() if start is None else start.evaluated), made, least)
    return tuple(e for e in made if e.is_full or best.get(e.indices) is e)


def taken_over(least: float, start: Start, counting: Iterable[Evaluation]) -> tuple[StartRecord, ...]:
    """Return what of another run's counts from a share on, where `counting` are the evaluations that do of this run's.

    Of an architecture that both evaluated the most exact counts, here too.
    """
    best = best_of(start.evaluated, (), least)
    own = {evaluation.indices for evaluation in counting}
    return tuple(r for r in start.evaluated if r.share == 1.0 or (best.get(r.indices) is r and r.indices not in own))


def best_of(
    records: Iterable[StartRecord], evaluations: Iterable[Evaluation], least: float
) -> dict[tuple[int, ...], StartRecord | Evaluation]:
    """Return the most exact of some evaluations by architecture, the earliest of equals, none below a share."""
    best: dict[tuple[int, ...], StartRecord | Evaluation] = {}
    both: list[StartRecord | Evaluation] = [*records, *evaluations]
    for one in both:
        known = best.get(one.indices)
        if one.share >= least and (known is None or one.share > known.share):
            best[one.indices] = one
    return best


def least_counting_share(header: RunHeader, start: Start | None, evaluations: Iterable[Evaluation]) -> float:
    """Return the least share of the examples on which an evaluation counts in the front of a run; 1: full ones only."""
    budget = header.budget_in(MOST)
    if budget is None or not counts_partial(header):
        return 1.0
    made: list[StartRecord | Evaluation] = [] if start is None else list(start.evaluated)
    made += [evaluation for evaluation in evaluations if evaluation.failed is None]
    values = [(one.indices, one.share, [one.values[name] for name in header.names]) for one in made]
    full = {row: known for row, share, known in values if share == 1.0}
    partial = [one for one in values if one[1] < 1.0]
    return max(header.config.partial_share, counts_from(full, partial, budget))
