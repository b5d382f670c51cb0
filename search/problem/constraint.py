"""Constraints such as `latency<=2ms` or `accuracy>=90`, held in the objective's own unit.

A bare number is read in the objective's unit, except for a latency: "2" may mean milliseconds or microseconds, so
it is refused.
"""

from __future__ import annotations

import operator
import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from ...supernets.plugins import closest_hint
from ..errors import InvalidConstraint

PATTERN = re.compile(r"\s*([\w.@-]+?)\s*(<=|>=|<|>)\s*([+-]?\d*\.?\d+(?:[eE][+-]?\d+)?)\s*([^\W\d]*|%)\s*")
OPERATORS: dict[str, Callable[[NDArray[np.float64], float], NDArray[np.bool_]]] = {
    "<=": operator.le,
    ">=": operator.ge,
    "<": operator.lt,
    ">": operator.gt,
}
COUNTS = {"": 1.0, "K": 1e3, "k": 1e3, "M": 1e6, "G": 1e9}
SUFFIXES: dict[str, dict[str, float]] = {
    "us": {"ns": 1e-3, "us": 1.0, "µs": 1.0, "μs": 1.0, "ms": 1e3, "s": 1e6},
    "percent": {"": 1.0, "%": 1.0, "percent": 1.0},
    "MACs": COUNTS | {"MACs": 1.0},
    "params": COUNTS | {"params": 1.0},
    "MiB": {"": 1.0, "KiB": 1 / 1024, "MiB": 1.0, "GiB": 1024.0},
    "mJ": {"": 1.0, "uJ": 1e-3, "µJ": 1e-3, "μJ": 1e-3, "mJ": 1.0, "J": 1e3},
}


@dataclass(frozen=True, slots=True)
class Constraint:
    """A bound on an objective: `operator` is one of <=, >=, <, >; `bound` is in `unit`."""

    objective: str
    operator: str
    bound: float
    unit: str

    def __str__(self) -> str:
        return f"{self.objective}{self.operator}{self.bound:g} {self.unit}"

    @staticmethod
    def name_in(text: str) -> str:
        """Return the objective that a constraint is on; raises InvalidConstraint."""
        return parts_of(text)[0]

    @classmethod
    def parse(cls, text: str, units: Mapping[str, str]) -> Constraint:
        """Read a constraint on one of the objectives of `units` (name to unit); raises InvalidConstraint."""
        name, symbol, number, suffix = parts_of(text)
        if name not in units:
            raise InvalidConstraint(
                f"constraint {text!r} is on {name!r}, which the run does not measure; "
                f"its objectives are {', '.join(units)}{closest_hint(name, list(units))}"
            )
        unit = units[name]
        factors = SUFFIXES.get(unit, {"": 1.0, unit: 1.0})
        if suffix not in factors:
            written = f"the unit {suffix!r}" if suffix else "no unit"
            choices = ", ".join(repr(key) if key else "none" for key in factors)
            raise InvalidConstraint(f"constraint {text!r} has {written}; {name} takes {choices}")
        return cls(name, symbol, float(number) * factors[suffix], unit)

    def holds(self, values: NDArray[np.float64]) -> NDArray[np.bool_]:
        """Tell which of the objective's values, (n,), keep the bound."""
        return OPERATORS[self.operator](values, self.bound)

    def excess(self, values: NDArray[np.float64]) -> NDArray[np.float64]:
        """Return by how much values, (n,), miss the bound, relative to it unless it is 0; 0 exactly where it holds."""
        distance = np.abs(values - self.bound) / (abs(self.bound) or 1.0)
        return np.where(self.holds(values), 0.0, np.maximum(distance, np.finfo(float).tiny))


def parts_of(text: str) -> tuple[str, str, str, str]:
    """Split a constraint into objective, operator, number and unit; raises InvalidConstraint."""
    match = PATTERN.fullmatch(text)
    if match is None:
        raise InvalidConstraint(
            f"cannot read the constraint {text!r}; write an objective, one of <= >= < > and a number with its "
            "unit, as latency<=2ms or accuracy>=90"
        )
    name, symbol, number, suffix = match.groups()
    return name, symbol, number, suffix


def violation(
    values: NDArray[np.float64], names: Sequence[str], constraints: Sequence[Constraint]
) -> NDArray[np.float64]:
    """Sum the relative excess of all constraints over (n, m) values, (n,); 0 exactly where all hold."""
    total = np.zeros(len(values))
    for constraint in constraints:
        total += constraint.excess(values[:, names.index(constraint.objective)])
    return total
