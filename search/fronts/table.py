"""A run or a front as one flat table: the columns that files for other tools and pandas have.

Objectives carry their unit in the column's name (accuracy_percent, latency_us), genes go by their own name and hold
option values. What is constrained without being an objective stands beside the objectives, and the way in which a
network runs fastest as its label. A gene or objective whose name another column has already is called gene.NAME or
objective.NAME.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

from ...supernets import SearchSpace, load_space
from ...supernets.packages import install_command
from ...supernets.space.space import Architecture
from ..deployments.deployment import Deployment, deployments_in
from ..errors import Infeasible, NothingMeasured, RunMismatch
from ..problem.objective import DEPLOYMENT

if TYPE_CHECKING:
    import pandas

    from ..runs.run import Run
    from .pareto import ParetoFront, QuantityInfo

Cell = int | float | str | bool | None

RUN_COLUMNS = ("space", "tactic", "seed", "order", "round", "id", "share", "failed", "seconds", "on_front")


@dataclass(frozen=True, slots=True)
class Table:
    """Column names, all different, and rows of as many cells."""

    columns: tuple[str, ...]
    rows: tuple[tuple[Cell, ...], ...]

    def column(self, name: str) -> tuple[Cell, ...]:
        """Return a column's cells; raises ValueError for a name that no column has."""
        position = self.columns.index(name)
        return tuple(row[position] for row in self.rows)


def table_of_run(run: Run) -> Table:
    """Return a run's evaluations, a row each in the order they were made.

    `share` is that of the validation images, `failed` why there are no values, `on_front` whether it is on the front
    of all that was fully measured. Raises NothingMeasured for an empty run, RunMismatch when the installed space
    differs from the run's, UnknownSpace.
    """
    space, best, ways = space_of(run), front_ids(run), deployments_in(run.header.provenance)
    rows = []
    for e in run.evaluations:
        values = [e.values.get(objective.name) for objective in run.objectives]
        beside = [watched_cell(e.values.get(one.name), one.name, ways) for one in run.watched]
        genes = space.values(Architecture(space.name, e.indices)).values()
        is_best = e.id in best and e.is_full
        facts = (run.config.space, run.config.tactic, run.config.seed)
        rows.append((*facts, e.order, e.round, e.id, e.share, e.failed, e.seconds, is_best, *values, *beside, *genes))
    return Table(columns_of(RUN_COLUMNS, (*run.objectives, *run.watched), space), tuple(rows))


def table_of_front(front: ParetoFront) -> Table:
    """Return a front, a row a member; raises UnknownSpace when its space is not installed."""
    space = load_space(front.architectures[0].space)
    rows = tuple(
        (architecture.id, *values, *space.values(architecture).values())
        for architecture, values in zip(front.architectures, front.rows)
    )
    return Table(columns_of(("id",), front.quantities, space), rows)


def watched_cell(value: float | None, name: str, ways: Sequence[Deployment]) -> Cell:
    """Return what a cell holds of a value beside the objectives; of the number of a way, its label."""
    return ways[int(value)].label if name == DEPLOYMENT and value is not None else value


def frame_from_table(table: Table) -> pandas.DataFrame:
    """Return a table as a pandas data frame; raises ModuleNotFoundError, with the way to install it, without pandas."""
    try:
        import pandas
    except ImportError as error:
        raise ModuleNotFoundError(
            f"a frame needs pandas, which is not installed: {install_command('pandas')}", name="pandas"
        ) from error
    return pandas.DataFrame(list(table.rows), columns=list(table.columns))


def columns_of(first: Sequence[str], objectives: Sequence[QuantityInfo], space: SearchSpace) -> tuple[str, ...]:
    """Name the columns: `first`, the objectives with their units, the genes; no name twice."""
    names = list(first)
    for objective in objectives:
        unit = "" if objective.name == DEPLOYMENT else objective.unit
        names.append(distinct(column_from_objective(objective.name, unit), names, "objective"))
    for choice in space.choices:
        names.append(distinct(choice.name, names, "gene"))
    return tuple(names)


def column_from_objective(name: str, unit: str) -> str:
    """Return the column of an objective: its name and unit, once where they are the same word."""
    word = re.sub(r"\W+", "_", unit.replace("%", "percent")).strip("_")
    return f"{name}_{word}" if word and word.lower() != name.lower() else name


def distinct(name: str, taken: Sequence[str], prefix: str) -> str:
    """Return `name`, with as many prefixes as make it none of `taken`."""
    while name in taken:
        name = f"{prefix}.{name}"
    return name


def space_of(run: Run) -> SearchSpace:
    """Return the run's space; raises RunMismatch when the installed one differs, UnknownSpace when there is none."""
    space = load_space(run.config.space)
    if space.digest != run.header.space_digest:
        raise RunMismatch(
            f"{run.folder} was searched on {space.name} with digest {run.header.space_digest}; the space installed "
            f"here has {space.digest}, so its genes mean something else. Use the Gnomon that made the run",
            fields=("space_digest",),
        )
    return space


def front_ids(run: Run) -> frozenset[str]:
    """Return the ids on the run's front, none when nothing was measured in full or keeps its constraints.

    Raises NothingMeasured for a run without evaluations.
    """
    try:
        return frozenset(architecture.id for architecture in run.front().architectures)
    except Infeasible:
        return frozenset()
    except NothingMeasured:
        if not run.evaluations:
            raise
        return frozenset()
