"""Run a search: measure what each round asks for, one architecture after another, until the run is over."""

from __future__ import annotations

import time
from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any, Protocol

import numpy as np

from .config import SearchConfig
from .objective import SearchContext, build_objectives, build_watched, measure, own_metric
from .records import Evaluation
from .run import Run
from .session import Session
from .stopping import fits
from .tactic import check_names


class OnProgress(Protocol):
    """Called after each measurement."""

    def __call__(self, spent: float, budget: int, eta_s: float, evaluation: Evaluation, hypervolume: float) -> None:
        """Show how far the run is: `spent` of `budget` full validations; the rest takes about `eta_s`."""


def run_search(
    context: SearchContext,
    config: SearchConfig,
    folder: str | Path,
    *,
    provenance: Mapping[str, Any],
    start_from: Run | None = None,
    on_progress: OnProgress | None = None,
    force: bool = False,
) -> Run:
    """Spend `config.budget` full validations, or stop before as the settings say, and return the run.

    Goes on with the same run in `folder`, to which a larger budget or another rule to stop makes no difference.
    `provenance` (profile and checkpoint digests) becomes part of the run's identity; `start_from` gives a new run what
    another one on the same space measured (`start.py`). Raises InvalidConfig, UnknownName, MissingContext, RunMismatch
    (another run is there, and `force` is off), RunDamaged, RunLocked, OutputUnusable, SpaceExhausted, TacticBroken.
    """
    folder = Path(folder)
    own = own_metric(context)
    check_names(config, told=[own.name] if own else ())
    context = replace(context, split=config.split)
    objectives, watched = build_objectives(config.objectives, context), build_watched(config, context)
    session = Session(
        context.space,
        config,
        folder,
        objectives=objectives,
        watched=watched,
        provenance=provenance,
        start_from=start_from,
        force=force,
    )
    try:
        before, opened_s = session.cost, session.elapsed_s
        while trials := session.pending():
            trial, began = trials[0], time.monotonic()
            values = measure((*objectives, *watched), np.array(trial.indices, dtype=np.int64), trial.share)
            measured = dict(zip(session.header.quantity_names, values))
            evaluation = session.record(trial, measured, seconds=time.monotonic() - began)
            if on_progress is not None:
                eta_s = remaining_s(session.elapsed_s - opened_s, session.cost - before, session.cost, config)
                if config.stop_after_s is not None:
                    eta_s = min(eta_s, max(0.0, config.stop_after_s - session.elapsed_s))
                on_progress(session.cost, config.budget, eta_s, evaluation, session.volume())
        return session.run
    finally:
        session.close()


def remaining_s(taken_s: float, cost: float, spent: float, config: SearchConfig) -> float:
    """Return how long the rest of the budget takes where `cost` full validations took `taken_s`."""
    return taken_s / cost * (config.budget - spent) if fits(spent, config) else 0.0
