"""`gnomon lut diff`: compare two profiles."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated

import typer

from ...options.common import AsJson
from ...printing.line import print_line
from ...printing.table import print_json, print_table

if TYPE_CHECKING:
    from ....lut.analysis.diff import LayerChange

SHOWN = 20  # changed layers, unless all are asked for
KEY = 110  # characters of a kernel's key that are shown


def register(lut: typer.Typer) -> None:
    """Add the command."""

    @lut.command()
    def diff(
        a: Annotated[str, typer.Argument(help="The earlier profile: a file, or the name of a shipped one.")],
        b: Annotated[str, typer.Argument(help="The later profile; ratios are b / a.")],
        every: Annotated[
            bool, typer.Option("--all", help="List every layer or kernel, not only those that changed.")
        ] = False,
        as_json: AsJson = False,
    ) -> None:
        """Compare two profiles: how their environments differ, then which layers or kernels became slower or faster."""
        from ....lut import diff_sources

        found = diff_sources(a, b)
        if as_json:
            print_json(found.to_json())
            return
        if not found.environment:
            print("the environments agree in every field")
        for difference in found.environment:
            print_line(f"differs  {difference.field}: {difference.a} -> {difference.b}")
        noun = found.noun
        print_line(f"{noun:<8} {found.summary}")
        if found.anchor_ratio is not None:
            print_line(f"anchor   x{found.anchor_ratio:.3f}: one {noun[:-1]}, timed all along both runs")
        if found.caution:
            print_line(f"caution  {found.caution}")
        for name, keys in (("a", found.only_a), ("b", found.only_b)):
            if keys:
                print_line(f"only {name}   {len(keys)} {noun}, first {keys[0][:KEY]}")
        listed = found.ranked if every else found.changed
        shown = listed if every else listed[:SHOWN]
        if shown:
            columns = (noun[:-1], "a us", "b us", "b / a", "95 % interval", "verdict", "deviates")
            print_table(columns, [row_of(layer) for layer in shown])
        if len(shown) < len(listed):
            print_line(f"and {len(listed) - len(shown)} more changed; list all {noun} with --all")


def row_of(layer: LayerChange) -> tuple[object, ...]:
    """Return a layer's line of the table."""
    interval = f"{layer.low:.3f} to {layer.high:.3f}"
    deviates = "from the rest" if layer.specific else ""
    return (layer.key[:KEY], layer.a_us, layer.b_us, f"x{layer.ratio:.3f}", interval, layer.verdict, deviates)
