"""What a search is after, read once where a search, a study or a run is opened, and handed on from there."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import Generic, TypeVar

from ...supernets.space.space import SearchSpace
from ..config import SearchConfig
from .constraint import Constraint, violation
from .objective import Direction, Objective, Quantity, Values
from .reference import corner_of, measured_reference
from .region import Region

Q = TypeVar("Q", bound=Objective | Quantity)  # what computes values, or what the description of a run says of it


@dataclass(frozen=True)
class Problem(Generic[Q]):
    """Objectives (m), what else is measured because it is constrained (k), and where hypervolume counts.

    `reference` (m) is where hypervolume ends, in the objectives' units.
    """

    objectives: tuple[Q, ...]
    watched: tuple[Q, ...]
    constraints: tuple[Constraint, ...]
    region: Region
    reference: tuple[float, ...]

    @property
    def directions(self) -> tuple[Direction, ...]:
        """Direction of each objective, m of them."""
        return self.region.directions

    @cached_property
    def units(self) -> Mapping[str, str]:
        """Unit by name of all that is measured: the objectives, then what is watched."""
        return units_of((*self.objectives, *self.watched))

    def violation(self, values: Values) -> Values:
        """Return by how much values of all that is measured, (n, m + k), break the constraints, (n,)."""
        return violation(values, list(self.units), self.constraints)


def settled(
    config: SearchConfig,
    space: SearchSpace,
    objectives: Sequence[Objective],
    watched: Sequence[Objective] = (),
    *,
    kept: Mapping[str, float] | None = None,
) -> tuple[SearchConfig, Problem[Objective]]:
    """Read what a search is after; the settings get the worst values that had to be measured for its reference point.

    Those that a run `kept` are not measured again. Raises InvalidConstraint, and InvalidConfig for a region or a
    reference that makes no hypervolume.
    """
    constraints = parsed(config.constraints, (*objectives, *watched))
    region = Region.of(config.region, objectives, constraints)
    reference = measured_reference(objectives, region, config.reference, kept or {})
    corner = corner_of(objectives, space, region, reference)
    problem = Problem(tuple(objectives), tuple(watched), constraints, region, corner)
    return config.model_copy(update={"reference": reference}), problem


def parsed(texts: Sequence[str], quantities: Sequence[Objective | Quantity]) -> tuple[Constraint, ...]:
    """Read constraints on quantities; raises InvalidConstraint."""
    units = units_of(quantities)
    return tuple(Constraint.parse(text, units) for text in texts)


def units_of(quantities: Sequence[Objective | Quantity]) -> dict[str, str]:
    """Return the unit of each quantity by its name."""
    return {quantity.name: quantity.unit for quantity in quantities}
