"""`gnomon spaces`: super-networks that can be searched."""

from __future__ import annotations

import typer

from ..options.common import AsJson
from ..printing.progress import say
from ..printing.table import print_json, print_table


def register(app: typer.Typer) -> None:
    """Add the verb."""

    @app.command()
    def spaces(as_json: AsJson = False) -> None:
        """List the search spaces: settings of their genes, different sub-networks, and the range of these."""
        from ...supernets.checkpoints.own_files import weights_of
        from ...supernets.errors import PluginBroken
        from ...supernets.registry import SPACES, load_space, space_names
        from ...supernets.space.counting import distinct_networks
        from ...supernets.weight_files import SHIPPED, made_weights

        columns = ("space", "task", "genes", "settings", "networks", "layers", "mmacs", "kparams", "weights")
        rows: list[tuple[object, ...]] = []
        for name in space_names():
            try:
                with SPACES.blaming(name):
                    space = load_space(name)
                    ends = [[0] * len(space.choices), list(space.radices - 1)]
                    macs, params = space.macs(ends) / 1e6, space.params(ends) / 1e3
            except PluginBroken as error:
                say(f"left out: {error}")
                continue
            found = weights_of(name)
            places = {SHIPPED: "ship", made_weights(name).parent: "made here"}
            weights = "--checkpoint" if found is None else places.get(found.parent, "prepared")
            size = f"{float(space.size):.1e}"
            ranges = (f"{macs[0]:.2f}-{macs[1]:.2f}", f"{params[0]:.0f}-{params[1]:.0f}")
            networks = distinct_networks(space)
            count: object = {"value": networks.value, "exact": networks.is_exact} if as_json else str(networks)
            rows.append(
                (name, space.task, len(space.choices), size, count, len(space.unique_layers()), *ranges, weights)
            )
        if as_json:
            print_json([dict(zip(columns, row)) for row in rows])
        else:
            print_table(columns, rows)
            print(
                "settings: what the genes can be set to; networks: the different sub-networks among these, as genes of "
                "what is left out decide nothing"
            )
