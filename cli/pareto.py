"""`gnomon pareto`: the front of a run."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from .output import AsJson, Force, print_json, print_table, say

if TYPE_CHECKING:
    from ..lut import HardwareProfile
    from ..search import Run
    from ..search.final_front import FinalFront

PICK_HELP = 'An id, knee, "best accuracy", "weights accuracy=2,latency=1", or a rule such as latency<=2ms.'
RunFolder = Annotated[Path, typer.Argument(help="Run folder, as given to gnomon search --out.")]


def print_run(
    run: Run, *, pick: str | None = None, spread: int | None = None, profile: HardwareProfile | None = None
) -> None:
    """Print the front of a run, with the verified error of its latencies when the profile is known."""
    front = run.front()
    trace = run.hypervolume_trace()
    chosen = front.pick(pick) if pick else None
    few = frozenset(front.spread(spread).architectures) if spread is not None else frozenset()
    columns = ("id", *(f"{objective.name} ({objective.unit})" for objective in front.objectives), "")
    rows = [
        (architecture.id, *map(float, values), mark_of(architecture == chosen, architecture in few))
        for architecture, values in zip(front.architectures, front.values)
    ]
    print(f"run      {run.folder}: {len(run.evaluations)} of {run.config.budget} validations, {run.config.tactic}")
    print(f"front    {len(front.architectures)} of {len(run.evaluations)} measured; hypervolume {trace[-1]:.6g}")
    print_table(columns, rows)
    if profile is not None:
        print(f"latency  from {profile.name}: {profile.latency.report.sentence()}; quality {profile.quality}")


def final_of(run: Run) -> FinalFront | None:
    """Return the run's final front where there is one; says on stderr when it is of an earlier state of the run."""
    from ..search.errors import RunMismatch
    from ..search.final_front import load_final

    try:
        return load_final(run)
    except RunMismatch as error:
        say(str(error))
        return None


def mark_of(is_pick: bool, is_spread: bool) -> str:
    """Return what stands beside a member of the front."""
    return " ".join(["<- pick"] * is_pick + ["<- spread"] * is_spread)


def register(app: typer.Typer) -> None:
    """Add the verb."""

    @app.command()
    def pareto(
        run: RunFolder,
        pick: Annotated[str | None, typer.Option(help=PICK_HELP)] = None,
        spread: Annotated[int | None, typer.Option(help="Mark this many that keep most hypervolume together.")] = None,
        profile: Annotated[str | None, typer.Option(help="Profile of the run, to show its verified error.")] = None,
        plot: Annotated[Path | None, typer.Option(help="Write the front as .png or .svg.")] = None,
        as_json: AsJson = False,
        force: Force = False,
    ) -> None:
        """Show the Pareto front of everything a run measured."""
        from ..api import load_profile, load_run

        loaded = load_run(run)
        if plot is not None:
            from ..reports.plots import plot_front

            plot_front(loaded, plot, final=final_of(loaded), force=force)
        if as_json:
            front = loaded.front()
            names = [objective.name for objective in front.objectives]
            found = [
                {"id": a.id, "indices": a.indices} | dict(zip(names, map(float, values)))
                for a, values in zip(front.architectures, front.values)
            ]
            chosen = front.pick(pick).id if pick else None
            few = [a.id for a in front.spread(spread).architectures] if spread is not None else None
            trace = [float(value) for value in loaded.hypervolume_trace()]
            print_json({"front": found, "hypervolume": trace[-1], "trace": trace, "pick": chosen, "spread": few})
            return
        print_run(loaded, pick=pick, spread=spread, profile=load_profile(profile) if profile else None)
        if (final := final_of(loaded)) is not None:
            stay = [standing.on_front for standing in final.standings].count(True)
            print(f"final    {stay} of {len(final.members)} stay on the final front: gnomon finish {run}")
