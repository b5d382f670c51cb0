"""`gnomon spaces`: super-networks that can be searched."""

from __future__ import annotations

import typer

from .output import AsJson, print_json, print_table


def register(app: typer.Typer) -> None:
    """Add the verb."""

    @app.command()
    def spaces(as_json: AsJson = False) -> None:
        """List the search spaces with their size and the range of their sub-networks."""
        from ..supernets import load_space, space_names
        from ..supernets.weight_files import SHIPPED, made_weights, weights_of

        columns = ("space", "task", "genes", "settings", "layers", "mmacs", "kparams", "weights")
        rows: list[tuple[object, ...]] = []
        for name in space_names():
            space = load_space(name)
            ends = [[0] * len(space.choices), list(space.radices - 1)]
            macs, params = space.macs(ends) / 1e6, space.params(ends) / 1e3
            found = weights_of(name)
            places = {SHIPPED: "ship", made_weights(name).parent: "made here"}
            weights = "--checkpoint" if found is None else places.get(found.parent, "prepared")
            size = f"{float(space.size):.1e}"
            ranges = (f"{macs[0]:.2f}-{macs[1]:.2f}", f"{params[0]:.0f}-{params[1]:.0f}")
            rows.append((name, space.task, len(space.choices), size, len(space.unique_layers()), *ranges, weights))
        if as_json:
            print_json([dict(zip(columns, row)) for row in rows])
        else:
            print_table(columns, rows)
