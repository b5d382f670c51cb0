"""What a run measured, as arrays, and the views of it: against each other objective, and on other devices.

A view has a horizontal quantity. Its front, and what keeps the constraints, are those of the run as it is priced there.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from ....errors import GnomonError
from ....lut import HardwareProfile
from ....search import Run, repriced
from ....search.deployments.provenance import LATENCY
from ....search.problem.objective import Quantity
from ....search.runs.measured import violations_of

Array = NDArray[np.float64]
ORDER = Quantity("validation", "number")


@dataclass(frozen=True)
class View:
    """One way to look at what was measured: `x` (n,) of a quantity, with where 90 % of the truth lies, or None.

    front: (n,), whether a point is on the front. keeps: (n,), whether it keeps the constraints. is_line: whether the
    front is a line here, as it is between two objectives. priced_by: the profile that another device's latency is of.
    """

    label: str
    quantity: Quantity
    is_less_better: bool
    x: Array
    low: Array | None
    high: Array | None
    front: NDArray[np.bool_]
    keeps: NDArray[np.bool_]
    is_line: bool
    priced_by: str = ""


def views_of(run: Run, profiles: Sequence[HardwareProfile], others: Sequence[HardwareProfile]) -> list[View]:
    """Return the views of a run: its own objectives, then its latency under `others`; `profiles` give intervals."""
    views = own_views(run, profiles)
    for other in others:
        try:
            priced = repriced(run, other)
        except GnomonError:
            continue  # it prices no latency of this run, which `unpriced` says
        if priced is not run:
            own = next((view for view in own_views(priced, [other]) if view.quantity.name == LATENCY), None)
            views += [] if own is None else [as_of(own, other)]
    return views


def unpriced(run: Run, others: Sequence[HardwareProfile]) -> list[str]:
    """Say which of other profiles cannot price a run, and why."""
    said = []
    for other in others:
        try:
            repriced(run, other)
        except GnomonError as error:
            said.append(f"{other.name} does not price this run: {error}")
    return said


def as_of(view: View, profile: HardwareProfile) -> View:
    """Return a view of a latency under the label of the profile that priced it."""
    label = f"{view.quantity.name} on {profile.header.device}, {profile.header.backend}"
    return View(
        label,
        view.quantity,
        view.is_less_better,
        view.x,
        view.low,
        view.high,
        view.front,
        view.keeps,
        view.is_line,
        profile.name,
    )


def own_views(run: Run, profiles: Sequence[HardwareProfile]) -> list[View]:
    """Return a view of each objective but the first against it; of a run with one, its values as they came."""
    values, objectives = run.values, run.objectives
    on_front = run.front_ids() if run.evaluations else frozenset()
    front = np.array([measured.architecture.id in on_front for measured in run.measured], dtype=np.bool_)
    keeps = violations_of(run.problem, run.measured) == 0
    if len(objectives) == 1:
        order = np.arange(1, len(values) + 1, dtype=np.float64)
        return [View("in order", ORDER, True, order, None, None, front, keeps, False)]
    views = []
    for number, objective in enumerate(objectives[1:], 1):
        low, high = interval_of(run, objective.name, profiles)
        views.append(
            View(
                label=objective.name,
                quantity=Quantity(objective.name, objective.unit),
                is_less_better=objective.direction == "min",
                x=values[:, number],
                low=low,
                high=high,
                front=front,
                keeps=keeps,
                is_line=len(objectives) == 2,
            )
        )
    return views


def interval_of(run: Run, name: str, profiles: Sequence[HardwareProfile]) -> tuple[Array, Array] | tuple[None, None]:
    """Return where 90 % of each latency lies, by the profile that priced it; None where no profile given did."""
    header = run.header.provenance
    by_digest = {profile.digest: profile for profile in profiles}
    measured = run.measured
    if name.partition("@")[0] != LATENCY or not measured:
        return None, None
    if header.deployments:
        sources = [None if m.deployment is None else header.deployments[m.deployment].sha256 for m in measured]
    else:
        sources = [header.sources[name].sha256 if name in header.sources else None] * len(measured)
    ratio = np.full(len(measured), np.nan)
    for digest in {source for source in sources if source in by_digest}:
        profile = by_digest[digest]
        chosen = np.array([source == digest for source in sources])
        rows = np.array([m.architecture.indices for m in measured], dtype=np.int64)[chosen]
        try:
            estimate = profile.latency.predict(rows[:, : len(profile.space.choices)])
        except GnomonError:
            continue  # the space has changed since, or nothing verified the profile
        if estimate.log_ratio is not None:
            ratio[chosen] = estimate.ratio
    if not np.isfinite(ratio).all():
        return None, None
    column = [quantity.name for quantity in run.header.quantities].index(name)
    values = np.array([m.quantities[column] for m in measured])
    return values / ratio, values * ratio
