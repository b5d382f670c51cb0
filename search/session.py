"""A run that is open for writing: what to measure next, and writing it down.

Each measurement is on disk before anything depends on it, and what to measure is a pure function of what is there
(`rounds.py`). So resuming is replay: a run killed at any byte continues to the same trajectory and loses at most the
measurements in flight. Who measures is not decided here: `search_in_context` does, or the user through a `Study`.
"""

from __future__ import annotations

import time
import weakref
from collections.abc import Callable, Mapping, Sequence
from contextlib import ExitStack
from pathlib import Path

import numpy as np

from ..profilers.journal import Journal
from ..supernets.evaluation.deciding import PILOTS, Outcomes
from ..supernets.space.space import SearchSpace
from .archive import most_of
from .asked import Asked
from .config import SearchConfig
from .deployments.provenance import Provenance
from .errors import SpaceExhausted
from .open_rounds import OpenRounds
from .problem.context import ChoosesDeployments
from .problem.objective import Objective
from .rounds import Rounds, Trial
from .runs.counting import counted_from, counts_partial, least_counting_share
from .runs.files.asks import Ask
from .runs.files.folder import KEPT, open_journal, open_run, writing
from .runs.files.outcomes import KeptOutcomes
from .runs.files.pilots import pilots_of
from .runs.files.records import ASKS_FILE, STOP_FILE, Evaluation, PartialExamples
from .runs.files.stopping import Reason, Stop, budget_said, gain_said, is_spent, read_stop, time_said, write_stop
from .runs.growing.gain import CountedVolume, Gain, GrowingVolume
from .runs.growing.history import History
from .runs.measured import as_measured, feasible_volume
from .runs.run import Run
from .tactic import TACTICS

UNTOLD = 10**9  # full validations, to a tactic of a run that was begun without telling it


class Session:
    """An open run folder, locked until `close`."""

    def __init__(
        self,
        space: SearchSpace,
        config: SearchConfig,
        folder: Path,
        *,
        objectives: Sequence[Objective],
        watched: Sequence[Objective] = (),
        provenance: Provenance,
        partial_examples: PartialExamples = "random",
        deployments: ChoosesDeployments | None = None,
        start_from: Run | None = None,
        force: bool = False,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        """Create the run in `folder`, or open it to go on with it; `watched` is constrained without being optimised.

        With `partial_examples` that decide, `record` is given the outcomes of the pilots.
        `deployments` choose how each network is run, where there are several, numbered as in `provenance`.
        Raises UnknownName, InvalidConfig, RunMismatch (another run is there, and `force` is off), RunDamaged,
        RunLocked, OutputUnusable, SpaceExhausted.
        """
        asked = Asked.of(
            space,
            config,
            folder,
            objectives=objectives,
            watched=watched,
            provenance=provenance,
            partial_examples=partial_examples,
            deployments=deployments,
            start_from=start_from,
            force=force,
        )
        config, self.problem = asked.config, asked.problem
        stack = ExitStack()
        self.close = weakref.finalize(self, stack.close)  # also when the session is forgotten, or the process ends
        try:
            opened = open_run(folder, asked.header, asked.start, stack, force=force)
            told = opened.header.opening_budget or UNTOLD
            with TACTICS.blaming(config.tactic):
                tactic = asked.build(config.model_copy(update={"budget": told}))
            self._stop = read_stop(folder)
        except BaseException:
            self.close()
            raise
        self.folder, self.header, self.start = folder, opened.header, opened.start
        self._journal, self._evaluations = opened.journal, list(opened.evaluations)
        self._stack = stack
        self._asks_journal: Journal | None = None  # opened when a round is asked for early
        first = opened.start.first() if opened.start else ()
        evidence = opened.start.evidence(self.header.names) if opened.start else ()
        self._history = History(space, self.problem, evidence, self._evaluations)
        rounds = Rounds(
            space,
            config,
            tactic,
            np.array(first, dtype=np.int64).reshape(-1, len(space.choices)),
            pilots=PILOTS if self.header.partial_examples == "deciding" else 1,
            budget_in=self.header.budget_in,
        )
        self._open = OpenRounds(rounds, self._history, opened.asks)
        self._volume = GrowingVolume(self.problem, self.header, self.start)
        self._gain = Gain(self._volume)
        self._volume.add(self._evaluations)
        self._counted: CountedVolume | None = None
        if counts_partial(self.header):
            self._counted = CountedVolume(self.problem, self.header, self.start, self._evaluations)
        self.most = most_of(space, config.budget)  # of full validations that can be made
        self._deployments = deployments
        self._clock = clock
        last_s = self._evaluations[-1].elapsed_s if self._evaluations else 0.0
        self._opened_s = clock() - max(last_s, self._stop.elapsed_s if self._stop else 0.0)

    @property
    def elapsed_s(self) -> float:
        """Seconds that the run has taken, earlier sessions included."""
        return self._clock() - self._opened_s

    @property
    def cost(self) -> float:
        """What the run has cost, in full validations."""
        return float(self._history.cost)

    @property
    def run(self) -> Run:
        """The run as it is now."""
        return Run(self.folder, self.header, tuple(self._evaluations), self.start, self._stop)

    def told(self, trial: Trial) -> Evaluation | None:
        """Return what is recorded of a trial's place in its round, None where nothing is."""
        return self._history.at(trial.round, trial.position)

    def pilots(self) -> tuple[Outcomes, ...] | None:
        """Return the outcomes of the pilots so far; None where partial evaluations are on random examples."""
        pilots = pilots_of(self._evaluations, self.header, self.start)
        return None if pilots is None else tuple(pilot.read() for pilot in pilots)

    def volume(self) -> float:
        """Return the hypervolume of what counts in the front and keeps the constraints."""
        return self._volume.value if self._counted is None else self._counted.value

    def pending(self) -> tuple[Trial, ...]:
        """Return what is left to measure of what was asked for, in order; nothing when the run is over, and it says so.

        Takes as long as the tactic does when a round begins. Raises what `Rounds.trials` does, SpaceExhausted excepted.
        """
        stop = self._next_stop()
        if stop is None:
            if self._stop is not None:
                with writing(self.folder, KEPT):
                    (self.folder / STOP_FILE).unlink(missing_ok=True)
                self._stop = None
            return self.open_trials()
        if self._stop is None or self._stop.said != stop.said:
            with writing(self.folder, KEPT):
                write_stop(self.folder, stop)
            self._stop = stop
        return ()

    def open_trials(self) -> tuple[Trial, ...]:
        """Return the trials that the budget allows and that are not recorded; the next round's where there are none."""
        return self._open.ask() if self._open.are_whole() else self._open.trials()

    def ask_early(self) -> tuple[Trial, ...]:
        """Ask for a round more while the open trials are being measured; return all that is open then.

        It is not asked for where the run would stop, where the tactic waits, or where the space has nothing left.
        """
        before = self._open.trials()
        over = self._open.are_cut or is_spent(self._open.cost(), self.header.config) or self._gain_said()
        if over or self._time_said(1.0):
            return before
        try:
            asked = self._open.ask_early()
        except SpaceExhausted:
            return before
        if asked is None:
            return before
        if self._asks_journal is None:
            self._asks_journal = open_journal(self.folder, self._stack, ASKS_FILE)
        with writing(self.folder, KEPT):
            self._asks_journal.append(Ask(round=asked[0], known=asked[1]).model_dump())
        return self._open.trials()

    def record(
        self,
        trial: Trial,
        values: Mapping[str, float],
        *,
        seconds: float,
        failed: str | None = None,
        outcomes: Outcomes | None = None,
    ) -> Evaluation:
        """Write down what an open trial gave: values by objective, and a pilot's outcomes, or why it `failed`."""
        evaluation = Evaluation(
            round=trial.round,
            position=trial.position,
            size=trial.size,
            order=len(self._evaluations),
            id=trial.id,
            indices=trial.indices,
            share=trial.share,
            values={name: float(values[name]) for name in self.header.quantity_names} if failed is None else {},
            deployment=self._deployment_of(trial) if failed is None else None,
            expected=trial.expected,
            seconds=round(seconds, 4),
            elapsed_s=round(self.elapsed_s, 4),
            failed=failed,
            outcomes=None if outcomes is None else KeptOutcomes.of(outcomes),
        )
        with writing(self.folder, KEPT):
            self._journal.append(evaluation.model_dump(mode="json"))
        self._evaluations.append(evaluation)
        self._history.add(evaluation)
        self._volume.add([evaluation])
        if self._counted is not None:
            self._counted.add(evaluation)
        self._open.recorded(trial)
        return evaluation

    def _deployment_of(self, trial: Trial) -> int | None:
        """Return the number of the deployment that a trial's network runs in; None where there is no choice."""
        if self._deployments is None:
            return None
        return int(self._deployments.chosen(np.array([trial.indices], dtype=np.int64))[0])

    def _next_stop(self) -> Stop | None:
        """Return why nothing is measured now, None when something is."""
        config, trials = self.header.config, self._open.trials()
        if not trials:
            if self._open.are_cut or is_spent(self.cost, config):
                return self._stopped("budget", budget_said(self.cost, config))
            if why := self._gain_said():
                return self._stopped("gain", why)
            try:
                trials = self._open.ask()
            except SpaceExhausted as error:
                return self._stopped("space", str(error))
            if not trials:  # nothing that the round asks for is as cheap as what is left
                return self._stopped("budget", budget_said(self.cost, config))
        why = self._time_said(trials[0].share)
        return self._stopped("time", why) if why else None

    def _stopped(self, reason: Reason, said: str) -> Stop:
        return Stop(reason=reason, said=said, cost=self.cost, elapsed_s=round(self.elapsed_s, 4))

    def _time_said(self, share: float) -> str:
        history = self._history
        return time_said(history.seconds.total, float(history.cost), share, self.elapsed_s, self.header.config)

    def _gain_said(self) -> str:
        config = self.header.config
        if config.stop_gain is None:
            return ""
        if not counts_partial(self.header):
            before = self._gain.before_last(config.patience, self._history)
            return "" if before is None else gain_said(before, self._volume.value, config)
        least = least_counting_share(self.header, self.start, self._evaluations)
        counting = counted_from(least, self.start, self._evaluations)
        counting = tuple(sorted(counting, key=lambda e: (e.round, e.position)))
        kept, cost = len(counting), 0.0
        while kept and cost < config.patience:
            kept -= 1
            cost += counting[kept].share
        before, after = (
            feasible_volume(self.problem, as_measured(self.header, self.start, counting[:count], least))
            for count in (kept, len(counting))
        )
        return gain_said(before, after, config) if kept else ""
