"""Fronts of several runs on common axes."""

from __future__ import annotations

from collections.abc import Sequence

from markupsafe import Markup

from .axes import Axes, line_through, scale_of, titled
from .numbers import number
from .text import escaped

WIDTH, HEIGHT, LEFT, RIGHT, TOP, BOTTOM = 720, 400, 62, 18, 14, 46


def fronts_drawing(fronts: Sequence[tuple[str, Sequence[Sequence[float]]]], heads: tuple[str, str]) -> Markup:
    """Draw fronts of (first, second) values, each with a name; `heads` are those of the objectives."""
    every = [values for _, front in fronts for values in front]
    x = scale_of([values[1] for values in every], LEFT, WIDTH - RIGHT)
    y = scale_of([values[0] for values in every], HEIGHT - BOTTOM, TOP)
    axes = Axes(WIDTH, HEIGHT, x, y, heads[1], heads[0])
    parts: list[str] = []
    for n, (name, front) in enumerate(fronts):
        placed = sorted((x(values[1]), y(values[0]), *values) for values in front)
        parts.append(line_through([(a, b) for a, b, *_ in placed], f"edge series{n}"))
        for a, b, up, right in placed:
            shape = f'<circle class="mark series{n}" cx="{a}" cy="{b}" r="4.5"/>'
            parts.append(titled(shape, f"{name}: {number(up)}, {number(right)}"))
        parts.append(f'<circle class="mark series{n}" cx="{LEFT + 14}" cy="{TOP + 12 + 18 * n}" r="4.5"/>')
        parts.append(f'<text class="name" x="{LEFT + 26}" y="{TOP + 16 + 18 * n}">{escaped(name)}</text>')
    return axes.svg(parts, said=f"fronts of {len(fronts)} runs")
