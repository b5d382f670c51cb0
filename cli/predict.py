"""`gnomon predict`: latencies of architectures from a profile."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Annotated

import typer

from .explanation import difference_json, explanation_json, print_difference, print_explanation
from .lut import ProfileName
from .operators import operators_json, print_operators
from .output import AsJson, print_json, print_table, say

if TYPE_CHECKING:
    from ..lut import HardwareProfile
    from ..supernets import Architecture

COLUMNS = ("id", "latency_us", "low_us", "high_us", "source", "macs", "params")


def register(app: typer.Typer) -> None:
    """Add the verb."""

    @app.command()
    def predict(
        profile: ProfileName,
        arch: Annotated[
            list[str] | None,
            typer.Option(help="largest, smallest, random:N, or option indices such as 0,2,1,... May be repeated."),
        ] = None,
        seed: Annotated[int, typer.Option(help="Of random architectures.", min=0)] = 0,
        explain: Annotated[bool, typer.Option("--explain", help="Also break each latency into its layers.")] = False,
        operators: Annotated[
            bool,
            typer.Option(
                "--operators", help="Also time and profile each on this device, the profile's; implies --explain."
            ),
        ] = False,
        as_json: AsJson = False,
    ) -> None:
        """Predict latencies with their 90 % interval; the verified error is printed beside them."""
        from ..lut import explain as explained
        from ..lut import explain_operators, load_profile
        from ..supernets.parse import architectures_from_text

        loaded = load_profile(profile)
        asked = [
            architecture
            for text in arch or ["smallest", "largest", "random:3"]
            for architecture in architectures_from_text(loaded.space, text, seed=seed)
        ]
        rows = predictions(loaded, asked)
        explanations = [explained(loaded, architecture) for architecture in asked] if explain or operators else []
        reports = []
        for architecture in asked if operators else []:
            say(f"timing {architecture.id} without and with the profiler of {loaded.header.backend}")
            reports.append(explain_operators(loaded, architecture))
        pair = explanations if len(explanations) == 2 else []
        if as_json:
            found: list[dict[str, object]] = [
                {**dict(zip(COLUMNS, row)), "indices": architecture.indices} for row, architecture in zip(rows, asked)
            ]
            for described, explanation in zip(found, explanations):
                described["explanation"] = explanation_json(explanation)
            for described, report in zip(found, reports):
                described["operators"] = operators_json(report)
            difference = {"difference": difference_json(*pair)} if pair else {}
            print_json({"architectures": found, "verified": loaded.fit.model_dump(), **difference})
            return
        if not explanations:
            print_table(COLUMNS, [["unknown" if cell is None else cell for cell in row] for row in rows])
        for position, explanation in enumerate(explanations):
            print_explanation(loaded, explanation)
            for report in reports[position : position + 1]:
                print_operators(loaded, report)
            print()
        if pair:
            print_difference(loaded.space, *pair)
        print(f"verified  {loaded.latency.report.sentence()}; quality {loaded.quality}")


def predictions(profile: HardwareProfile, asked: Sequence[Architecture]) -> list[tuple[str | float | int | None, ...]]:
    """Return a row of `COLUMNS` for each architecture."""
    indices = [architecture.indices for architecture in asked]
    estimate = profile.latency.predict(indices)
    unverified = estimate.log_ratio is None  # a table without whole networks gives a value and no interval
    macs, params = profile.space.macs(indices), profile.space.params(indices)
    return [
        (
            architecture.id,
            float(estimate.value_us[i]),
            None if unverified else float(estimate.low_us[i]),
            None if unverified else float(estimate.high_us[i]),
            str(estimate.source[i]),
            int(macs[i]),
            int(params[i]),
        )
        for i, architecture in enumerate(asked)
    ]
