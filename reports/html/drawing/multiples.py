"""Small multiples: how latency depends on one attribute of layers that agree in all others."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from markupsafe import Markup

from .axes import Axes, line_through, scale_of

WIDTH, HEIGHT, LEFT, RIGHT, TOP, BOTTOM = 250, 190, 48, 10, 12, 40


@dataclass(frozen=True, slots=True)
class Panel:
    """Lines of (value of an attribute, latency in microseconds); each is of layers that agree in everything else."""

    kind: str
    attribute: str
    lines: tuple[tuple[tuple[float, float], ...], ...]
    ratio: float  # median latency at the largest value over that at the smallest


def panel_drawing(panel: Panel) -> Markup:
    """Draw a panel: a faint line each."""
    points: Sequence[tuple[float, float]] = [point for line in panel.lines for point in line]
    x = scale_of([value for value, _ in points], LEFT, WIDTH - RIGHT, log=False)
    y = scale_of([us for _, us in points], HEIGHT - BOTTOM, TOP)
    axes = Axes(WIDTH, HEIGHT, x, y, panel.attribute.replace("_", " "), "us, alone")
    parts: list[str] = []
    for line in panel.lines:
        placed = [(x(value), y(us)) for value, us in line]
        parts.append(line_through(placed, "faint"))
        parts += [f'<circle class="small" cx="{a}" cy="{b}" r="2"/>' for a, b in placed]
    return axes.svg(parts, said=f"latency of {panel.kind} against {panel.attribute}", css="chart panel")
