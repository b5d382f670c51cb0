"""User objectives: their values come from the user by `Study.tell` (ask-and-tell), nothing here computes them."""

from __future__ import annotations

from dataclasses import dataclass

from ...supernets.space.space import Indices
from ..errors import InvalidConfig, MissingContext
from .objective import Direction, Objective, Values

RESERVED = ("trial", "failed", "seconds", "correct", "margins")  # parameters of Study.tell


@dataclass(frozen=True)
class UserObjective(Objective):
    """Declare an objective that a study is told: its name, unit and direction.

    `divisible`: whoever measures it honours a trial's share of the validation data; without it all trials are whole.
    `device_independent`: a value measured for one device holds for another, as an accuracy does.
    """

    name: str
    unit: str
    direction: Direction = "max"
    divisible: bool = False
    device_independent: bool = False
    costly = True

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

    def values(self, indices: Indices) -> Values:
        """Raise MissingContext: only the user knows."""
        raise MissingContext(f"objective {self.name!r} is told with Study.tell; nothing here computes it")


ACCURACY = UserObjective("accuracy", "percent", device_independent=True)
