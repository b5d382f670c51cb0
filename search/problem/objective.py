"""What a search optimises, and what an objective is built from.

An objective says its unit and its direction and never changes a sign. A cheap one is exact for any number of
architectures; a costly one runs networks, so a tactic asks it only for architectures that it wants measured. New
objectives are modules of `objectives/` or entry points of group gnomon.objectives: `build(context) -> Objective`. A
name may be `family@instance`, as latency@pi5: the family's module builds for the context's `instance`.
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Sequence
from dataclasses import dataclass
from typing import ClassVar, Literal

import numpy as np
from numpy.typing import NDArray

from ...supernets.space.space import Indices
from ..errors import InvalidValue, MissingContext

Direction = Literal["max", "min"]
Values = NDArray[np.float64]


class Objective(ABC):
    """A number to maximise or minimise, and what a search may ask of it.

    `costly`: a value takes running a network, so that tactics predict it. `divisible`: it can be measured on a share of
    its data, at that share of the cost; the data of a share are the same for every architecture, and a larger share
    contains a smaller. `device_independent`: a value measured beside one device holds on another, as an accuracy does.
    `knows_worst`: a costly one to minimise that can measure its `worst` value. `on_device`: a value is of the machine
    that searches, where it is measured one network at a time; other costly ones may be evaluated by workers elsewhere.
    """

    name: str
    unit: str
    direction: Direction
    costly: bool = False
    divisible: bool = False
    device_independent: bool = False
    knows_worst: bool = False
    on_device: bool = False

    @abstractmethod
    def values(self, indices: Indices) -> Values:
        """Return the values of (n, d) architectures in `unit`, (n,)."""

    def values_on(self, indices: Indices, share: float) -> Values:
        """Return the values of (n, d) architectures on a share in (0, 1] of the data, (n,); all, if not divisible."""
        return self.values(indices)

    def worst(self) -> float:
        """Measure the value that hypervolume ends at unless the settings say; raises MissingContext if not known."""
        raise MissingContext(f"objective {self.name!r} cannot say its worst value; give it as reference.{self.name}")


def measure(objectives: Sequence[Objective], row: Indices, share: float = 1.0) -> tuple[float, ...]:
    """Return one architecture's value of each objective, those that can on a share of the data; raises InvalidValue."""
    values = []
    for objective in objectives:
        measured = objective.values_on(row[None], share) if share < 1.0 else objective.values(row[None])
        result = np.asarray(measured, dtype=np.float64)
        if result.shape != (1,) or not np.isfinite(result[0]):
            raise InvalidValue(
                f"objective {objective.name!r} returned {result.tolist()} for one architecture {row.tolist()}; "
                "expected one finite number"
            )
        values.append(float(result[0]))
    return tuple(values)


def minimised(values: Values, directions: Sequence[Direction]) -> Values:
    """Flip the sign of maximised columns of (n, m) values."""
    signs = np.array([-1.0 if direction == "max" else 1.0 for direction in directions])
    return np.asarray(values * signs, dtype=np.float64)


@dataclass(frozen=True, slots=True)
class Quantity:
    """What a number is that networks have: its name and unit."""

    name: str
    unit: str
    __pydantic_config__: ClassVar[dict[str, str]] = {"extra": "forbid"}  # where a file has it

    @property
    def head(self) -> str:
        """The name with the unit, as a table heads its column; the name alone where both are the same word."""
        return self.headed()

    def headed(self, words: str = "") -> str:
        """Return the head of a column of this quantity that `words` say more of, as `accuracy test (percent)`."""
        name = f"{self.name} {words}".rstrip()
        return name if self.unit.lower() == self.name.lower() else f"{name} ({self.unit})"


@dataclass(frozen=True, slots=True)
class ObjectiveInfo(Quantity):
    """A quantity of which more, or less, is better."""

    direction: Direction
