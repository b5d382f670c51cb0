"""The front of a run: everything measured, the front with its 90 % bars, and the edge of what it dominates."""

from __future__ import annotations

import numpy as np
from markupsafe import Markup
from numpy.typing import NDArray

from ....search.fronts.notebook import steps
from ....search.problem.objective import Quantity
from ..content.points import View
from .axes import Axes, line_through, scale_of
from .numbers import counted

WIDTH, HEIGHT = 720, 430
LEFT, RIGHT, TOP, BOTTOM = 62, 18, 14, 46
BROKEN = ' class="broken"'  # a constraint


def front_drawing(
    view: View, y: NDArray[np.float64], of_y: Quantity, ids: tuple[str, ...], *, drawn: int, chosen: str | None
) -> Markup:
    """Draw a view of values `y` (n,) with `ids`; of what is not on the front at most `drawn` points.

    Points know their number in `data-i`, and the drawing its scale, so that a script can find both.
    """
    shown = thinned(view.front, drawn)
    ends = [edge[view.front] for edge in (view.low, view.high) if edge is not None]
    x_scale = scale_of(np.concatenate([view.x, *ends]), LEFT, WIDTH - RIGHT)
    axes = Axes(WIDTH, HEIGHT, x_scale, scale_of(y, HEIGHT - BOTTOM, TOP), view.quantity.head, of_y.head)
    dots = [
        f'<circle{"" if view.keeps[i] else BROKEN} data-i="{i}" cx="{axes.x(view.x[i])}" cy="{axes.y(y[i])}"/>'
        for i in np.flatnonzero(shown & ~view.front).tolist()
    ]
    members = np.flatnonzero(view.front)
    members = members[np.argsort(view.x[members], kind="stable")].tolist()
    bars = (
        [bar(axes, i, view.low[i], view.high[i], y[i]) for i in members]
        if view.low is not None and view.high is not None
        else []
    )
    marks = [
        Markup(
            '<circle class="member{}" data-i="{}" cx="{}" cy="{}" r="5" tabindex="{}" role="button" aria-label="{}"/>'
        ).format(
            " chosen" if ids[i] == chosen else "",
            i,
            axes.x(view.x[i]),
            axes.y(y[i]),
            0 if n == 0 else -1,
            f"front member {ids[i]}",
        )
        for n, i in enumerate(members)
    ]
    edge = Markup("")
    if view.is_line and members:
        points = steps(np.column_stack([y[members], view.x[members]]), "min" if view.is_less_better else "max")
        edge = line_through([(axes.x(right), axes.y(up)) for right, up in points], "edge")
    limit = f'<line class="limit" x1="0" x2="0" y1="{TOP}" y2="{HEIGHT - BOTTOM}" hidden="hidden"/>'
    said = f"{of_y.head} against {view.quantity.head}: {counted(len(y), 'network')}, {len(members)} on the front"
    scale = axes.x
    places = {"low": scale.low, "high": scale.high, "start": scale.start, "end": scale.end, "log": int(scale.is_log)}
    extra = " ".join(f'data-{name}="{value:.17g}"' for name, value in places.items())
    return axes.svg(
        ['<g class="dots">', *dots, "</g>", edge, *bars, limit, *marks], said=said, extra=extra, css="chart front"
    )


def bar(axes: Axes, i: int, low: float, high: float, height: float) -> str:
    """Draw where 90 % of a member's latency lies."""
    y = axes.y(height)
    return f'<line class="bar" data-i="{i}" x1="{axes.x(low)}" x2="{axes.x(high)}" y1="{y}" y2="{y}"/>'


def thinned(front: NDArray[np.bool_], drawn: int) -> NDArray[np.bool_]:
    """Return which points to draw, (n,): the whole front, and of the others `drawn`, evenly in their order."""
    others = np.flatnonzero(~front)
    shown = front.copy()
    if len(others):
        shown[others[np.unique(np.linspace(0, len(others) - 1, min(drawn, len(others))).astype(int))]] = True
    return shown
