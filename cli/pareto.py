"""`gnomon pareto`: the front of a run."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from .output import AsJson, Force, print_json, print_table

if TYPE_CHECKING:
    from ..lut import HardwareProfile
    from ..search import Run

RunFolder = Annotated[Path, typer.Argument(help="Run folder, as given to gnomon search --out.")]


def print_run(
    run: Run, *, pick: str | None = None, profile: HardwareProfile | Mapping[str, HardwareProfile] | None = None
) -> None:
    """Print the front of a run, with the verified error of its latencies when the profile, or each, is known."""
    front = run.front()
    trace = run.hypervolume_trace()
    chosen = front.pick(pick) if pick else None
    columns = ("id", *(f"{objective.name} ({objective.unit})" for objective in front.objectives), "")
    inside = run.inside(front)
    marks = [
        " ".join([*["<- pick"] * (architecture == chosen), *["outside"] * (not within)])
        for architecture, within in zip(front.architectures, inside)
    ]
    rows = [
        (architecture.id, *map(float, values), mark)
        for architecture, values, mark in zip(front.architectures, front.values, marks)
    ]
    print(f"run      {run.folder}: {len(run.evaluations)} of {run.config.budget} validations, {run.config.tactic}")
    print(f"front    {len(front.architectures)} of {len(run.evaluations)} measured; hypervolume {trace[-1]:.6g}")
    if run.config.region:
        print(f"region   {', '.join(run.config.region)}: {sum(inside)} of the front inside")
    print_table(columns, rows)
    profiles = profile if isinstance(profile, Mapping) else {} if profile is None else {"": profile}
    for name, one in profiles.items():
        label = f"latency@{name} " if name else "latency  "
        print(f"{label}from {one.name}: {one.latency.report.sentence()}; quality {one.quality}")


def register(app: typer.Typer) -> None:
    """Add the verb."""

    @app.command()
    def pareto(
        run: RunFolder,
        pick: Annotated[str | None, typer.Option(help="Mark one: an id, knee, or a rule such as latency<=2ms.")] = None,
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

            plot_front(loaded, plot, force=force)
        if as_json:
            front = loaded.front()
            names = [objective.name for objective in front.objectives]
            found = [
                {"id": a.id, "indices": a.indices, "in_region": within} | dict(zip(names, map(float, values)))
                for a, values, within in zip(front.architectures, front.values, loaded.inside(front))
            ]
            chosen = front.pick(pick).id if pick else None
            trace = [float(value) for value in loaded.hypervolume_trace()]
            print_json({"front": found, "hypervolume": trace[-1], "trace": trace, "pick": chosen})
            return
        print_run(loaded, pick=pick, profile=load_profile(profile) if profile else None)
