"""Visits models as an application would, after all passes: each freshly loaded, and with pauses where asked for."""

from __future__ import annotations

import time
from typing import Callable, Iterator, List, Mapping, Optional, Sequence, Tuple

from ..results.application import ApplicationVisit, seen_by_application
from ..runtimes.backend import Executable
from ..timing.application import Application, application_steps, take_paced
from ..timing.probe import Probe
from ..timing.schedule import Step

Load = Callable[[str], Executable]


def steps_due(
    keys: Sequence[str], application: Application, visits: List[ApplicationVisit], failed: Mapping[str, int]
) -> Iterator[Tuple[Step, int]]:
    """Yield each step still to make and how many are left with it, at least; ``visits`` and ``failed`` grow."""
    while True:
        alive = [key for key in keys if key not in failed]
        steps = application_steps(alive, application, {visit.step for visit in visits}, clean_inferences(visits))
        if not steps:
            return
        for done, step in enumerate(steps):
            later = max(0, application.least_visits - step.pass_index - 1) * len(alive)
            yield step, len(steps) - done + later


def usual_s(visits: Sequence[ApplicationVisit]) -> float:
    """Return how long a visit took in the mean, in seconds, in the latest session; 0 where it made fewer than two."""
    own = [visit.t_s for visit in visits if visit.session == visits[-1].session]
    return (own[-1] - own[0]) / (len(own) - 1) if len(own) > 1 else 0.0


def clean_inferences(visits: Sequence[ApplicationVisit]) -> Mapping[str, Optional[int]]:
    """Return how many paced inferences of each model nobody disturbed so far; None without a probe."""
    return {
        key: None if seen.paced is None or seen.paced.contention is None else seen.paced.contention.clean_blocks
        for key, seen in seen_by_application(visits).items()
    }


def visit_as_application(
    step: Step,
    application: Application,
    *,
    load: Load,
    probe: Optional[Probe],
    session: str,
    clock: Callable[[], float],
    sleep: Callable[[float], None] = time.sleep,
) -> ApplicationVisit:
    """Load a model afresh, time that, its first inference and, with a period, single ones that far apart.

    ``clock`` counts seconds of the session. Raises what ``load`` raises, and ValueError where the clock is too coarse.
    """
    before = () if probe is None else (probe.read_us(),)
    start_s = clock()
    with load(step.key) as executable:
        load_ms = (clock() - start_s) * 1e3
        first_us = executable.elapsed_ns(1) / 1e3
        around = () if probe is None else (*before, probe.read_us())
        paced = None
        if application.period_us is not None:
            paced = take_paced(executable, application.period_us, probe=probe, clock=clock, sleep=sleep)
    return ApplicationVisit(step, load_ms, first_us, around, paced, session, clock())
