"""Run a search: measure what each round asks for, here or on workers, until the run is over."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from contextlib import ExitStack, closing
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any, Protocol

from ..supernets.evaluation.chance import CountsClasses, chance_said
from ..supernets.evaluation.deciding import PILOTS
from .asked import Asked
from .config import SearchConfig
from .deployments.provenance import Provenance
from .errors import NothingEvaluates
from .executor import EXECUTORS, HERE, Workers
from .measuring import Measuring, for_workers
from .problem.build import build_objectives, build_watched, own_metric
from .problem.context import SearchContext
from .problem.objective import Objective
from .problem.partial import deciding_metric
from .problem.task_metric import TaskMetric
from .runs.files.call import Call, write_call
from .runs.files.folder import KEPT, require_place, writing
from .runs.files.records import Evaluation
from .runs.run import Run
from .session import Session
from .tactic import check_names

FAILURES_TO_STOP = 5  # at first and without a success: then the fault is not an architecture's


@dataclass(frozen=True, slots=True)
class SearchProgress:
    """How far a search is after a measurement: the `evaluation` that was recorded, and the `run` with it.

    `spent` of `budget` full validations are spent, and the rest takes about `eta_s`; `hypervolume` is the run's.
    """

    run: Run
    evaluation: Evaluation
    spent: float
    budget: int
    eta_s: float
    hypervolume: float


class OnProgress(Protocol):
    """A callback of a search, called after each measurement; what it raises ends the search, which can go on."""

    def __call__(self, progress: SearchProgress, /) -> None:
        """Show or keep how far the run is."""


def search_in_context(
    context: SearchContext,
    config: SearchConfig,
    folder: str | Path,
    *,
    provenance: Provenance | Mapping[str, Any],
    start_from: Run | None = None,
    on_progress: OnProgress | None = None,
    on_step: Callable[[str], None] = lambda step: None,
    force: bool = False,
    workers: Workers = HERE,
    call: Call | None = None,
) -> Run:
    """Spend `config.budget` full validations, or stop before as the settings say, and return the run.

    Goes on with the same run in `folder`, to which a larger budget or another rule to stop makes no difference.
    `provenance` (profile and checkpoint digests) becomes part of the run's identity; `start_from` gives a new run what
    another one on the same space measured (`start.py`). An architecture that cannot be evaluated is recorded as failed,
    with its reason, costs its share and is not asked for again. `workers` evaluate; who they are makes no difference to
    the run, except that several measure at once, and later trials then depend on which end first. `on_step` is told
    when the first two full evaluations are no better than guessing. Raises
    NothingEvaluates where the first evaluations all fail, WorkersUnavailable, InvalidConfig, UnknownName,
    MissingContext, RunMismatch (another run is there, and `force` is off), RunDamaged, RunLocked, OutputUnusable,
    SpaceExhausted, TacticBroken.
    """
    folder = Path(folder)
    described = description_of(context, config, provenance, start_from, force=force)
    objectives, watched = described["objectives"], described["watched"]
    session = Session(context.space, config, folder, **described)
    quantities = (*objectives, *watched)
    with ExitStack() as stack:
        stack.callback(session.close)
        if call is not None:
            with writing(folder, KEPT):
                write_call(folder, call)
        before, opened_s = session.cost, session.elapsed_s
        if session.pending():
            executor = stack.enter_context(
                closing(EXECUTORS.load(workers.name).build(for_workers(quantities), workers))
            )
            measuring = Measuring(session, executor, quantities)
            succeeded = any(evaluation.failed is None for evaluation in session.run.evaluations)
            pilots = Guessing(objectives, session.run.evaluations, on_step)
            while (evaluation := measuring.next()) is not None:
                succeeded = succeeded or evaluation.failed is None
                pilots.add(evaluation)
                if not succeeded:
                    require_success(session.run, FAILURES_TO_STOP)
                if on_progress is not None:
                    spent = session.cost
                    eta_s = remaining_s(session.elapsed_s - opened_s, spent - before, spent, session.most)
                    if config.stop_after_s is not None:
                        eta_s = min(eta_s, max(0.0, config.stop_after_s - session.elapsed_s))
                    on_progress(SearchProgress(session.run, evaluation, spent, session.most, eta_s, session.volume()))
        require_success(session.run, 1)
        return session.run


def require_searchable(
    context: SearchContext,
    config: SearchConfig,
    folder: str | Path,
    *,
    provenance: Provenance | Mapping[str, Any],
    start_from: Run | None = None,
    force: bool = False,
    workers: Workers = HERE,
) -> None:
    """Raise what `search_in_context` raises before it evaluates anything; writes nothing."""
    described = description_of(context, config, provenance, start_from, force=force)
    asked = Asked.of(context.space, config, Path(folder), **described)
    require_place(Path(folder), asked.header, asked.start, force=force)
    EXECUTORS.load(workers.name).require_usable(workers)


def description_of(
    context: SearchContext,
    config: SearchConfig,
    provenance: Provenance | Mapping[str, Any],
    start_from: Run | None,
    *,
    force: bool,
) -> dict[str, Any]:
    """Return what describes a session besides space, settings and folder, by its parameters' names."""
    own = own_metric(context)
    check_names(config, user_objectives=[own.name] if own else ())
    context = replace(context, split=config.split)
    objectives = build_objectives(config.objectives, context)
    return {
        "objectives": objectives,
        "watched": build_watched(config, context),
        "provenance": Provenance.read(provenance),
        "partial_examples": "random" if deciding_metric(objectives, config) is None else "deciding",
        "deployments": context.deployments,
        "start_from": start_from,
        "force": force,
    }


class Guessing:
    """Tells `on_step` once, when two full evaluations are known, that they are no better than guessing, if so."""

    def __init__(
        self, objectives: Sequence[Objective], evaluations: Iterable[Evaluation], on_step: Callable[[str], None]
    ) -> None:
        self._metric = next((objective for objective in objectives if isinstance(objective, TaskMetric)), None)
        self._percents: list[float] = []
        self._on_step = on_step
        for evaluation in evaluations:
            self.add(evaluation)

    def add(self, evaluation: Evaluation) -> None:
        """Take an evaluation into account."""
        if self._metric is None or not evaluation.is_full or len(self._percents) == PILOTS:
            return
        self._percents.append(evaluation.values[self._metric.name])
        supernet = self._metric.supernet
        if len(self._percents) == PILOTS and isinstance(supernet, CountsClasses):
            said = chance_said(self._percents, supernet.class_counts(self._metric.split))
            if said:
                self._on_step(f"{said}; the search goes on")


def require_success(run: Run, failures: int) -> None:
    """Raise NothingEvaluates where a run has so many failures, and nothing else."""
    failed = [evaluation.failed for evaluation in run.evaluations if evaluation.failed is not None]
    if failures <= len(failed) == len(run.evaluations):
        same = "each time" if len(set(failed)) == 1 else "the last time"
        raise NothingEvaluates(
            f"none of the first {len(failed)} evaluations succeeded; {same}: {failed[-1]}. They are kept as failed in "
            f"{run.folder}; once the cause is gone, the same command goes on, or starts anew with `force=True`",
            reason=str(failed[-1]),
        )


def remaining_s(taken_s: float, cost: float, spent: float, most: int) -> float:
    """Return how long the rest takes where `cost` full validations took `taken_s`, and `most` can be spent."""
    return taken_s / cost * max(most - spent, 0.0)
