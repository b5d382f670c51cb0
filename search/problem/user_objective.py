"""Objectives whose values are told by the user rather than computed: costly, with nothing here to compute them."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from ...supernets.plugins import closest_hint
from ...supernets.space.space import Indices
from ..errors import InvalidConfig, InvalidValue, MissingContext, TrialRefused
from ..rounds import Trial
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


def require_values(
    trial: Trial, values: Mapping[str, object], failed: str | None, *, told: Mapping[str, Told], known: Sequence[str]
) -> None:
    """Raise TrialRefused or InvalidValue unless a trial is told a finite number a `told` objective, or why it `failed`.

    `known` are all objectives of the study.
    """
    if failed is not None:
        if values or not failed.strip():
            raise TrialRefused(
                f"trial {trial.id} is told as failed={failed!r} with {', '.join(values) or 'no reason'}; tell either "
                'its values, or failed="why"'
            )
        return
    example = ", ".join(f"{name}=..." for name in told) or "nothing"
    for name in values:
        if name not in told:
            hint = f"the study does not have it{closest_hint(name, list(told))}"
            why = "it is computed here" if name in known else hint
            raise TrialRefused(f"trial {trial.id} is told {name}, but {why}; tell {example}")
    if missing := [name for name in told if name not in values]:
        raise TrialRefused(f"trial {trial.id} is told without {', '.join(missing)}; tell {example}")
    for name, value in values.items():
        if isinstance(value, bool) or not math.isfinite(as_number(value)):
            raise InvalidValue(
                f"trial {trial.id} is told {name}={value!r}; expected a finite number in {told[name].unit}. "
                'If it could not be measured, tell failed="why"'
            )


def as_number(value: object) -> float:
    """Return a number as a float, and NaN for anything else, text of a number included."""
    try:
        return math.nan if isinstance(value, str) else float(value)  # type: ignore[arg-type]
    except (TypeError, ValueError):
        return math.nan
