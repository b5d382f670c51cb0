"""Run a search: measure what each round asks for, one architecture after another, until the run is over."""

from __future__ import annotations

import time
from collections.abc import Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any, Protocol

import numpy as np

from ..profilers.errors import BackendUnavailable, CounterUnavailable, DeviceError, EnvironmentChanged, GpuLost
from ..supernets.errors import DataUnavailable, PrecisionUnavailable
from ..supernets.evaluation.deciding import Outcomes
from .config import SearchConfig
from .deployments.provenance import Provenance
from .errors import MissingContext, NothingEvaluates, SearchError
from .problem.build import build_objectives, build_watched, own_metric
from .problem.context import SearchContext
from .problem.objective import Objective
from .problem.partial import deciding_metric, measured
from .rounds import Trial
from .runs.records import Evaluation
from .runs.run import Run
from .runs.stopping import TOLERANCE
from .session import Session
from .tactic import check_names

FAILURES_TO_STOP = 5  # at first and without a success: then the fault is not an architecture's
OF_NO_ARCHITECTURE = (
    BackendUnavailable,
    CounterUnavailable,
    DataUnavailable,
    DeviceError,
    EnvironmentChanged,
    GpuLost,
    MissingContext,
    PrecisionUnavailable,
)
MOST_SAID = 500  # characters of a reason


class OnProgress(Protocol):
    """Called after each measurement."""

    def __call__(self, spent: float, budget: int, eta_s: float, evaluation: Evaluation, hypervolume: float) -> None:
        """Show how far the run is: `spent` of `budget` full validations; the rest takes about `eta_s`."""


def search_in_context(
    context: SearchContext,
    config: SearchConfig,
    folder: str | Path,
    *,
    provenance: Provenance | Mapping[str, Any],
    start_from: Run | None = None,
    on_progress: OnProgress | None = None,
    force: bool = False,
) -> Run:
    """Spend `config.budget` full validations, or stop before as the settings say, and return the run.

    Goes on with the same run in `folder`, to which a larger budget or another rule to stop makes no difference.
    `provenance` (profile and checkpoint digests) becomes part of the run's identity; `start_from` gives a new run what
    another one on the same space measured (`start.py`). An architecture that cannot be evaluated is recorded as failed,
    with its reason, costs its share and is not asked for again. Raises NothingEvaluates where the first ones all fail,
    InvalidConfig, UnknownName, MissingContext, RunMismatch
    (another run is there, and `force` is off), RunDamaged, RunLocked, OutputUnusable, SpaceExhausted, TacticBroken.
    """
    folder = Path(folder)
    own = own_metric(context)
    check_names(config, user_objectives=[own.name] if own else ())
    context = replace(context, split=config.split)
    objectives, watched = build_objectives(config.objectives, context), build_watched(config, context)
    session = Session(
        context.space,
        config,
        folder,
        objectives=objectives,
        watched=watched,
        provenance=Provenance.read(provenance),
        partial_examples="random" if deciding_metric(objectives, config) is None else "deciding",
        deployments=context.deployments,
        start_from=start_from,
        force=force,
    )
    try:
        before, opened_s = session.cost, session.elapsed_s
        while trials := session.pending():
            trial, began = trials[0], time.monotonic()
            values, outcomes, failed = outcome((*objectives, *watched), trial, session.pilots())
            named, taken_s = dict(zip(session.header.quantity_names, values)), time.monotonic() - began
            evaluation = session.record(trial, named, seconds=taken_s, failed=failed, outcomes=outcomes)
            require_success(session.run, FAILURES_TO_STOP)
            if on_progress is not None:
                spent = session.cost
                eta_s = remaining_s(session.elapsed_s - opened_s, spent - before, spent, session.most)
                if config.stop_after_s is not None:
                    eta_s = min(eta_s, max(0.0, config.stop_after_s - session.elapsed_s))
                on_progress(spent, session.most, eta_s, evaluation, session.volume())
        require_success(session.run, 1)
        return session.run
    finally:
        session.close()


def outcome(
    objectives: Sequence[Objective], trial: Trial, pilots: Sequence[Outcomes] | None
) -> tuple[tuple[float, ...], Outcomes | None, str | None]:
    """Return a trial's value of each objective and, of a pilot, its outcomes; or no values, and why, in a line.

    `pilots` are the outcomes of those so far, None where partial evaluations are on random examples. An interrupt, and
    what would befall every other architecture too, as a device that cannot be reached, is not caught.
    """
    try:
        return *measured(objectives, np.array(trial.indices, dtype=np.int64), trial.share, pilots), None
    except OF_NO_ARCHITECTURE:
        raise
    except Exception as error:  # an evaluation is anybody's code
        said = " ".join(str(error).split())[:MOST_SAID]
        kind = "" if isinstance(error, SearchError) and said else type(error).__name__
        return (), None, ": ".join(part for part in (kind, said) if part)


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
    return taken_s / cost * (most - spent) if spent - TOLERANCE <= most - 1 else 0.0
