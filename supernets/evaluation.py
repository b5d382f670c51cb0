"""How good given sub-networks are: the metric of their task, and what they cost.

It knows super-networks by their protocol alone, so images, text and translation are one.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from .metric import TellsFurtherMetrics
from .space import Architecture
from .supernet import Supernet


@dataclass(frozen=True, slots=True)
class Evaluated:
    """A sub-network with its metrics by name, the task's own first, and its size."""

    architecture: Architecture
    metrics: dict[str, float]
    macs: int
    params: int


def evaluate(supernet: Supernet, architectures: Sequence[Architecture], split: str = "test") -> Iterator[Evaluated]:
    """Yield each architecture as it is evaluated on all examples of a split; batch norm is calibrated for each.

    Raises DataUnavailable for a split that the task does not have.
    """
    for architecture in architectures:
        answers = supernet.answers(architecture, split)
        metrics = {supernet.metric.name: supernet.score(answers, split)}
        if isinstance(supernet, TellsFurtherMetrics):
            metrics |= supernet.further_metrics(answers, split)
        (macs,), (params,) = supernet.space.macs([architecture.indices]), supernet.space.params([architecture.indices])
        yield Evaluated(architecture, metrics, int(macs), int(params))
