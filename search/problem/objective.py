"""What a search optimises, and what an objective is built from.

An objective says its unit and its direction and never changes a sign. A cheap one is exact for any number of
architectures; a costly one runs networks, so a tactic asks it only for architectures that it wants measured. New
objectives are modules of `objectives/` or entry points of group gnomon.objectives: `build(context) -> Objective`. A
name may be `family@instance`, as latency@pi5: the family's module builds for the context's `instance`.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal, Protocol, runtime_checkable

import numpy as np
from numpy.typing import NDArray

from ...supernets.space.space import Indices
from ..errors import InvalidValue

Direction = Literal["max", "min"]
Values = NDArray[np.float64]


class Objective(Protocol):
    """A number to maximise or minimise; `values` gives it in `unit` for (n, d) architectures, (n,)."""

    @property
    def name(self) -> str:
        """Name in configurations and files."""

    @property
    def unit(self) -> str:
        """Unit of the values."""

    @property
    def direction(self) -> Direction:
        """Which way is better."""

    @property
    def costly(self) -> bool:
        """Whether a value takes running a network, so that tactics predict it."""

    def values(self, indices: Indices) -> Values:
        """Return the values of (n, d) architectures, (n,)."""


@runtime_checkable
class Divisible(Protocol):
    """A costly objective that can be measured on a share of its data, at that share of the cost.

    The data of a share are the same for every architecture, and a larger share contains a smaller.
    """

    def values_on(self, indices: Indices, share: float) -> Values:
        """Return the values of (n, d) architectures on a share in (0, 1] of the data, (n,)."""


@runtime_checkable
class Transferable(Protocol):
    """A costly objective that says whether its values hold on every device, as an accuracy does."""

    @property
    def device_independent(self) -> bool:
        """Whether a value measured beside one device holds on another."""


def measure(objectives: Sequence[Objective], row: Indices, share: float = 1.0) -> tuple[float, ...]:
    """Return one architecture's value of each objective, those that can on a share of the data; raises InvalidValue."""
    values = []
    for objective in objectives:
        if share < 1.0 and isinstance(objective, Divisible):
            measured = objective.values_on(row[None], share)
        else:
            measured = objective.values(row[None])
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
class QuantityInfo:
    """A quantity that a constraint is on without being an objective."""

    name: str
    unit: str

    @property
    def head(self) -> str:
        """The name with the unit, as a table heads its column; the name alone where both are the same word."""
        return self.headed()

    def headed(self, words: str = "") -> str:
        """Return the head of a column of this quantity that `words` say more of, as `accuracy test (percent)`."""
        name = f"{self.name} {words}".rstrip()
        return name if self.unit.lower() == self.name.lower() else f"{name} ({self.unit})"


@dataclass(frozen=True, slots=True)
class ObjectiveInfo(QuantityInfo):
    """What is known of an objective without being able to compute it."""

    direction: Direction
