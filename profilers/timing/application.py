"""What an application sees of a model: how long it loads, its first inference, and one inference every so often.

The hot loop of `protocol.py` finds everything in its place. An application loads the model once, waits for that, and
then often sleeps between two inferences: meanwhile clocks fall, threads go to sleep and others use the caches. So here
a model is loaded afresh at every visit, its first inference is timed, and, where a period is asked for, single
inferences that begin a period apart, each between two readings of the probe. The readings after a sleep have a clean
level of their own (`results/application.py`), because a core that slept reads slower than one that works.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, Callable, Dict, List, Mapping, Optional, Sequence, Set, Tuple

from .probe import Probe
from .protocol import TimedLoop
from .schedule import Step

SHORTEST_US, LONGEST_US = 1e3, 60e6  # of periods: less is no pause, more would take an hour
APPLICATION_SLOT = -2  # of the steps of this stage, which comes after all passes
STARTS = 3  # fresh loads of a model, where no period is asked for
LEAST_VISITS, MOST_VISITS = 5, 20  # with a period
THROWN_AWAY, KEPT = 1, 5  # paced inferences of a visit
CLEAN = 12  # paced inferences that nobody disturbed, after which a model is not visited again


@dataclass(frozen=True)
class Application:
    """How an application uses a model: one inference every ``period_us``, or None where only its start is timed."""

    period_us: Optional[float] = None

    def __post_init__(self) -> None:
        period_us = self.period_us
        if period_us is None:
            return
        if isinstance(period_us, bool) or not isinstance(period_us, (int, float)):
            raise ValueError(f"the period is {period_us!r}; expected microseconds")
        if not SHORTEST_US <= period_us <= LONGEST_US:
            raise ValueError(f"the period is {period_us / 1e3:g} ms; expected 1 ms to 60 s")

    @property
    def least_visits(self) -> int:
        """How many visits a model gets at least, each with a load of its own."""
        return STARTS if self.period_us is None else LEAST_VISITS

    def to_json(self) -> Dict[str, Any]:
        """Return the fields as a JSON object."""
        return {"period_us": self.period_us}

    @classmethod
    def from_json(cls, data: Mapping[str, Any]) -> Application:
        """Return what `to_json` wrote; ValueError or TypeError for anything else."""
        if set(data) != {"period_us"}:
            raise ValueError(f"an application has the field period_us; found {sorted(data)}")
        return cls(data["period_us"])


@dataclass(frozen=True)
class PacedInferences:
    """Single inferences, each after a pause: microseconds, readings of the probe right before and after each.

    before_us, after_us: empty without a probe. switches: involuntary context switches between the two; empty where they
    are not counted. late: how many began without a pause, because the one before took the whole period.
    """

    us: Tuple[float, ...]
    before_us: Tuple[float, ...] = ()
    after_us: Tuple[float, ...] = ()
    switches: Tuple[int, ...] = ()
    late: int = 0


def take_paced(
    executable: TimedLoop,
    period_us: float,
    *,
    probe: Optional[Probe],
    clock: Callable[[], float],
    sleep: Callable[[float], None],
) -> PacedInferences:
    """Time single inferences that begin ``period_us`` apart, the process asleep in between.

    ``clock`` counts seconds. Raises ValueError if an inference took no time at all.
    """
    took_us: List[float] = []
    before: List[float] = []
    after: List[float] = []
    switches: List[int] = []
    late, due_s = 0, clock()
    for number in range(THROWN_AWAY + KEPT):
        due_s += period_us / 1e6
        pause_s = due_s - clock()
        if pause_s > 0:
            sleep(pause_s)
        else:
            due_s = clock()
        reading_us, counted = (0.0, None) if probe is None else (probe.read_us(), probe.switches())
        elapsed_ns = executable.elapsed_ns(1)
        if number < THROWN_AWAY:
            continue
        if elapsed_ns <= 0:
            raise ValueError(f"an inference took {elapsed_ns} ns; the clock of this machine is too coarse for it")
        took_us.append(elapsed_ns / 1e3)
        late += pause_s <= 0
        if probe is not None:
            now = probe.switches()
            before.append(round(reading_us, 3))
            after.append(round(probe.read_us(), 3))
            switches += [] if now is None or counted is None else [now - counted]
    return PacedInferences(tuple(took_us), tuple(before), tuple(after), tuple(switches), late)


def application_steps(
    keys: Sequence[str], application: Application, taken: Set[Step], clean: Mapping[str, Optional[int]]
) -> Tuple[Step, ...]:
    """Return the visits of the first pass that is not made yet, in the order of the keys; none when all are done.

    clean: how many paced inferences of each model were undisturbed so far, None without a probe: then, as without a
    period, a model gets the least number of visits.
    """
    least = application.least_visits
    for number in range(MOST_VISITS):
        steps = [Step(key, number, APPLICATION_SLOT) for key in keys]
        due = [step for step in steps if step not in taken and (number < least or _lacks(step.key, application, clean))]
        if due:
            return tuple(due)
    return ()


def _lacks(key: str, application: Application, clean: Mapping[str, Optional[int]]) -> bool:
    found = clean.get(key)
    return application.period_us is not None and found is not None and found < CLEAN
