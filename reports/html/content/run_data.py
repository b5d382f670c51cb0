"""What the script of the page needs of a run's points: values, intervals, genes, and the layers of some."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from ....errors import GnomonError
from ....supernets import SearchSpace
from .points import View
from .provenance import argument_of
from .sources import RunSubject

MOST_BARS = 6_000  # layers whose times are kept for the bar of a point that is clicked


def data_of(subject: RunSubject, views: Sequence[View], space: SearchSpace | None) -> dict[str, Any]:
    """Return what the script needs of the points."""
    run, measured = subject.run, subject.run.measured
    data: dict[str, Any] = {
        "folder": str(run.folder),
        "ids": [m.architecture.id for m in measured],
        "y": {
            "head": run.objectives[0].head,
            "more": run.objectives[0].direction == "max",
            "values": rounded(run.values[:, 0]),
        },
        "genes": [],
        "deployment": [m.deployment for m in measured] if run.header.provenance.deployments else None,
        "deployments": [d.label for d in run.header.provenance.deployments],
        "profiles": [argument_of(profile.name, profile.digest) for profile in subject.profiles],
        "views": [
            {
                "head": view.quantity.head,
                "label": view.label,
                "unit": view.quantity.unit,
                "less": view.is_less_better,
                "x": rounded(view.x),
                "ratio": None if view.high is None else rounded(view.high / view.x),
                "front": np.flatnonzero(view.front).tolist(),
                "keeps": "" if view.keeps.all() else "".join("01"[int(kept)] for kept in view.keeps),
            }
            for view in views
        ],
    }
    if space is not None:
        rows = np.array([m.architecture.indices for m in measured], dtype=np.int64).reshape(-1, len(space.choices))
        networks = space.networks(rows) if len(rows) else rows
        data["choices"] = [[choice.name, *map(str, choice.options)] for choice in space.choices]
        if len(rows):
            data["genes"] = [written_genes(row, active) for row, active in zip(rows, space.active(rows))]
            data["macs"], data["params"] = (
                rounded(count(networks)) for count in (space.network.macs, space.network.params)
            )
        data["bars"] = bars_of(subject, networks, views)
    return data


def bars_of(subject: RunSubject, networks: Any, views: Sequence[View]) -> dict[str, Any]:
    """Return the times of the layers of points, by number: of the front, then of others, as far as there is room."""
    if not subject.profiles or not views:
        return {}
    profile = subject.profiles[0]
    try:
        space, times = profile.space, profile.latency.contributions_us
    except GnomonError:
        return {}  # the facts of the profile say so
    order = [*np.flatnonzero(views[0].front), *np.flatnonzero(~views[0].front)]
    room = MOST_BARS // len(space.slots)
    us = {}
    for i in order[:room]:
        specs = [slot.spec(networks[i].tolist()) for slot in space.slots]
        runs = [space.parts[slot.part].runs for slot in space.slots]
        us[str(i)] = [None if spec is None else round(n * times[spec], 2) for spec, n in zip(specs, runs)]
    return {"slots": [slot.name for slot in space.slots], "us": us}


def rounded(values: Any) -> list[float]:
    """Return numbers with six digits that count, as JSON keeps them short."""
    return [float(f"{value:.6g}") for value in values]


def written_genes(row: NDArray[np.int64], active: NDArray[np.bool_]) -> str:
    """Write the options of genes (d,), a character each, counted from the digit 0; a full stop has no effect."""
    return "".join(chr(ord("0") + int(i)) if has_effect else "." for i, has_effect in zip(row, active))
