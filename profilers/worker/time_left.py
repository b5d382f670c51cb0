"""How long a run will take still: what is expected to be visited, at what visits to the same models took so far.

A whole network takes longer than a layer, and the visits that come last are to networks, so no mean of all is used
where the models' own times are known.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Dict, List, Mapping, Optional, Sequence, Set

from ..results.visits import Visit
from .time_limit import duration_s


@dataclass(frozen=True)
class Left:
    """What a run is expected to do still: how many visits, and the seconds they take."""

    visits: int
    seconds: float


class VisitCosts:
    """How long the latest visit to each model took, and its load in the process that made it."""

    def __init__(self) -> None:
        self._visit_s: Dict[str, float] = {}
        self._load_s: Dict[str, float] = {}
        self._loaded: Set[str] = set()
        self._last: Optional[Visit] = None

    def begin(self) -> None:
        """Take note that a new process has loaded nothing yet."""
        self._loaded, self._last = set(), None

    def note(self, visit: Visit) -> None:
        """Count one more visit, the latest of its session."""
        if self._last is not None and self._last.session != visit.session:
            self.begin()
        took_s = duration_s(visit) if self._last is None else visit.t_s - self._last.t_s
        if visit.key not in self._loaded:  # what is loaded at every visit counts as part of it
            self._load_s[visit.key] = visit.load_ms / 1e3
            took_s -= self._load_s[visit.key]
            self._loaded.add(visit.key)
        self._visit_s[visit.key] = max(0.0, took_s)
        self._last = visit

    def visit_s(self, key: str) -> Optional[float]:
        """Return how long a visit to a model takes once it is loaded, in seconds; None where nobody knows."""
        return self._visit_s.get(key)

    def is_loaded(self, key: str) -> bool:
        """Tell whether this process visited a model before."""
        return key in self._loaded

    def usual_visit_s(self) -> float:
        """Return the mean over all models visited so far; 0 where there are none."""
        return sum(self._visit_s.values()) / max(1, len(self._visit_s))

    def usual_load_s(self) -> float:
        """Return the mean over all models loaded so far; 0 where there are none."""
        return sum(self._load_s.values()) / max(1, len(self._load_s))


class Ahead:
    """What is left at each visit of a pass.

    due: the model of each visit of the pass, in order. later: the visits expected after it. loads: how often later
    processes will load a model.
    """

    def __init__(self, costs: VisitCosts, due: Sequence[str], later: Mapping[str, int], loads: int) -> None:
        self._costs = costs
        self._visits = len(due) + sum(later.values())
        self._loads = _suffix_sums([float(not costs.is_loaded(key)) for key in due], float(loads))
        known = {key: seconds for key in {*due, *later} for seconds in [costs.visit_s(key)] if seconds is not None}
        self._seconds: Optional[List[float]] = None
        if all(key in known for key in due):
            usual_s = costs.usual_visit_s()
            later_s = sum(visits * known.get(key, usual_s) for key, visits in later.items())
            self._seconds = _suffix_sums([known[key] for key in due], later_s)

    def left(self, number: int) -> Left:
        """Return what is left before the visit of that number, from 0, of this pass."""
        visits = self._visits - number
        visits_s = visits * self._costs.usual_visit_s() if self._seconds is None else self._seconds[number]
        return Left(visits, visits_s + self._loads[number] * self._costs.usual_load_s())


def _suffix_sums(values: Sequence[float], last: float) -> List[float]:
    """Return, for each value, the sum of it, those after it and ``last``."""
    sums = []
    for value in reversed(values):
        last += value
        sums.append(last)
    return sums[::-1]
