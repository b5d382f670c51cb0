"""BLEU (Papineni et al. 2002) of a sub-network's translations with the super-network's weights."""

from __future__ import annotations

from ....supernets.metric import BLEU
from ..context import SearchContext
from ..task_metric import TaskMetric, metric_objective


def build(context: SearchContext) -> TaskMetric:
    """Build the objective for the context's super-network; raises MissingContext without one that translates."""
    return metric_objective(BLEU, context)
