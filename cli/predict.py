"""`gnomon predict`: latencies of architectures from a profile."""

from __future__ import annotations

from typing import Annotated

import typer

from .lut import ProfileName
from .output import AsJson, print_json, print_table


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
        as_json: AsJson = False,
    ) -> None:
        """Predict latencies with their 90 % interval; the verified error is printed beside them."""
        from ..lut import load_profile
        from ..supernets.parse import architectures_from_text

        loaded = load_profile(profile)
        space = loaded.space
        asked = [
            architecture
            for text in arch or ["smallest", "largest", "random:3"]
            for architecture in architectures_from_text(space, text, seed=seed)
        ]
        indices = [architecture.indices for architecture in asked]
        estimate = loaded.latency.predict(indices)
        unverified = estimate.log_ratio is None  # a table without whole networks: a value, and no interval
        columns = ("id", "latency_us", "low_us", "high_us", "source", "macs", "params")
        macs, params = space.macs(indices), space.params(indices)
        rows = [
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
        if as_json:
            found = [dict(zip(columns, row)) | {"indices": genes} for row, genes in zip(rows, indices)]
            print_json({"architectures": found, "verified": loaded.fit.model_dump()})
            return
        print_table(columns, [["unknown" if cell is None else cell for cell in row] for row in rows])
        print(f"verified  {loaded.latency.report.sentence()}; quality {loaded.quality}")
