"""The metric of a super-network's task as an objective: it has to be run, so it is costly."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

import numpy as np

from ..supernets.metric import METRICS, Metric
from ..supernets.space import Indices, SearchSpace
from .errors import MissingContext
from .objective import EvaluatesArchitectures, SearchContext, Values


@dataclass(frozen=True)
class TaskMetric:
    """The metric of sub-networks on a split."""

    space: SearchSpace
    supernet: EvaluatesArchitectures
    split: str
    name: str
    unit: str
    direction: Literal["max", "min"]
    costly: bool = True
    device_independent: bool = True

    def values(self, indices: Indices) -> Values:
        """Evaluate (n, d) architectures one after another, (n,)."""
        return self.values_on(indices, 1.0)

    def values_on(self, indices: Indices, share: float) -> Values:
        """Evaluate (n, d) architectures on a share of the examples, (n,)."""
        found = [self.supernet.evaluate(self.space.architecture(row), self.split, share) for row in indices]
        return np.array(found, dtype=np.float64)


def metric_objective(metric: Metric, context: SearchContext) -> TaskMetric:
    """Build the objective of `metric`; raises MissingContext without a super-network, or with one of another metric."""
    if context.supernet is None:
        raise MissingContext(
            f"objective {metric.name!r} needs a super-network with weights for {context.space.name!r}, and there is "
            "none; pass --checkpoint FILE, or search without it: --objectives macs,params"
        )
    own = context.supernet.metric
    if own.name != metric.name:
        raise MissingContext(
            f"{context.space.name} is judged by {own.name}, not by {metric.name}; "
            f"write {own.name} in its place, as --objectives {own.name},latency"
        )
    return TaskMetric(context.space, context.supernet, context.split, metric.name, metric.unit, metric.direction)


def needs_supernet(objectives: tuple[str, ...]) -> bool:
    """Tell whether any of the objectives is a task's metric."""
    return any(name in METRICS for name in objectives)
