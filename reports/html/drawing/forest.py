"""A forest plot: the ratio of each layer between two profiles, with its 95 % interval, the largest change first."""

from __future__ import annotations

from collections.abc import Sequence

from markupsafe import Markup

from ....lut.analysis.diff import LayerChange
from .axes import drawing, kept_apart, scale_of, titled
from .text import escaped

WIDTH, LABEL, ROW, TOP, FOOT = 1020, 490, 18, 8, 44
LONGEST = 66  # characters of a layer's name


def forest_drawing(layers: Sequence[LayerChange], *, median: float) -> Markup:
    """Draw ratios b / a on a logarithmic axis, and the median over all layers."""
    scale = scale_of([1.0, *(end for layer in layers for end in (layer.low, layer.high))], LABEL, WIDTH - 60, log=True)
    bottom = TOP + ROW * len(layers)
    names = told_apart([layer.key for layer in layers])
    parts = [
        f'<line class="grid" x1="{scale(v)}" x2="{scale(v)}" y1="{TOP}" y2="{bottom}"/>'
        f'<text class="tick" x="{scale(v)}" y="{bottom + 16}" text-anchor="middle">x{v:g}</text>'
        for v in kept_apart(scale, 44)
    ]
    parts.append(f'<line class="diagonal" x1="{scale(1)}" x2="{scale(1)}" y1="{TOP}" y2="{bottom}"/>')
    parts.append(f'<line class="limit" x1="{scale(median)}" x2="{scale(median)}" y1="{TOP}" y2="{bottom}"/>')
    for n, layer in enumerate(layers):
        y = TOP + ROW * (n + 0.5)
        key = names[n] if len(names[n]) <= LONGEST else f"{names[n][: LONGEST - 1]}…"
        css = {"slower": "outside", "faster": "member"}.get(layer.verdict, "dot")
        said = f"{layer.key}: x{layer.ratio:.3f} ({layer.low:.3f} to {layer.high:.3f}), {layer.verdict}"
        parts.append(f'<text class="tick" x="{LABEL - 10}" y="{y + 3.5}" text-anchor="end">{escaped(key)}</text>')
        parts.append(f'<line class="bar" x1="{scale(layer.low)}" x2="{scale(layer.high)}" y1="{y}" y2="{y}"/>')
        parts.append(titled(f'<circle class="{css}" cx="{scale(layer.ratio)}" cy="{y}" r="4"/>', said))
        parts.append(f'<text class="tick" x="{WIDTH - 52}" y="{y + 3.5}">x{layer.ratio:.3f}</text>')
    middle = (LABEL + WIDTH - 60) / 2
    said = "second profile / first, 95 % interval"
    parts.append(f'<text class="label" x="{middle}" y="{bottom + 36}" text-anchor="middle">{said}</text>')
    return drawing(
        WIDTH, bottom + FOOT, parts, said=f"ratios of {len(layers)} layers between two profiles", css="chart forest"
    )


def told_apart(keys: Sequence[str]) -> list[str]:
    """Return layers' keys in short: without what all layers of their kind here have in common."""
    words = [key.removesuffix(")").replace("(", ",").split(",") for key in keys]
    common = {
        kind: set.intersection(*(set(rest) for first, *rest in words if first == kind))
        for kind in {w[0] for w in words}
    }
    return [" ".join([kind, *(one for one in rest if one not in common[kind])]) for kind, *rest in words]
