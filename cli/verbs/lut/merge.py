"""`gnomon lut merge`: one profile of what several machines of one kind measured."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from ...options.common import Force
from ...printing.line import print_line
from ...printing.profile import print_profile


def register(lut: typer.Typer) -> None:
    """Add the command."""

    @lut.command()
    def merge(
        profiles: Annotated[list[str], typer.Argument(help="Profiles of a space, of machines of one kind.")],
        out: Annotated[Path, typer.Option("--out", "-o", help="Profile to write.")],
        force: Force = False,
    ) -> None:
        """Merge profiles that machines of one kind measured: every visit of each counts."""
        from ....lut import merge_profiles

        print_profile(merge_profiles(profiles, out, force=force))
        print_line(f"saved    {out}")
