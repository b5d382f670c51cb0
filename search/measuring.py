"""Measures what a session asks for: workers evaluate, this process prices, and measures what needs the device.

A worker that becomes free is given the next trial; when all that was asked for is given out, the next round is asked
for, with what is still being measured as pending. So no worker waits for a slow one. What is `on_device` is measured
here, one network at a time, and nothing else is recorded meanwhile.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Sequence
from dataclasses import dataclass, field

from ..supernets.evaluation.deciding import PILOTS, Outcomes
from .executor import Answer, Executor, Job, Key, evaluated
from .problem.objective import Objective
from .rounds import Trial
from .runs.files.records import Evaluation
from .session import Session


def for_workers(objectives: Sequence[Objective]) -> tuple[Objective, ...]:
    """Return the objectives that workers evaluate: costly ones that do not need the device."""
    return tuple(objective for objective in objectives if objective.costly and not objective.on_device)


@dataclass
class Measuring:
    """Gives trials of `session` to `executor`, whose workers have the objectives `for_workers` of `objectives`."""

    session: Session
    executor: Executor
    objectives: Sequence[Objective]
    given: dict[Key, Trial] = field(default_factory=dict)
    left: deque[Trial] = field(default_factory=deque)
    pilots: tuple[Outcomes, ...] | None = ()

    def next(self) -> Evaluation | None:
        """Measure until an evaluation is recorded, and return it; None when the run is over.

        Raises WorkersUnavailable, and what the session raises.
        """
        self._give()
        while self.given:
            if (answered := self.executor.answer()) is not None:
                key, answer = answered
                return self._recorded(self.given.pop(key), answer)
            self._give()
        return None

    def _give(self) -> None:
        """Give out trials as long as a worker is free and there is something to give."""
        if self.pilots is not None and len(self.pilots) < PILOTS:
            self.pilots = self.session.pilots()
        trials = self.session.pending()
        if not trials:  # the run is over, but for what is given
            return
        while self.executor.free:
            if not self.left:
                self._keep(trials)
            if not self.left and self.given:
                self._keep(self.session.ask_early())
            if not self.left or self._waits(self.left[0]):
                return
            trial = self.left.popleft()
            self.given[key_of(trial)] = trial
            self.executor.submit(key_of(trial), Job(trial.indices, trial.share, self.pilots))

    def _keep(self, trials: Sequence[Trial]) -> None:
        """Keep those of the open trials that no worker has, in order, to be given."""
        self.left.extend(trial for trial in trials if key_of(trial) not in self.given)

    def _waits(self, trial: Trial) -> bool:
        """Tell whether a trial has to wait for pilots: they are measured first, and before the first partial one."""
        if self.pilots is None or len(self.pilots) == PILOTS or not self.given:
            return False
        in_full = all(one.share == 1.0 for one in (trial, *self.given.values()))
        return not (in_full and len(self.pilots) + len(self.given) < PILOTS)

    def _recorded(self, trial: Trial, answer: Answer) -> Evaluation:
        """Complete what a worker measured with what is measured here, and record it."""
        asked = {objective.name for objective in for_workers(self.objectives)}
        here = [objective for objective in self.objectives if objective.name not in asked]
        rest = Answer() if answer.failed else evaluated(here, Job(trial.indices, trial.share))
        names = [*(one.name for one in for_workers(self.objectives)), *(one.name for one in here)]
        return self.session.record(
            trial,
            dict(zip(names, (*answer.values, *rest.values))),
            seconds=answer.seconds + rest.seconds,
            failed=answer.failed or rest.failed,
            outcomes=None if rest.failed else answer.outcomes,
        )


def key_of(trial: Trial) -> Key:
    """Return what names a trial of a run."""
    return trial.round, trial.position
