"""How good given sub-networks are: the metric of their task, and what they cost.

It knows super-networks by their protocol alone, so images, text and translation are one.
"""

from __future__ import annotations

import time
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from ..errors import SupernetError
from ..metric import TellsFurtherMetrics
from ..precision import FP32
from ..space.space import Architecture
from .deciding import DecidingExamples, TellsOutcomes, evaluate_on
from .supernet import Supernet


@dataclass(frozen=True, slots=True)
class Evaluated:
    """A sub-network with its metrics by name, the task's own first, and its size."""

    architecture: Architecture
    metrics: dict[str, float]
    macs: int
    params: int


def evaluate(
    supernet: Supernet, architectures: Sequence[Architecture], split: str = "test", *, precision: str = FP32
) -> Iterator[Evaluated]:
    """Yield each architecture as it is evaluated on all examples of a split; batch norm is calibrated for each.

    Raises DataUnavailable for a split that the task does not have, and at another precision than fp32 SupernetError
    for an unknown one and PrecisionUnavailable where this machine cannot compute in it.
    """
    for architecture in architectures:
        yield sized(supernet, architecture, metrics_of(supernet, architecture, split, precision))


def seconds_of_ends(supernet: Supernet, split: str, *, precision: str = FP32) -> tuple[float, float]:
    """Return how long the smallest and the largest sub-network take to evaluate, here and now; raises as `evaluate`."""
    space = supernet.space.network
    found = []
    for row in space.canonical([0 * space.radices, space.radices - 1]):
        started = time.perf_counter()
        supernet.evaluate(space.architecture(row), split, precision=precision)
        found.append(time.perf_counter() - started)
    return found[0], found[1]


def evaluate_on_deciding(
    supernet: Supernet, architectures: Sequence[Architecture], split: str, share: float, *, precision: str = FP32
) -> Iterator[Evaluated]:
    """Yield each architecture with its accuracy estimated on the share of a split's examples that decides most.

    The smallest and the largest sub-network are evaluated on all examples first. Raises SupernetError for a task that
    is not judged by accuracy, and what `evaluate` raises.
    """
    require_outcomes(supernet)
    assert isinstance(supernet, TellsOutcomes)
    space = supernet.space.network
    ends = [space.architecture(row) for row in space.canonical([0 * space.radices, space.radices - 1])]
    pilots = {end: supernet.outcomes(end, split, precision=precision) for end in ends}
    examples = DecidingExamples.of(list(pilots.values()))
    for architecture in architectures:
        if architecture in pilots:
            found = pilots[architecture].percent
        else:
            found = evaluate_on(supernet, architecture, split, examples, share, precision=precision)
        yield sized(supernet, architecture, {supernet.metric.name: found})


def require_outcomes(supernet: Supernet) -> None:
    """Raise SupernetError for a super-network that is not judged by accuracy."""
    if not (isinstance(supernet, TellsOutcomes) and supernet.has_outcomes):
        raise SupernetError(
            f"{supernet.space.name} is judged by {supernet.metric.name}, which is no share of examples that a network "
            "is right about, so none decide; evaluate it on all of them"
        )


def sized(supernet: Supernet, architecture: Architecture, metrics: dict[str, float]) -> Evaluated:
    """Return an architecture's metrics with its size."""
    (macs,), (params,) = supernet.space.macs([architecture.indices]), supernet.space.params([architecture.indices])
    return Evaluated(architecture, metrics, int(macs), int(params))


def metrics_of(supernet: Supernet, architecture: Architecture, split: str, precision: str) -> dict[str, float]:
    """Return an architecture's metrics by name; those besides the task's own in fp32 alone."""
    if precision != FP32:
        return {supernet.metric.name: supernet.evaluate(architecture, split, precision=precision)}
    answers = supernet.answers(architecture, split)
    metrics = {supernet.metric.name: supernet.score(answers, split)}
    return metrics | (supernet.further_metrics(answers, split) if isinstance(supernet, TellsFurtherMetrics) else {})
