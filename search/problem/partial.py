"""Measures architectures in full and in part: on the examples that decide, where the first two in full showed which."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

from ...supernets.evaluation.deciding import PILOTS, DecidingExamples, Outcomes
from ...supernets.space.space import Indices
from ..config import SearchConfig
from .objective import Objective, measure
from .task_metric import TaskMetric


def deciding_metric(objectives: Sequence[Objective], config: SearchConfig) -> TaskMetric | None:
    """Return the objective that partial evaluations of a search measure on the examples that decide, None for none.

    It is made of outcomes of examples, and all that is costly beside it can be measured in part too.
    """
    if config.partial_share == 1.0 or not all(one.divisible for one in objectives if one.costly):
        return None
    return first_with_outcomes(objectives)


def measured(
    objectives: Sequence[Objective], row: Indices, share: float, pilots: Sequence[Outcomes] | None
) -> tuple[tuple[float, ...], Outcomes | None]:
    """Return one architecture's value of each objective on a share of the data and, of a new pilot, its outcomes.

    `pilots` are the outcomes of those so far; None: a share is of random examples. Raises InvalidValue.
    """
    if pilots is not None and len(pilots) == PILOTS and share < 1.0:
        examples = DecidingExamples.of(pilots)
        chosen = [replace(metric, examples=examples) if (metric := with_outcomes(one)) else one for one in objectives]
        return measure(chosen, row, share), None
    metric = first_with_outcomes(objectives)
    if pilots is None or len(pilots) == PILOTS or share < 1.0 or metric is None:
        return measure(objectives, row, share), None
    outcomes = metric.outcomes(row)
    values = [outcomes.percent if one is metric else measure([one], row)[0] for one in objectives]
    return tuple(values), outcomes


def first_with_outcomes(objectives: Sequence[Objective]) -> TaskMetric | None:
    """Return the first objective that is made of outcomes of examples, None where none is."""
    return next(filter(None, map(with_outcomes, objectives)), None)


def with_outcomes(objective: Objective) -> TaskMetric | None:
    """Return an objective that is made of outcomes of examples, None for another."""
    return objective if isinstance(objective, TaskMetric) and objective.has_outcomes else None
