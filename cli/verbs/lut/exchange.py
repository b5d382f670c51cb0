"""`gnomon lut export` and `gnomon lut import`: tables in the formats of others."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from ...options.common import Force
from ...options.profiles import ProfileName
from ...options.space import SpaceOption, named_space
from ...printing.line import print_line
from ...printing.profile import print_profile
from ...printing.progress import say

Format = Annotated[str | None, typer.Option("--format", help="csv, parquet or ofa_yaml; default: by the suffix.")]


def register(lut: typer.Typer) -> None:
    """Add the commands."""

    @lut.command("export")
    def export_table(
        profile: ProfileName,
        out: Annotated[Path, typer.Option(help="File to write: .csv, .parquet or .yaml.")],
        name: Format = None,
        force: Force = False,
    ) -> None:
        """Write a profile's table as CSV, Parquet or Once-for-All's YAML."""
        from ....lut import load_profile, write_table

        loaded = load_profile(profile)
        without = write_table(loaded, out, name=name, force=force)
        print_line(f"saved    {out}: {len(loaded.table.measurements) - len(without)} layers")
        for key in without:
            say(f"left out {key}: the format has no word for it")

    @lut.command("import")
    def import_(
        file: Annotated[Path, typer.Argument(help="The table: .csv, .parquet or .yaml.")],
        out: Annotated[Path, typer.Option(help="Profile to write.")],
        space: Annotated[str | None, typer.Argument(metavar="[SPACE]", help="Search space of the layers.")] = None,
        space_option: SpaceOption = None,
        backend: Annotated[str | None, typer.Option(help="Runtime that ran them.")] = None,
        device: Annotated[str | None, typer.Option(help="Name of the machine that ran them.")] = None,
        processor: Annotated[str | None, typer.Option(help="Kind of unit that ran them; default cpu.")] = None,
        precision: Annotated[str | None, typer.Option(help="Of weights and activations; default fp32.")] = None,
        threads: Annotated[int | None, typer.Option(help="Of the runtime; default 1.", min=1)] = None,
        batch: Annotated[int | None, typer.Option(help="Images at a time; default 1.", min=1)] = None,
        runtime_version: Annotated[str | None, typer.Option(help="Version of the runtime.")] = None,
        name: Format = None,
        accept: Annotated[
            bool, typer.Option("--accept-findings", help="Import a table in spite of findings that are errors.")
        ] = False,
        force: Force = False,
    ) -> None:
        """Make a profile of a table; what the file says of itself needs no option. Nothing verifies such a profile."""
        from ....lut import TableOrigin, import_table

        named = named_space(space, space_option, default=None)
        origin = TableOrigin(named, backend, device, processor, precision, threads, batch, runtime_version)
        imported = import_table(file, out, origin, name=name, accept=accept, force=force)
        for finding in imported.findings:
            print_line(f"{finding.severity:<8} {finding.name}: {finding.text}")
        print_profile(imported.profile)
        print_line(f"saved    {out}")
