"""The machine while it was measured: how slow its anchor layer was at each moment, and when the core was shared."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from markupsafe import Markup

from .axes import Axes, scale_of, titled
from .numbers import number

WIDTH, HEIGHT, LEFT, RIGHT, TOP, BOTTOM = 1020, 230, 62, 14, 30, 44
FAR = 3.0  # times slower, from which the axis is logarithmic


@dataclass(frozen=True, slots=True)
class Moment:
    """A visit to the anchor: when, how many times slower than undisturbed, and whether by clean blocks, if known."""

    at_s: float
    slowness: float
    clean: bool | None


def timeline_drawing(
    moments: Sequence[Moment], starts_s: Sequence[float], shared: Sequence[tuple[float, float]]
) -> Markup:
    """Draw moments; `starts_s` are those of sessions; `shared` are (time, share of the probe's readings not clean)."""
    x = scale_of(
        [0.0, *(m.at_s for m in moments), *(at for at, _ in shared)], LEFT, WIDTH - RIGHT, zero=True, log=False
    )
    slowest = max((m.slowness for m in moments), default=1.0)
    y = scale_of([1.0, *(m.slowness for m in moments)], HEIGHT - BOTTOM, TOP, log=slowest > FAR)
    axes = Axes(WIDTH, HEIGHT, x, y, "time since the start (s)", "anchor, times undisturbed")
    parts = [
        f'<line class="session" x1="{x(at)}" x2="{x(at)}" y1="{TOP}" y2="{HEIGHT - BOTTOM}"/>'
        for at in starts_s
        if at > 0
    ]
    parts.append(f'<line class="diagonal" x1="{LEFT}" x2="{WIDTH - RIGHT}" y1="{y(1.0)}" y2="{y(1.0)}"/>')
    if shared:
        wide = (WIDTH - LEFT - RIGHT) / max(1, len(shared))
        for n, (at, share) in enumerate(shared):
            said = f"about {number(at)} s: {share:.0%} of the probe's readings found the core shared"
            place = f'x="{LEFT + n * wide:.1f}" y="8" width="{wide:.1f}" height="12"'
            shape = f'<rect class="share" {place} fill-opacity="{share:.2f}"/>'
            parts.append(titled(shape, said))
        parts.append(f'<rect class="outline" x="{LEFT}" y="8" width="{WIDTH - LEFT - RIGHT}" height="12"/>')
        parts.append(f'<text class="tick" x="{LEFT - 8}" y="18" text-anchor="end">shared</text>')
    for moment in moments:
        css = "dot" if moment.clean is None else "member" if moment.clean else "outside"
        said = f"{number(moment.at_s)} s: x{moment.slowness:.3f}"
        parts.append(titled(f'<circle class="{css}" cx="{x(moment.at_s)}" cy="{y(moment.slowness)}" r="3"/>', said))
    return axes.svg(parts, said=f"speed of the machine at {len(moments)} moments", css="chart wide")
