"""The metric of a super-network's task as an objective: it has to be run, so it is costly."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from ...supernets.metric import METRICS, Metric
from ...supernets.precision import FP32
from ...supernets.registry import PRECISION, precisions_in
from ...supernets.space.space import Architecture, Indices, SearchSpace
from ...supernets.tasks import metric_of
from ..errors import InvalidValue, MissingContext
from .context import SearchContext
from .objective import Direction, Objective, Values
from .supernet import SearchableSupernet, require_precision


@dataclass(frozen=True)
class TaskMetric(Objective):
    """The metric of sub-networks on a split."""

    space: SearchSpace
    supernet: SearchableSupernet
    split: str
    name: str
    unit: str
    direction: Direction
    costly: bool = True
    divisible: bool = True
    device_independent: bool = True
    precision: str = FP32

    def values(self, indices: Indices) -> Values:
        """Evaluate (n, d) architectures one after another, (n,)."""
        return self.values_on(indices, 1.0)

    def values_on(self, indices: Indices, share: float) -> Values:
        """Evaluate (n, d) architectures on a share of the examples, (n,)."""
        space = self.space.network
        rows = zip(self.space.networks(indices), self.precisions_of(indices))
        values = [self.evaluated(space.architecture(row), precision, share) for row, precision in rows]
        return np.array(values, dtype=np.float64)

    def precisions_of(self, indices: Indices) -> Sequence[str]:
        """Return the precision of each of (n, d) architectures: what it sets, else the objective's."""
        if precisions_in(self.space):
            return [str(option) for option in self.space.setting(PRECISION, indices)]
        return [self.precision] * len(indices)

    def evaluated(self, architecture: Architecture, precision: str, share: float) -> float:
        """Evaluate one network in a precision; raises InvalidValue for what is no number."""
        value = self.supernet.evaluate(architecture, self.split, share, precision=precision)
        if isinstance(value, (str, bytes)):  # which numpy would read as a number, if it looks like one
            raise InvalidValue(f"evaluating it returned the text {value!r}; expected a number in {self.unit}")
        return value


def metric_objective(metric: Metric, context: SearchContext) -> TaskMetric:
    """Build the objective of `metric`; raises MissingContext without a super-network, or with one of another metric."""
    if context.supernet is None:
        raise MissingContext(
            f"objective {metric.name!r} needs a super-network with weights for {context.space.name!r}, and there is "
            "none; pass a `checkpoint`, or search without it: `objectives=macs,params`"
        )
    own = context.supernet.metric
    if own.name != metric.name:
        raise MissingContext(
            f"{context.space.name} is judged by {own.name}, not by {metric.name}; "
            f"write {own.name} in its place, as `objectives={own.name},latency`"
        )
    for precision in precisions_in(context.space) or (context.precision,):
        require_precision(context.supernet, precision)
    return TaskMetric(
        context.space,
        context.supernet,
        context.split,
        metric.name,
        metric.unit,
        metric.direction,
        precision=context.precision,
    )


def metrics_for(space: SearchSpace) -> frozenset[str]:
    """Name the objectives that are metrics: those that every task may have, and that of the task of `space`."""
    own = metric_of(space)
    return frozenset((*METRICS, *([own.name] if own else ())))


def needs_supernet(objectives: Sequence[str], space: SearchSpace) -> bool:
    """Tell whether any of the objectives is a task's metric; raises PluginBroken."""
    return not metrics_for(space).isdisjoint(objectives)
