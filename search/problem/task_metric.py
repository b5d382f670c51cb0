"""The metric of a super-network's task as an objective: it has to be run, so it is costly."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from ...supernets.evaluation.deciding import DecidingExamples, Outcomes, TellsOutcomes, evaluate_on
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
    """The metric of sub-networks on a split; a share of it is of the `examples` that decide, None: of random ones."""

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
    examples: DecidingExamples | None = None

    @property
    def has_outcomes(self) -> bool:
        """Whether it is made of outcomes of examples, which the super-network tells."""
        return isinstance(self.supernet, TellsOutcomes) and self.supernet.has_outcomes

    def outcomes(self, row: Indices) -> Outcomes:
        """Return the outcomes of one architecture (d) on all examples; raises InvalidValue where it has none."""
        ((architecture, precision),) = self.networks(row[None])
        return self.telling().outcomes(architecture, self.split, precision=precision)

    def telling(self) -> TellsOutcomes:
        """Return the super-network, which tells outcomes; raises InvalidValue where it does not."""
        if not isinstance(self.supernet, TellsOutcomes):
            raise InvalidValue(f"the super-network does not tell outcomes of examples, of which {self.name} is made")
        return self.supernet

    def values(self, indices: Indices) -> Values:
        """Evaluate (n, d) architectures one after another, (n,)."""
        return self.values_on(indices, 1.0)

    def values_on(self, indices: Indices, share: float) -> Values:
        """Evaluate (n, d) architectures on a share of the examples, (n,)."""
        values = [self.evaluated(network, precision, share) for network, precision in self.networks(indices)]
        return np.array(values, dtype=np.float64)

    def networks(self, indices: Indices) -> list[tuple[Architecture, str]]:
        """Return the network, and its precision, of each of (n, d) architectures."""
        rows = zip(self.space.networks(indices), self.precisions_of(indices))
        return [(self.space.network.architecture(row), precision) for row, precision in rows]

    def precisions_of(self, indices: Indices) -> Sequence[str]:
        """Return the precision of each of (n, d) architectures: what it sets, else the objective's."""
        if precisions_in(self.space):
            return [str(option) for option in self.space.setting(PRECISION, indices)]
        return [self.precision] * len(indices)

    def evaluated(self, architecture: Architecture, precision: str, share: float) -> float:
        """Evaluate one network in a precision; raises InvalidValue for what is no number."""
        if self.examples is not None and share < 1.0:
            return evaluate_on(self.telling(), architecture, self.split, self.examples, share, precision=precision)
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
