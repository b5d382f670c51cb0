"""Objectives whose values are told by the user rather than computed: costly, with nothing here to compute them."""

from __future__ import annotations

from dataclasses import dataclass

from ...supernets.space.space import Indices
from ..errors import InvalidConfig, MissingContext
from .objective import Direction, Objective, Values

RESERVED = ("trial", "failed", "seconds")  # parameters of Study.tell


@dataclass(frozen=True, slots=True)
class Told:
    """Declare an objective that a study is told: its name, unit and direction.

    `divisible`: whoever measures it honours a trial's share of the validation data; without it all trials are whole.
    `device_independent`: a value measured for one device holds for another, as an accuracy does.
    """

    name: str
    unit: str
    direction: Direction = "max"
    divisible: bool = False
    device_independent: bool = False

    def __post_init__(self) -> None:
        if self.name in RESERVED or not self.name or not self.unit:
            raise InvalidConfig(
                f"told objective {self.name!r} in {self.unit!r}: it needs a unit, and a name other than "
                f"{', '.join(RESERVED)}",
                field="told",
            )
        if self.direction not in ("max", "min"):
            raise InvalidConfig(
                f"told objective {self.name!r} has direction {self.direction!r}; it is max or min", field="told"
            )


ACCURACY = Told("accuracy", "percent", device_independent=True)


@dataclass(frozen=True)
class ToldObjective:
    """A told objective as a search sees it."""

    name: str
    unit: str
    direction: Direction
    device_independent: bool
    costly: bool = True

    def values(self, indices: Indices) -> Values:
        """Raise MissingContext: only the user knows."""
        raise MissingContext(f"objective {self.name!r} is told with Study.tell; nothing here computes it")


@dataclass(frozen=True)
class DivisibleToldObjective(ToldObjective):
    """A told objective that is measured on shares of the data too."""

    def values_on(self, indices: Indices, share: float) -> Values:
        """Raise MissingContext: only the user knows."""
        return self.values(indices)


def objective_of(told: Told) -> Objective:
    """Build the objective that a declaration describes."""
    kind = DivisibleToldObjective if told.divisible else ToldObjective
    return kind(told.name, told.unit, told.direction, told.device_independent)
