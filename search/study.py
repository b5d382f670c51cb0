"""The ask-and-tell interface: a search whose trials somebody else measures, with a trainer of their own.

    study = gnomon.Study(SearchConfig(space="fashion_mnist", objectives=("accuracy", "macs")), "runs/mine")
    while not study.done:
        for trial in study.ask():
            study.tell(trial, accuracy=train_and_test(trial.choices))
    study.front()

What is told is on disk before `tell` returns, in whatever order a farm of trainers tells it; the next round begins
when all of this one are told. A study in a new process on the same folder asks for the same trials, less those told.

A study that knows how many validation examples there are asks for some of them: `Study(..., examples=10_000)` hands out
trials with `trial.examples`, and `tell(trial, correct=[...])` says which of these the network is right about.
"""

from __future__ import annotations

import math
import time
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from types import TracebackType
from typing import TYPE_CHECKING, Any

import numpy as np

from ..supernets.evaluation.deciding import PILOTS, Outcomes
from ..supernets.plugins import closest_hint
from ..supernets.registry import load_space
from ..supernets.space.space import SearchSpace
from .config import SearchConfig
from .deployments.given import given_profiles
from .deployments.profiles import searched
from .deployments.resources import resources_from
from .errors import InvalidConfig, InvalidValue, SpaceExhausted, TrialRefused
from .fronts.pareto import ParetoFront, describe
from .problem.build import build_objective, build_watched
from .problem.context import SearchContext
from .problem.objective import Objective, measure
from .problem.told import accuracy_of, examples_for, outcomes_told
from .problem.user_objective import ACCURACY, UserObjective
from .rounds import Trial
from .runs.files.records import Evaluation
from .runs.run import Run
from .session import Session
from .tactic import check_names

if TYPE_CHECKING:
    from ..lut import HardwareProfile


class Study:
    """A run folder, locked while the study is open, whose costly objectives the user tells; not for several threads."""

    def __init__(
        self,
        config: SearchConfig,
        folder: str | Path,
        *,
        space: SearchSpace | None = None,
        profile: HardwareProfile | None = None,
        devices: Mapping[str, HardwareProfile] | None = None,
        deployments: Sequence[HardwareProfile] | None = None,
        user_objectives: Iterable[UserObjective] = (),
        examples: int | None = None,
        provenance: Mapping[str, Any] | None = None,
        start_from: Run | None = None,
        force: bool = False,
    ) -> None:
        """Create the run in `folder`, or open it to go on.

        `space` is the registered one that the settings name unless it is given. Latency comes from `profile`,
        and latency@NAME from the profile of that name in `devices`. Of `deployments`, profiles of one device, the
        fastest is taken, and a trial's choices hold its precision where they differ in that. macs, params and other
        objectives that can be computed are; `user_objectives` declares the rest, accuracy in percent besides.
        `examples` is how many validation examples the accuracy is of: trials then say which to evaluate, and are told
        which of them the network is right about.
        `provenance` says what values depend on, as {"checkpoint_sha256": ..., "data": ...}, and becomes part of the
        run's identity. Raises what `search_in_context` does, UnknownName for an objective that is neither declared nor
        registered, ProfileMismatch for a profile of another space.
        """
        space = load_space(config.space) if space is None else space
        profiles = given_profiles(profile, devices, deployments)
        known = searched(profiles, space, config.objectives)
        space, config = known.space, config.model_copy(update={"space": known.space.name})
        accuracy = ACCURACY if examples is None else replace(ACCURACY, divisible=True)
        declared = {one.name: one for one in (accuracy, *user_objectives)}
        require_examples(examples, config.objectives)
        check_names(config, user_objectives=list(declared))
        resources = resources_from(profiles, known.latencies)
        context = SearchContext(space, latency=known.latencies, split=config.split, resources=resources)
        self._space = space
        self._user_objectives: dict[str, UserObjective] = {
            name: declared[name] for name in config.objectives if name in declared
        }
        self._objectives: tuple[Objective, ...] = tuple(
            declared[name] if name in declared else build_objective(name, context) for name in config.objectives
        )
        self._watched = build_watched(config, context, user_objectives=list(declared))
        divisible = all(one.divisible for one in self._objectives if one.costly)
        self._examples = examples
        self._session = Session(
            space,
            config,
            Path(folder),
            objectives=self._objectives,
            watched=self._watched,
            partial_examples="deciding" if examples and divisible and config.partial_share < 1.0 else "random",
            provenance=known.provenance.having(**(provenance or {})),
            deployments=context.deployments,
            start_from=start_from,
            force=force,
        )
        self._asked_s: dict[tuple[int, int], float] = {}

    def ask(self) -> tuple[Trial, ...]:
        """Return the trials of this round that are not told yet, in order; none when the study is over.

        Takes as long as the tactic does when a round begins. Asking again returns the same until they are told. Trials
        on the examples that decide follow when the full ones that show which these are have been told.
        """
        trials = self._handed_out(self._session.pending())
        for trial in trials:
            self._asked_s.setdefault((trial.round, trial.position), time.monotonic())
        return trials

    def tell(
        self,
        trial: Trial,
        *,
        failed: str | None = None,
        seconds: float | None = None,
        correct: Any = None,
        margins: Any = None,
        **values: float,
    ) -> Evaluation:
        """Write down what a trial measured, one value a user objective, or why it `failed`; on disk on return.

        In a study with `examples`, `correct` (k,) says of each of `trial.examples` whether the network is right, which
        gives the accuracy, and `margins` (k,) how far the label's output is from the best other one: with them the
        first two full validations show better which examples decide.

        `seconds` is what measuring took, since the trial was asked for unless given. A failed trial costs its share,
        is in no front and is not asked for again. Raises TrialRefused for a trial that is not open, and for values
        missing, surplus or beside a failure, InvalidValue for one that is not finite; the trial can then be told anew.
        """
        self._require_open(trial)
        outcomes = self._outcomes_told(trial, values, failed, correct, margins)
        pilots = self._session.pilots()
        if outcomes is not None:
            values[ACCURACY.name] = accuracy_of(outcomes, trial.share, pilots)
        require_values(trial, values, failed, user_objectives=self._user_objectives, known=self._session.header.names)
        since = self._asked_s.get((trial.round, trial.position))
        if seconds is None:
            seconds = 0.0 if since is None else time.monotonic() - since
        if failed is None:
            computed = [one for one in (*self._objectives, *self._watched) if one.name not in self._user_objectives]
            row = np.array(trial.indices, dtype=np.int64)
            values |= dict(zip((one.name for one in computed), measure(computed, row, trial.share)))
        opened = next(one for one in self._session.open_trials() if one == trial)  # with what the tactic expected
        is_pilot = pilots is not None and len(pilots) < PILOTS and trial.share == 1.0
        kept = outcomes if is_pilot else None
        return self._session.record(opened, values, seconds=seconds, failed=failed, outcomes=kept)

    @property
    def done(self) -> bool:
        """Whether nothing is left to tell: the budget is spent, or another rule stopped the study (`run.stop`)."""
        return not self._session.pending()

    @property
    def run(self) -> Run:
        """The study as a run: its evaluations, front, trace and predictor quality so far."""
        return self._session.run

    def front(self) -> ParetoFront:
        """Return the Pareto front of what was told so far; raises Infeasible, NothingMeasured where all failed."""
        return self.run.front()

    def close(self) -> None:
        """Let another process write the run; also happens when the study is forgotten or the process ends."""
        self._session.close()

    def __enter__(self) -> Study:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None:
        self.close()

    def _handed_out(self, trials: Sequence[Trial]) -> tuple[Trial, ...]:
        """Return those of the open trials whose examples are known, with these."""
        if self._examples is None:
            return tuple(trials)
        pilots = self._session.pilots()
        if pilots is not None and len(pilots) < PILOTS and any(trial.share == 1.0 for trial in trials):
            trials = [trial for trial in trials if trial.share == 1.0]
        return tuple(replace(t, examples=examples_for(t.share, self._examples, pilots)) for t in trials)

    def _outcomes_told(
        self, trial: Trial, values: Mapping[str, object], failed: str | None, correct: Any, margins: Any
    ) -> Outcomes | None:
        """Return the outcomes that a trial is told, None of one that failed or where none are told."""
        if self._examples is None or (failed is not None and correct is None and margins is None):
            if correct is not None or margins is not None:
                raise TrialRefused(
                    f"trial {trial.id} is told correct or margins, and this study hands out no examples; tell "
                    "accuracy, or open the study with examples=..., how many there are"
                )
            return None
        ready = next((one for one in self._handed_out(self._session.open_trials()) if one == trial), None)
        if ready is None or ready.examples is None:
            raise TrialRefused(
                f"trial {trial.id} is on the examples that decide, which the first full validations show; tell the "
                "trials that ask() returns first"
            )
        if correct is None or ACCURACY.name in values or failed is not None:
            raise TrialRefused(
                f"trial {trial.id} is of a study with examples; tell correct=[...], whether the network is right about "
                'each of `trial.examples`, and no accuracy beside it, or failed="why" alone'
            )
        return outcomes_told(trial.id, len(ready.examples), correct, margins)

    def _require_open(self, trial: Trial) -> None:
        """Raise TrialRefused unless the trial is asked for and not told."""
        name = f"trial {trial.id} (round {trial.round}, position {trial.position})"
        told = self._session.told(trial)
        if told is not None and told.id == trial.id:
            said = told.failed or describe(told.values, self._session.problem.units)
            raise TrialRefused(f"{name} is told already ({said}); what is told stays")
        try:
            trials = self._session.open_trials()
        except SpaceExhausted:
            trials = ()
        if trial not in trials:
            known = ", ".join(one.id for one in trials[:5]) or "none"
            raise TrialRefused(
                f"{name} is not one that this study asks for; open are {known}{', ...' if len(trials) > 5 else ''}. "
                "Tell the trials that ask() returns"
            )


def require_examples(examples: int | None, objectives: Sequence[str]) -> None:
    """Raise InvalidConfig for a number of examples that is none, or where no accuracy is searched."""
    if examples is None:
        return
    if isinstance(examples, bool) or not isinstance(examples, int) or examples < 1:
        raise InvalidConfig(
            f"examples={examples!r}: expected how many validation examples there are, at least 1", field="examples"
        )
    if ACCURACY.name not in objectives:
        raise InvalidConfig(
            f"examples={examples}: accuracy is made of examples, and the study searches {', '.join(objectives)}; name "
            "accuracy among the objectives, or leave examples out",
            field="examples",
        )


def require_values(
    trial: Trial,
    values: Mapping[str, object],
    failed: str | None,
    *,
    user_objectives: Mapping[str, UserObjective],
    known: Sequence[str],
) -> None:
    """Raise TrialRefused or InvalidValue unless a trial is told a finite number a user objective, or why it `failed`.

    `known` are all objectives of the study.
    """
    if failed is not None:
        if values or not failed.strip():
            raise TrialRefused(
                f"trial {trial.id} is told as failed={failed!r} with {', '.join(values) or 'no reason'}; tell either "
                'its values, or failed="why"'
            )
        return
    example = ", ".join(f"{name}=..." for name in user_objectives) or "nothing"
    for name in values:
        if name not in user_objectives:
            hint = f"the study does not have it{closest_hint(name, list(user_objectives))}"
            why = "it is computed here" if name in known else hint
            raise TrialRefused(f"trial {trial.id} is told {name}, but {why}; tell {example}")
    if missing := [name for name in user_objectives if name not in values]:
        raise TrialRefused(f"trial {trial.id} is told without {', '.join(missing)}; tell {example}")
    for name, value in values.items():
        if isinstance(value, bool) or not math.isfinite(as_number(value)):
            raise InvalidValue(
                f"trial {trial.id} is told {name}={value!r}; expected a finite number in {user_objectives[name].unit}. "
                'If it could not be measured, tell failed="why"'
            )


def as_number(value: object) -> float:
    """Return a number as a float, and NaN for anything else, text of a number included."""
    try:
        return math.nan if isinstance(value, str) else float(value)  # type: ignore[arg-type]
    except (TypeError, ValueError):
        return math.nan
