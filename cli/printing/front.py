"""How `gnomon search` and `gnomon pareto` print: the front of a run."""

from __future__ import annotations

from dataclasses import asdict
from typing import TYPE_CHECKING, Any

from .line import print_line
from .table import print_table

if TYPE_CHECKING:
    from ...search import Run
    from ...search.deployments.profiles import Profiles
    from ...search.runs.measured import Measured
    from ...search.runs.quality import PredictorQuality


def print_run(
    run: Run,
    *,
    pick: str | None = None,
    spread: int | None = None,
    profile: Profiles = None,
) -> None:
    """Print the front of a run, with the verified error of its latencies when the profile, or each, is known."""
    from ...search.deployments.profiles import by_name

    front = run.front()
    chosen = front.pick(pick) if pick else None
    found = {measured.architecture: measured for measured in run.measured}
    few = frozenset(front.spread(spread).architectures) if spread is not None else frozenset()
    deployments = [run.deployment(architecture) for architecture in front.architectures]
    runs_on = ("runs on",) if any(deployments) else ()
    columns = ("id", *(quantity.head for quantity in front.quantities), *runs_on, "")
    inside = run.inside(front)
    rows = [
        (
            architecture.id,
            *map(float, values),
            *((deployment.label if deployment else "",) if runs_on else ()),
            marks(architecture == chosen, architecture in few, not within, found[architecture]),
        )
        for architecture, values, within, deployment in zip(front.architectures, front.rows, inside, deployments)
    ]
    print_line(f"run      {run.folder}: {run.config.tactic}, {run.effort}")
    if run.start is not None:
        print_line(f"start    {run.start}")
    if run.stop is not None and run.stop.reason != "budget":
        print_line(f"stopped  {run.stop.said}")
    volume = f"hypervolume {run.hypervolume():.6g}"
    print_line(f"front    {len(front.architectures)} of {len(run.measured)} measured; {volume}")
    if left_out := run.header.provenance.left_out:
        print_line(f"left out {', '.join(left_out)}: for no network faster than a higher precision")
    if run.config.region:
        print_line(f"region   {', '.join(run.config.region)}: {sum(inside)} of the front inside")
    print_table(columns, rows)
    for name, one in by_name(profile):
        label = f"latency@{name} " if name else "latency  "
        print_line(f"{label}from {one.name}: {one.latency.report.sentence()}; quality {one.quality}")
    for quality in run.predictor_quality():
        print_line(f"{quality.objective:8s} predictor {quality}")


def print_few(run: Run, count: int, *, pick: str) -> None:
    """Print the members of a front that keep most hypervolume together, `count` at most, and the one that is picked."""
    front = run.front()
    chosen = front.pick(pick)
    shown = {chosen, *front.spread(count).architectures}
    print_line(f"run      {run.folder}: {run.config.tactic}, {run.effort}")
    print_line(f"front    {len(front.architectures)} of {len(run.measured)} measured; {len(shown)} of them:")
    rows = [
        (architecture.id, *map(float, values), marks(architecture == chosen))
        for architecture, values in zip(front.architectures, front.rows)
        if architecture in shown
    ]
    print_table(("id", *(quantity.head for quantity in front.quantities), ""), rows)


def marks(chosen: bool, few: bool = False, outside: bool = False, found: Measured | None = None) -> str:
    """Return the remarks on a row of the front."""
    remarks = ["<- pick"] * chosen + ["<- spread"] * few
    if found is not None:
        remarks += ["measured by the other run"] * (found.source is not None)
        remarks += [f"on {100 * found.share:.3g} % of the examples"] * (found.share < 1.0)
    return ", ".join(remarks + ["outside"] * outside)


def quality_record(quality: PredictorQuality) -> dict[str, Any]:
    """Return a predictor's quality as JSON."""
    rounds = {str(number): asdict(one) for number, one in quality.rounds.items()}
    return {"unit": quality.unit, "overall": asdict(quality.overall), "rounds": rounds}


def record_of(run: Run, pick: str | None, spread: int | None) -> dict[str, Any]:
    """Return the front of a run, how it was reached, and how well it was predicted, as JSON."""
    front = run.front()
    names = [quantity.name for quantity in front.quantities]
    found = {measured.architecture: measured for measured in run.measured}
    return {
        "front": [
            {"id": a.id, "indices": a.indices, "source": found[a].source, "share": found[a].share, "in_region": within}
            | dict(zip(names, map(float, values)))
            | ({"deployment": deployment.as_json()} if (deployment := run.deployment(a)) else {})
            for a, values, within in zip(front.architectures, front.rows, run.inside(front))
        ],
        "hypervolume": run.hypervolume(),
        "trace": [float(value) for value in run.hypervolume_trace()],
        "trace_cost": list(run.cost_trace()),
        "cost": run.cost,
        "budget": run.config.budget,
        "partial_evaluations": len(run.partial_evaluations),
        "failures": {evaluation.id: evaluation.failed for evaluation in run.failures},
        "stopped": run.stop and {"reason": run.stop.reason, "said": run.stop.said},
        "start": run.start and str(run.start),
        "pricing": run.pricing and str(run.pricing),
        "predictors": {quality.objective: quality_record(quality) for quality in run.predictor_quality()},
        "pick": front.pick(pick).id if pick else None,
        "spread": [a.id for a in front.spread(spread).architectures] if spread is not None else None,
    }
