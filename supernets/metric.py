"""How good a sub-network is: the metric of a task, and the answers that it is computed from."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, Literal, Protocol, runtime_checkable

import numpy as np
from numpy.typing import NDArray


class Runner(Protocol):
    """A loaded model: call it with inputs by name for outputs by name."""

    @property
    def input_shapes(self) -> Mapping[str, tuple[int, ...]]:
        """Return the shape of each input."""

    def __call__(self, inputs: dict[str, NDArray[Any]]) -> dict[str, NDArray[Any]]:
        """Run it once."""


@dataclass(frozen=True, slots=True)
class Metric:
    """What a task is judged by. `tolerance` is how far an exported model may be from torch's, in `unit`.

    `signature` says how it is computed, where the name does not.
    """

    name: str
    unit: str
    direction: Literal["max", "min"]
    tolerance: float
    signature: str = field(default="", compare=False)

    @property
    def said(self) -> str:
        """The name with its unit, in words; the unit alone where both are the same word."""
        return self.unit if self.unit.lower() == self.name.lower() else f"{self.name} in {self.unit}"


ACCURACY = Metric("accuracy", "percent", "max", tolerance=0.1)
BLEU = Metric("bleu", "BLEU", "max", tolerance=0.1)
METRICS = {metric.name: metric for metric in (ACCURACY, BLEU)}


@dataclass(frozen=True, slots=True)
class Answers:
    """What a network says to the examples of a split; the first array's rows are examples."""

    arrays: tuple[NDArray[Any], ...]

    def difference(self, other: Answers) -> float:
        """Return the largest absolute difference of two answers to the same examples; infinite where shapes differ."""
        if [array.shape for array in self.arrays] != [array.shape for array in other.arrays]:
            return float("inf")
        return max((float(np.abs(a - b).max()) for a, b in zip(self.arrays, other.arrays) if a.size), default=0.0)

    @property
    def is_continuous(self) -> bool:
        """Whether all of it are outputs of the network, and not what was decided by them."""
        return all(np.issubdtype(array.dtype, np.floating) for array in self.arrays)

    @property
    def largest(self) -> float:
        """Return the largest absolute value."""
        return max((float(np.abs(array).max()) for array in self.arrays if array.size), default=0.0)


@runtime_checkable
class TellsFurtherMetrics(Protocol):
    """A super-network whose answers have more to them than its metric; none has to be one."""

    def further_metrics(self, answers: Answers, split: str) -> dict[str, float]:
        """Return further values by name, in the metric's unit; none where they say nothing."""
