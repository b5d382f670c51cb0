"""The front of a run as a table: values with their intervals, and what the final front says of each member."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from ....search.final.front import FinalFront
from ..drawing.numbers import interval, number
from .points import View
from .sources import RunSubject

Row = tuple[int, tuple[str, ...]]


def head_of(subject: RunSubject) -> tuple[str, ...]:
    """Return the columns of the table of members."""
    run = subject.run
    runs_on = ("runs on",) if run.header.provenance.deployments else ()
    final = () if subject.final is None else final_head(subject.final)
    return ("id", *(quantity.head for quantity in (*run.objectives, *run.watched)), *runs_on, *final)


def members_of(subject: RunSubject, views: Sequence[View]) -> list[Row]:
    """Return the front as rows, the best in the first objective first: the point's number, and its cells."""
    if not views:
        return []
    run = subject.run
    own = {view.quantity.name: view for view in views if not view.priced_by}
    best = run.values[:, 0] * (-1 if run.objectives[0].direction == "max" else 1)
    final = {} if subject.final is None else final_cells(subject.final)
    unknown = () if subject.final is None else ("",) * len(final_head(subject.final))
    rows, measured = [], run.measured
    for i in sorted(np.flatnonzero(views[0].front).tolist(), key=lambda i: best[i]):
        architecture, values = measured[i].architecture, measured[i].quantities
        cells = [
            said(own.get(quantity.name), i, value) for quantity, value in zip((*run.objectives, *run.watched), values)
        ]
        if run.header.provenance.deployments:
            deployment = run.deployment(architecture)
            cells.append(deployment.label if deployment else "")
        rows.append((i, (architecture.id, *cells, *final.get(architecture.id, unknown))))
    return rows


def said(view: View | None, i: int, value: float) -> str:
    """Write a value, with its interval where the view that it is the horizontal quantity of has one."""
    if view is None or view.low is None or view.high is None:
        return number(value)
    return interval(value, float(view.low[i]), float(view.high[i]))


def final_head(final: FinalFront) -> tuple[str, ...]:
    """Return the columns that a final front adds."""
    timed = ("latency measured (us)",) if is_timed(final) else ()
    return (*(f"{name} on {final.header.report_split}" for name in final.costly), *timed, "stays")


def final_cells(final: FinalFront) -> dict[str, tuple[str, ...]]:
    """Return what the final front adds to the row of each of its members."""
    found = {}
    for member, standing in zip(final.members, final.standings):
        timing = final.timings.get(member.id)
        cells = [number(member.report[name]) for name in final.costly]
        if is_timed(final):
            cells.append(number(timing.measured_us) if timing and timing.measured_us else "")
        found[member.id] = (*cells, "yes" if standing.on_front else standing.reason or "unknown")
    return found


def is_timed(final: FinalFront) -> bool:
    """Tell whether any member of a final front was timed."""
    return any(timing.measured_us for timing in final.timings.values())
