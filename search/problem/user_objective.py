"""User objectives: their values come from the user by `Study.tell` (ask-and-tell), nothing here computes them."""

from __future__ import annotations

from dataclasses import dataclass

from ...supernets.space.space import Indices
from ..errors import InvalidConfig, MissingContext
from .objective import Direction, Objective, Values

RESERVED = ("trial", "failed", "seconds")  # parameters of Study.tell


@dataclass(frozen=True, slots=True)
class UserObjective:
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
                f"user objective {self.name!r} in {self.unit!r}: it needs a unit, and a name other than "
                f"{', '.join(RESERVED)}",
                field="user_objectives",
            )
        if self.direction not in ("max", "min"):
            raise InvalidConfig(
                f"user objective {self.name!r} has direction {self.direction!r}; it is max or min",
                field="user_objectives",
            )


ACCURACY = UserObjective("accuracy", "percent", device_independent=True)


@dataclass(frozen=True)
class AskAndTellObjective:
    """A user objective as a search sees it."""

    name: str
    unit: str
    direction: Direction
    device_independent: bool
    costly: bool = True

    def values(self, indices: Indices) -> Values:
        """Raise MissingContext: only the user knows."""
        raise MissingContext(f"objective {self.name!r} is told with Study.tell; nothing here computes it")


@dataclass(frozen=True)
class DivisibleAskAndTellObjective(AskAndTellObjective):
    """A user objective that is measured on shares of the data too."""

    def values_on(self, indices: Indices, share: float) -> Values:
        """Raise MissingContext: only the user knows."""
        return self.values(indices)


def objective_of(told: UserObjective) -> Objective:
    """Build the objective that a declaration describes."""
    kind = DivisibleAskAndTellObjective if told.divisible else AskAndTellObjective
    return kind(told.name, told.unit, told.direction, told.device_independent)
