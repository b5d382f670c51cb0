"""Memory and energy as objectives: measured of each network, on the machine that the search runs on, so costly."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from itertools import product

import numpy as np

from ...supernets.plugins import closest_hint
from ...supernets.space.space import Architecture, Indices, SearchSpace
from ..errors import MissingContext
from .build import family_of
from .context import MeasuresResources, SearchContext
from .objective import Direction, Objective, Values
from .reference import extremes

FAMILIES = ("energy", "memory")


@dataclass(frozen=True)
class Resource(Objective):
    """A resource that sub-networks take, to minimise; `measure` runs one."""

    space: SearchSpace
    measure: Callable[[Architecture], float]
    name: str
    unit: str
    direction: Direction = "min"
    costly: bool = True
    knows_worst: bool = True
    on_device: bool = True

    def values(self, indices: Indices) -> Values:
        """Measure (n, d) architectures one after another, (n,)."""
        return np.array([self.measure(self.space.architecture(row)) for row in indices], dtype=np.float64)

    def worst(self) -> float:
        """Measure the largest architectures and return the most that one takes."""
        return float(self.values(largest(self.space)).max())


def largest(space: SearchSpace) -> Indices:
    """Return the largest networks in every setting, (n, d): all last options, most MACs and params of the extremes."""
    rows = extremes(space)
    most = rows[[1, int(space.macs(rows).argmax()), int(space.params(rows).argmax())]]
    settings = list(product(*(range(len(choice.options)) for choice in space.settings)))
    in_every = [np.concatenate([row, setting]) for row in space.networks(most) for setting in settings]
    return np.unique(np.array(in_every, dtype=np.int64), axis=0)


def resource_name(family: str, context: SearchContext) -> str:
    """Return the objective's name, with its instance where it has one."""
    return f"{family}@{context.instance}" if context.instance else family


def resources_of(name: str, context: SearchContext) -> MeasuresResources:
    """Return what measures the resources of the context's instance; raises MissingContext without a profile of it."""
    resources = context.resources.get(context.instance)
    if resources is not None:
        return resources
    family = family_of(name)
    others = [f"{family}@{other}" if other else family for other in context.resources]
    given = f"those given are for {', '.join(others)}{closest_hint(name, others)}" if others else "there is none"
    instance = context.instance
    raise MissingContext(
        f"objective {name!r} needs a hardware profile, which says how networks are run here, and {given}; make one "
        f"with `gnomon profile --space {context.space.network.name}` and pass it as "
        f"`profile{f'={instance}=FILE' if instance else ''}`"
    )


def require_measurable(refusal: str, name: str) -> None:
    """Raise MissingContext where a resource cannot be measured here, for the reason given."""
    if refusal:
        raise MissingContext(
            f"objective {name!r} is measured on this machine, and cannot be: {refusal}. Search where it can be "
            f"measured, with a profile made there, or without {name}"
        )
