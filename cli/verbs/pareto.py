"""`gnomon pareto`: the front of a run."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from ..options.common import AsJson, Force
from ..options.completion import profile_names
from ..options.run import PICK_HELP, RunFolder
from ..printing.front import print_run, record_of
from ..printing.progress import say
from ..printing.table import print_json
from ..wording import as_options

if TYPE_CHECKING:
    from ...search import Run
    from ...search.final.front import FinalFront


def picks_of(run: Run, pick: str | None, spread: int | None) -> dict[str, str]:
    """Return the ids to mark on a plot, each with its label."""
    front = run.front()
    few = front.spread(spread).architectures if spread is not None else ()
    chosen = {front.pick(pick).id: "pick"} if pick else {}
    return {architecture.id: "" for architecture in few} | chosen


def final_of(run: Run) -> FinalFront | None:
    """Return the run's final front where there is one; says on stderr when it is of an earlier state of the run."""
    from ...search.errors import RunMismatch
    from ...search.final.front import load_final

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
        from ...api import load_run
        from ...search import repriced
        from ...search.deployments.given import given_profiles
        from ..options.profiles import load_profiles

        searched, profiles = load_run(run), given_profiles(**load_profiles(profile or ()))
        loaded = repriced(searched, profiles)
        if loaded.pricing is not None:
            say(str(loaded.pricing))
        final = final_of(searched)
        if plot is not None:
            from ...lut import HardwareProfile
            from ...reports.figures import plot_front

            is_same = final is not None and final.prices_like(loaded)
            plot_front(
                loaded,
                plot,
                final=final if is_same else None,
                picks=picks_of(loaded, pick, spread),
                profile=profiles if isinstance(profiles, HardwareProfile) else None,
                force=force,
            )
        if as_json:
            print_json(record_of(loaded, pick, spread))
            return
        print_run(loaded, pick=pick, spread=spread, profile=profiles)
        if final is not None:
            stay = [standing.on_front for standing in final.standings].count(True)
            priced = f", priced by {final.pricing}" if final.pricing else ""
            print(f"final    {stay} of {len(final.members)} stay on the final front{priced}: gnomon finish {run}")
