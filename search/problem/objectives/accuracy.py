"""Top-1 accuracy of a sub-network with the super-network's weights."""

from __future__ import annotations

from ....supernets.metric import ACCURACY
from ..context import SearchContext
from ..task_metric import TaskMetric, metric_objective


def build(context: SearchContext) -> TaskMetric:
    """Build the objective for the context's super-network; raises MissingContext without one that classifies."""
    return metric_objective(ACCURACY, context)
