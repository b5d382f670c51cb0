"""The hypervolume of a run as it grows: adding an evaluation costs what the front does, not what the run does."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

import numpy as np

from ...fronts.growing import Front
from ...problem.objective import minimised
from ..counting import counted_from, least_counting_share
from ..files.records import Evaluation, RunHeader
from ..files.start import Start
from ..measured import AnyProblem, Measured, as_measured, measured_of, values_of, violations_of
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

    def add_counted(self, counting: Sequence[Evaluation], start: Start | None = None, least: float = 1.0) -> None:
        """Add evaluations that count in the front, on whatever share of the data, and what of a start's counts too."""
        self._add(as_measured(self._header, start, counting, least))

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


class CountedVolume:
    """The hypervolume of what counts in a run's front and keeps the constraints, partial evaluations that count too.

    What counts is found anew only after an evaluation that can change which do: a full one, by which errors and
    gaps are judged, or one of an architecture that was evaluated before. Others cost what the front does.
    """

    def __init__(
        self, problem: AnyProblem, header: RunHeader, start: Start | None, evaluations: Iterable[Evaluation] = ()
    ) -> None:
        self._problem, self._header, self._start = problem, header, start
        self._evaluations: list[Evaluation] = []
        self._known = set() if start is None else {record.indices for record in start.evaluated}
        self._volume: GrowingVolume | None = None  # None where what counts has to be found anew
        self._least = 1.0
        for evaluation in evaluations:
            self.add(evaluation)

    @property
    def value(self) -> float:
        """The hypervolume so far."""
        if self._volume is None:
            made = [evaluation for evaluation in self._evaluations if evaluation.failed is None]
            self._least = least_counting_share(self._header, self._start, made)
            self._volume = GrowingVolume(self._problem, self._header, None)
            self._volume.add_counted(counted_from(self._least, self._start, made), self._start, self._least)
        return self._volume.value

    def add(self, evaluation: Evaluation) -> None:
        """Add the next evaluation."""
        self._evaluations.append(evaluation)
        if evaluation.failed is not None:
            return
        if evaluation.is_full or evaluation.indices in self._known:
            self._volume = None
        elif self._volume is not None and evaluation.share >= self._least:
            self._volume.add_counted([evaluation])
        self._known.add(evaluation.indices)


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
