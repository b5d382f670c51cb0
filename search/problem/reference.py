"""The reference point, where hypervolume ends: settled once, when a run begins, and kept in its description.

A cheap objective has its worst value over the ends of the space and fixed draws. A costly objective to minimise has no
worst value that arithmetic gives. One that can say its worst measures it (a largest architecture or three); measured
again it would differ a little, so a run that goes on takes what it has.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import numpy as np

from ...supernets.space.space import Indices, SearchSpace
from ..errors import InvalidConfig
from .objective import Objective
from .region import Region

EXTREMES_SEED = 20220510
EXTREMES_SAMPLES = 4096


def measured_reference(
    objectives: Sequence[Objective], region: Region, given: Mapping[str, float], kept: Mapping[str, float]
) -> dict[str, float]:
    """Return the worst values `given`, with that of each objective that has to measure it: `kept`, or measured now.

    Nothing is measured where a worst value is given, or a bound of the region says it.
    """
    reference = dict(given)
    for objective, bound in zip(objectives, region.worst):
        if objective.knows_worst and objective.name not in reference and not np.isfinite(bound):
            reference[objective.name] = kept[objective.name] if objective.name in kept else objective.worst()
    return reference


def reference_point(
    objectives: Sequence[Objective], space: SearchSpace, given: Mapping[str, float]
) -> tuple[float, ...]:
    """Return the point that hypervolume is measured from, one value an objective.

    A given value wins. Else a cheap objective has its worst value over the smallest and largest architecture (all
    first and all last options) and 4,096 fixed draws; a costly one to maximise has 0. Raises InvalidConfig for a
    costly objective to minimise without a given value.
    """
    probe: Indices | None = None
    point = []
    for objective in objectives:
        if objective.name in given:
            point.append(float(given[objective.name]))
        elif not objective.costly:
            probe = extremes(space) if probe is None else probe
            values = objective.values(probe)
            point.append(float(values.max() if objective.direction == "min" else values.min()))
        elif objective.direction == "max":
            point.append(0.0)
        else:
            raise InvalidConfig(
                f"objective {objective.name!r} is costly and minimised, and cannot say its worst value; "
                f"give it in {objective.unit}, as reference.{objective.name} = VALUE",
                field="reference",
            )
    return tuple(point)


def corner_of(
    objectives: Sequence[Objective], space: SearchSpace, region: Region, given: Mapping[str, float]
) -> tuple[float, ...]:
    """Return the point that a run's hypervolume is measured from: the region's bounds, else as `reference_point`.

    Raises InvalidConfig for a region where nothing can count, or that says what is given.
    """
    given = dict(given)
    for objective, bound in zip(objectives, region.worst):
        if np.isfinite(bound):
            if objective.name in given:
                raise InvalidConfig(
                    f"reference.{objective.name} = {given[objective.name]:g} and the region {', '.join(region.texts)} "
                    "both say where hypervolume ends; give one of them",
                    field="region",
                )
            given[objective.name] = bound
    corner = reference_point(objectives, space, given)
    region.check_corner(corner)
    return corner


def extremes(space: SearchSpace) -> Indices:
    """Return the smallest and largest architecture and fixed draws, (n, d) canonical."""
    corners = np.stack([np.zeros_like(space.radices), space.radices - 1])
    draws = space.sample(EXTREMES_SAMPLES, np.random.default_rng(EXTREMES_SEED))
    return np.concatenate([space.canonical(corners), draws])
