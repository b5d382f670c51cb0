"""`gnomon lut list` and `gnomon lut show`: look at hardware profiles."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from ...options.common import AsJson, Force
from ...options.profiles import ProfileName
from ...printing.profile import print_profile
from ...printing.table import print_json, print_table


def register(lut: typer.Typer) -> None:
    """Add the commands."""

    @lut.command("list")
    def list_profiles(as_json: AsJson = False) -> None:
        """List the profiles that ship with the package, with their verified error."""
        from ....lut import load_profile, shipped_profiles

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
        from ....lut import load_profile

        loaded = load_profile(profile)
        if plot is not None:
            from ....reports.figures import plot_fidelity

            plot_fidelity(loaded, plot, force=force)
        if as_json:
            fit = loaded.fit.model_dump()
            print_json({"header": loaded.header.model_dump(by_alias=True), "fit": fit, "quality": loaded.quality})
            return
        print_profile(loaded)
        slowest = sorted(loaded.table.measurements.items(), key=lambda item: -item[1].value_us)[:layers]
        rows = [(key, m.value_us, 100 * m.relative_iqr, m.visits) for key, m in slowest]
        print_table(("layer", "us", "IQR %", "visits"), rows)
