"""`gnomon pareto`: the front of a run."""

from __future__ import annotations

from dataclasses import asdict
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from .completion import profile_names
from .output import AsJson, Force, print_json, print_table, say
from .wording import as_options

if TYPE_CHECKING:
    from ..search import Run
    from ..search.deployments.profiles import Profiles
    from ..search.final.front import FinalFront
    from ..search.runs.quality import PredictorQuality

PICK_HELP = 'An id, knee, "best accuracy", "weights accuracy=2,latency=1", or a rule such as latency<=2ms.'
RunFolder = Annotated[Path, typer.Argument(help="Run folder, as given to gnomon search --out.")]


def print_run(
    run: Run,
    *,
    pick: str | None = None,
    spread: int | None = None,
    profile: Profiles = None,
) -> None:
    """Print the front of a run, with the verified error of its latencies when the profile, or each, is known."""
    from ..search.deployments.profiles import by_name

    front = run.front()
    chosen = front.pick(pick) if pick else None
    taken = {measured.architecture for measured in run.measured if measured.source}
    few = frozenset(front.spread(spread).architectures) if spread is not None else frozenset()
    ways = [run.deployment(architecture) for architecture in front.architectures]
    runs_on = ("runs on",) if any(ways) else ()
    columns = ("id", *(quantity.head for quantity in front.quantities), *runs_on, "")
    inside = run.inside(front)
    rows = [
        (
            architecture.id,
            *map(float, values),
            *((way.label if way else "",) if runs_on else ()),
            marks(architecture == chosen, architecture in few, architecture in taken, not within),
        )
        for architecture, values, within, way in zip(front.architectures, front.rows, inside, ways)
    ]
    print(f"run      {run.folder}: {run.config.tactic}, {run.effort}")
    if run.start is not None:
        print(f"start    {run.start}")
    if run.stop is not None and run.stop.reason != "budget":
        print(f"stopped  {run.stop.said}")
    print(f"front    {len(front.architectures)} of {len(run.measured)} measured; hypervolume {run.hypervolume():.6g}")
    if left_out := run.header.provenance.left_out:
        print(f"left out {', '.join(left_out)}: for no network faster than a higher precision")
    if run.config.region:
        print(f"region   {', '.join(run.config.region)}: {sum(inside)} of the front inside")
    print_table(columns, rows)
    for name, one in by_name(profile):
        label = f"latency@{name} " if name else "latency  "
        print(f"{label}from {one.name}: {one.latency.report.sentence()}; quality {one.quality}")
    for quality in run.predictor_quality():
        print(f"{quality.objective:8s} predictor {quality}")


def marks(chosen: bool, few: bool, taken: bool, outside: bool) -> str:
    """Say what is special about a row of the front."""
    return ", ".join(
        ["<- pick"] * chosen + ["<- spread"] * few + ["measured by the other run"] * taken + ["outside"] * outside
    )


def quality_record(quality: PredictorQuality) -> dict[str, Any]:
    """Return a predictor's quality as JSON."""
    rounds = {str(number): asdict(one) for number, one in quality.rounds.items()}
    return {"unit": quality.unit, "overall": asdict(quality.overall), "rounds": rounds}


def record_of(run: Run, pick: str | None, spread: int | None) -> dict[str, Any]:
    """Return the front of a run, how it was reached, and how well it was predicted, as JSON."""
    front = run.front()
    names = [quantity.name for quantity in front.quantities]
    sources = {measured.architecture: measured.source for measured in run.measured}
    return {
        "front": [
            {"id": a.id, "indices": a.indices, "source": sources[a], "in_region": within}
            | dict(zip(names, map(float, values)))
            | ({"deployment": way.as_json()} if (way := run.deployment(a)) else {})
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


def picks_of(run: Run, pick: str | None, spread: int | None) -> dict[str, str]:
    """Return the ids to mark on a plot, with what each is called there."""
    front = run.front()
    few = front.spread(spread).architectures if spread is not None else ()
    chosen = {front.pick(pick).id: "pick"} if pick else {}
    return {architecture.id: "" for architecture in few} | chosen


def final_of(run: Run) -> FinalFront | None:
    """Return the run's final front where there is one; says on stderr when it is of an earlier state of the run."""
    from ..search.errors import RunMismatch
    from ..search.final.front import load_final

    try:
        return load_final(run)
    except RunMismatch as error:
        say(as_options(str(error)))
        return None


def register(app: typer.Typer) -> None:
    """Add the verb."""

    @app.command()
    def pareto(
        run: RunFolder,
        pick: Annotated[str | None, typer.Option(help=PICK_HELP)] = None,
        spread: Annotated[int | None, typer.Option(help="Mark this many that keep most hypervolume together.")] = None,
        profile: Annotated[
            list[str] | None,
            typer.Option(
                help="Profile to show its verified error; another than the run's prices the front anew.",
                autocompletion=profile_names,
            ),
        ] = None,
        plot: Annotated[
            Path | None, typer.Option(help="Write the front as .png, .svg or .pdf, the pick and the spread marked.")
        ] = None,
        as_json: AsJson = False,
        force: Force = False,
    ) -> None:
        """Show the Pareto front of everything a run measured."""
        from ..api import load_run
        from ..search import repriced
        from .named_profiles import load_profiles

        searched, profiles = load_run(run), load_profiles(profile or ())
        loaded = repriced(searched, profiles)
        if loaded.pricing is not None:
            say(str(loaded.pricing))
        final = final_of(searched)
        if plot is not None:
            from ..reports.plots import plot_front

            is_same = final is not None and final.prices_like(loaded)
            plot_front(
                loaded, plot, final=final if is_same else None, picks=picks_of(loaded, pick, spread), force=force
            )
        if as_json:
            print_json(record_of(loaded, pick, spread))
            return
        print_run(loaded, pick=pick, spread=spread, profile=profiles)
        if final is not None:
            stay = [standing.on_front for standing in final.standings].count(True)
            priced = f", priced by {final.pricing}" if final.pricing else ""
            print(f"final    {stay} of {len(final.members)} stay on the final front{priced}: gnomon finish {run}")
