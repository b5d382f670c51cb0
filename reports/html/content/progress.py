"""How a run went: hypervolume against cost, its stopping rule, and what was expected of networks before."""

from __future__ import annotations

import numpy as np
from markupsafe import Markup

from ....search import Run
from ....search.runs.measured import violations_of, volume_of
from ....search.runs.quality import predictions_of
from ..drawing.progress import expected_drawing

MOST_STEPS = 300  # of the hypervolume, each of which is computed anew


def growth_of(run: Run) -> tuple[list[float], list[float]]:
    """Return cost and hypervolume after measurements that count: of all, or of MOST_STEPS evenly through the run."""
    cost = np.array(run.cost_trace())
    values, taken_over = run.values, len(run.measured) - len(cost)
    kept = violations_of(run.problem, run.measured) == 0
    shown = np.unique(np.linspace(0, len(cost) - 1, min(MOST_STEPS, len(cost))).astype(int)).tolist()
    ends = [taken_over + n + 1 for n in shown]
    return cost[shown].tolist(), [volume_of(run.problem, values[:end][kept[:end]]) for end in ends]


def stopping_said(run: Run) -> str:
    """Say the stopping rule and what it did."""
    config, rules = run.config, [f"a budget of {run.config.budget} full validations"]
    if config.stop_gain is not None:
        rules.append(f"less than {100 * config.stop_gain:g} % gained in {config.patience} validations")
    if config.stop_after_s is not None:
        rules.append(f"{config.stop_after_s:g} s")
    ended = run.stop.said if run.stop else "the run goes on"
    return f"Stopping rule: {'; or '.join(rules)}. {ended[:1].upper()}{ended[1:]}."


def gained_from(run: Run) -> float | None:
    """Return the cost at which the validations begin whose small gain ended the run; None where another rule did."""
    if run.stop is None or run.stop.reason != "gain":
        return None
    costs = run.cost_trace()
    return costs[-run.config.patience - 1] if len(costs) > run.config.patience else None


def expected_of(run: Run) -> tuple[tuple[str, Markup], ...]:
    """Return a drawing for each objective that was predicted before it was measured, with the verdict on it."""
    units = {objective.name: objective for objective in run.objectives}
    found = []
    for quality in run.predictor_quality():
        name = quality.objective
        predicted = predictions_of(name, run.evaluations, run.counted)
        picture = expected_drawing(
            predicted.mean,
            np.nan_to_num(predicted.half),
            predicted.values,
            [evaluation.id for evaluation in predicted.evaluations],
            head=units[name].head,
        )
        found.append((f"{name}: {quality}", picture))
    return tuple(found)
