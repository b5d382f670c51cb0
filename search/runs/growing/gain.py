"""The hypervolume of a run as it grows: adding an evaluation costs what the front does, not what the run does."""

from __future__ import annotations

from collections.abc import Iterable

import numpy as np

from ...fronts.growing import Front
from ...problem.objective import minimised
from ..files.records import Evaluation, RunHeader
from ..files.start import Start
from ..measured import AnyProblem, Measured, measured_of, values_of, violations_of
from .history import History


class GrowingVolume:
    """The hypervolume of what was measured in full and keeps the constraints, evidence of another run first."""

    def __init__(self, problem: AnyProblem, header: RunHeader, start: Start | None) -> None:
        self._problem, self._header = problem, header
        corner = minimised(np.array([problem.reference]), problem.directions)[0]
        self._front = Front(corner)
        self._add(measured_of(header, start, ()))

    @property
    def value(self) -> float:
        """The hypervolume so far."""
        return self._front.volume

    def add(self, evaluations: Iterable[Evaluation]) -> None:
        """Add evaluations; those that failed, or are on a part of the data, change nothing."""
        self._add(measured_of(self._header, None, evaluations))

    def copy(self) -> GrowingVolume:
        """Return one that grows apart from this."""
        other = GrowingVolume(self._problem, self._header, None)
        other._front = self._front.copy()
        return other

    def _add(self, measured: tuple[Measured, ...]) -> None:
        kept = violations_of(self._problem, measured) == 0
        values = self._problem.region.clipped(values_of(self._problem, measured)[kept])
        for point in minimised(values, self._problem.directions):
            self._front.add(point)


class Gain:
    """What the last so many full evaluations gained, in the order of rounds and positions."""

    def __init__(self, volume: GrowingVolume) -> None:
        """Begin with the volume of what the run started from."""
        self._volume = volume.copy()  # of whole rounds
        self._volumes = [self._volume.value]  # after each full evaluation of them
        self._rounds = 0

    def before_last(self, patience: int, history: History) -> float | None:
        """Return the hypervolume of all but the last `patience` full evaluations; None where there are no more."""
        for number in range(self._rounds, history.whole):
            for evaluation in history.of_round(number):
                if evaluation.is_full:
                    self._volume.add([evaluation])
                    self._volumes.append(self._volume.value)
        self._rounds = history.whole
        rest = [evaluation for evaluation in history.of_open_rounds() if evaluation.is_full]
        count = len(self._volumes) - 1 + len(rest) - patience
        if count <= 0:
            return None
        if count < len(self._volumes):
            return self._volumes[count]
        volume = self._volume.copy()
        volume.add(rest[: count - len(self._volumes) + 1])
        return volume.value
