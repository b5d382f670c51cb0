"""`gnomon lut check`: what is wrong with a profile."""

from __future__ import annotations

from typing import Annotated

import typer

from ...options.common import AsJson
from ...options.profiles import ProfileName
from ...options.space import SpaceOption, named_space
from ...printing.line import print_line
from ...printing.profile import print_profile
from ...printing.table import print_json


def register(lut: typer.Typer) -> None:
    """Add the command."""

    @lut.command()
    def check(
        profile: ProfileName,
        space: Annotated[
            str | None, typer.Argument(metavar="[SPACE]", help="Also check that it is of this space.")
        ] = None,
        space_option: SpaceOption = None,
        precision: Annotated[str | None, typer.Option(help="Also check that it is of this precision.")] = None,
        strict: Annotated[
            bool, typer.Option("--strict", help="Exit 4 when a finding is an error, or the quality is not good.")
        ] = False,
        as_json: AsJson = False,
    ) -> None:
        """Check a profile: every line valid, every time plausible, every layer there, environment as here, quality."""
        from ....lut import lint_profile, load_profile
        from ....lut.lint import has_errors
        from ....lut.profile_file.checks import check_request
        from ...exits import QualityRefused

        loaded = load_profile(profile)
        check_request(loaded, space=named_space(space, space_option, default=None), precision=precision)
        findings = lint_profile(loaded)
        if as_json:
            quality = {"quality": loaded.quality, "reason": loaded.quality_reason}
            print_json({"profile": loaded.name, "findings": [finding.to_json() for finding in findings], **quality})
        else:
            for finding in findings:
                print_line(f"{finding.severity:<8} {finding.name}: {finding.text}")
            print_profile(loaded)
        if strict and has_errors(findings):
            names = ", ".join(finding.name for finding in findings if finding.severity == "error")
            raise QualityRefused(f"the profile has findings that are errors: {names}")
        if strict and loaded.quality != "good":
            raise QualityRefused(f"the profile's quality is {loaded.quality}: {loaded.quality_reason}")
