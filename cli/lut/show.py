"""`gnomon lut list` and `gnomon lut show`: look at hardware profiles."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from ..completion import profile_names
from ..output import AsJson, Force, print_json, print_table

if TYPE_CHECKING:
    from ...lut import HardwareProfile

ProfileName = Annotated[
    str,
    typer.Argument(
        help="A profile's file, or the name of a shipped one (gnomon lut list).", autocompletion=profile_names
    ),
]


def print_profile(profile: HardwareProfile) -> None:
    """Print what a profile is, how good it is, and what it cost."""
    from ...lut.profile_file.description import text_from_facts

    print(text_from_facts(profile.facts()))


def register(lut: typer.Typer) -> None:
    """Add the commands."""

    @lut.command("list")
    def list_profiles(as_json: AsJson = False) -> None:
        """List the profiles that ship with the package, with their verified error."""
        from ...lut import load_profile, shipped_profiles

        profiles = [(name, load_profile(name)) for name in shipped_profiles()]
        if as_json:
            print_json([name for name, _ in profiles])
        else:
            print_table(("profile", "verified error"), [(name, p.latency.report.sentence()) for name, p in profiles])

    @lut.command()
    def show(
        profile: ProfileName,
        plot: Annotated[Path | None, typer.Option(help="Write predicted vs measured as .png, .svg or .pdf.")] = None,
        layers: Annotated[int, typer.Option(help="Show this many of the slowest layers.", min=0)] = 10,
        as_json: AsJson = False,
        force: Force = False,
    ) -> None:
        """Show a profile: environment, verified error, slowest layers."""
        from ...lut import load_profile

        loaded = load_profile(profile)
        if plot is not None:
            from ...reports.plots import plot_fidelity

            plot_fidelity(loaded, plot, force=force)
        if as_json:
            fit = loaded.fit.model_dump()
            print_json({"header": loaded.header.model_dump(by_alias=True), "fit": fit, "quality": loaded.quality})
            return
        print_profile(loaded)
        slowest = sorted(loaded.table.measurements.items(), key=lambda item: -item[1].value_us)[:layers]
        rows = [(key, m.value_us, 100 * m.relative_iqr, m.visits) for key, m in slowest]
        print_table(("layer", "us", "IQR %", "visits"), rows)
