"""Memory and energy as objectives: measured of each network, on the machine that the search runs on, so costly."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Literal

import numpy as np

from ..supernets.space import Architecture, Indices, SearchSpace
from .errors import MissingContext, closest_hint
from .objective import MeasuresResources, SearchContext, Values, largest

FAMILIES = ("energy", "memory")


@dataclass(frozen=True)
class Resource:
    """A resource that sub-networks take, to minimise; `measure` runs one."""

    space: SearchSpace
    measure: Callable[[Architecture], float]
    name: str
    unit: str
    direction: Literal["min"] = "min"
    costly: bool = True
    device_independent: bool = False

    def values(self, indices: Indices) -> Values:
        """Measure (n, d) architectures one after another, (n,)."""
        return np.array([self.measure(self.space.architecture(row)) for row in indices], dtype=np.float64)

    def worst(self) -> float:
        """Measure the largest architectures and return the most that one takes."""
        return float(self.values(largest(self.space)).max())


def resource_name(family: str, context: SearchContext) -> str:
    """Return the objective's name, with its instance where it has one."""
    return f"{family}@{context.instance}" if context.instance else family


def resources_of(name: str, context: SearchContext) -> MeasuresResources:
    """Return what measures the resources of the context's instance; raises MissingContext without a profile of it."""
    found = context.resources.get(context.instance)
    if found is not None:
        return found
    known = [f"{name.partition('@')[0]}@{other}" if other else name.partition("@")[0] for other in context.resources]
    given = f"those given are for {', '.join(known)}{closest_hint(name, known)}" if known else "there is none"
    raise MissingContext(
        f"objective {name!r} needs a hardware profile, which says how networks are run here, and {given}; make one "
        f"with `gnomon profile --space {context.space.name}` and pass it as --profile "
        f"{context.instance + '=' if context.instance else ''}FILE"
    )


def require_none(refusal: str, name: str) -> None:
    """Raise MissingContext where a resource cannot be measured here, for the reason given."""
    if refusal:
        raise MissingContext(
            f"objective {name!r} is measured on this machine, and cannot be: {refusal}. Search where it can be "
            f"measured, with a profile made there, or without {name}"
        )
