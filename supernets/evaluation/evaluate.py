"""How good given sub-networks are: the metric of their task, and what they cost.

It knows super-networks by their protocol alone, so images, text and translation are one.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from ..metric import TellsFurtherMetrics
from ..precision import FP32
from ..space.space import Architecture
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
        metrics = metrics_of(supernet, architecture, split, precision)
        (macs,), (params,) = supernet.space.macs([architecture.indices]), supernet.space.params([architecture.indices])
        yield Evaluated(architecture, metrics, int(macs), int(params))


def metrics_of(supernet: Supernet, architecture: Architecture, split: str, precision: str) -> dict[str, float]:
    """Return an architecture's metrics by name; those besides the task's own in fp32 alone."""
    if precision != FP32:
        return {supernet.metric.name: supernet.evaluate(architecture, split, precision=precision)}
    answers = supernet.answers(architecture, split)
    metrics = {supernet.metric.name: supernet.score(answers, split)}
    return metrics | (supernet.further_metrics(answers, split) if isinstance(supernet, TellsFurtherMetrics) else {})
