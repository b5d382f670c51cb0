"""A run's evaluations as one flat table: what files for other tools and pandas have."""

from __future__ import annotations

from collections.abc import Collection, Sequence

from ...supernets import SearchSpace
from ...supernets.space.space import Architecture
from ..config import SearchConfig
from ..deployments.provenance import Deployment
from ..fronts.table import Cell, Table, columns_of
from ..problem.context import DEPLOYMENT
from ..problem.objective import Quantity
from .records import Evaluation

RUN_COLUMNS = ("space", "tactic", "seed", "order", "round", "id", "share", "failed", "seconds", "on_front")


def table_of_evaluations(
    config: SearchConfig,
    space: SearchSpace,
    evaluations: Sequence[Evaluation],
    quantities: Sequence[Quantity],
    *,
    front: Collection[str],
    ways: Sequence[Deployment],
) -> Table:
    """Return evaluations, a row each in the order they were made.

    `share` is that of the validation images, `failed` why there are no values, `on_front` whether it is on the `front`
    (ids) of all that was fully measured. `quantities` are the objectives, then what is constrained without being one.
    """
    rows = []
    for e in evaluations:
        values = [watched_cell(e.values.get(one.name), one.name, ways) for one in quantities]
        genes = space.values(Architecture(space.name, e.indices)).values()
        is_best = e.id in front and e.is_full
        facts = (config.space, config.tactic, config.seed)
        rows.append((*facts, e.order, e.round, e.id, e.share, e.failed, e.seconds, is_best, *values, *genes))
    return Table(columns_of(RUN_COLUMNS, quantities, space), tuple(rows))


def watched_cell(value: float | None, name: str, ways: Sequence[Deployment]) -> Cell:
    """Return what a cell holds of a value; of the number of a way, its label."""
    return ways[int(value)].label if name == DEPLOYMENT and value is not None else value
