"""A run's evaluations as one flat table: what files for other tools and pandas have."""

from __future__ import annotations

from collections.abc import Collection, Sequence

from ...supernets import SearchSpace
from ...supernets.space.space import Architecture
from ..config import SearchConfig
from ..deployments.provenance import Deployment
from ..fronts.table import Cell, Table, columns_of
from ..problem.objective import Quantity
from .files.records import Evaluation

RUN_COLUMNS = ("space", "tactic", "seed", "order", "round", "id", "share", "failed", "seconds", "on_front")


def table_of_evaluations(
    config: SearchConfig,
    space: SearchSpace,
    evaluations: Sequence[Evaluation],
    quantities: Sequence[Quantity],
    *,
    front: Collection[int],
    deployments: Sequence[Deployment],
) -> Table:
    """Return evaluations, a row each in the order they were made.

    `share` is that of the validation images, `failed` why there are no values, `on_front` whether it is on the `front`
    (evaluations by `order`). `quantities` are the objectives, then what is constrained without being one;
    where there are several `deployments`, each network's stands beside them by its label.
    """
    rows = []
    for e in evaluations:
        values: list[Cell] = [e.values.get(quantity.name) for quantity in quantities]
        if deployments:
            values.append(None if e.deployment is None else deployments[e.deployment].label)
        genes = space.values(Architecture(space.name, e.indices)).values()
        is_best = e.order in front
        facts = (config.space, config.tactic, config.seed)
        rows.append((*facts, e.order, e.round, e.id, e.share, e.failed, e.seconds, is_best, *values, *genes))
    beside = ("deployment",) if deployments else ()
    return Table(columns_of(RUN_COLUMNS, quantities, space, beside=beside), tuple(rows))
