"""Predicted against measured latency of whole networks, on equal scales."""

from __future__ import annotations

from collections.abc import Sequence

from markupsafe import Markup

from .axes import Axes, scale_of, titled
from .numbers import number

SIZE, LEFT, RIGHT, TOP, BOTTOM = 430, 62, 14, 14, 46
BAND_PERCENT = 5.0


def fidelity_drawing(
    measured: Sequence[float],
    predicted: Sequence[float],
    summed: Sequence[float] | None,
    ids: Sequence[str],
    *,
    noise_percent: float | None,
) -> Markup:
    """Draw networks by measured and predicted latency, with a band of 5 % and one of the repeats' noise.

    Rings are the plain sums of the layers, where there are layers.
    """
    everything = [*measured, *predicted, *(summed or ())]
    x = scale_of(everything, LEFT, SIZE - RIGHT)
    y = x.between(SIZE - BOTTOM, TOP)
    axes = Axes(SIZE, SIZE, x, y, "measured latency (us)", "predicted latency (us)")
    parts: list[str] = [band(axes, BAND_PERCENT, "band")]
    if noise_percent is not None:
        parts.append(band(axes, noise_percent, "noise"))
    parts.append(f'<line class="diagonal" x1="{x(x.low)}" y1="{y(x.low)}" x2="{x(x.high)}" y2="{y(x.high)}"/>')
    for value, us in zip(measured, summed or ()):
        parts.append(f'<circle class="ring" cx="{x(value)}" cy="{y(us)}" r="3.5"/>')
    for value, us, id_ in zip(measured, predicted, ids):
        said = f"{id_}: predicted {number(us)} us, measured {number(value)} us, {100 * (us / value - 1):+.1f} %"
        parts.append(titled(f'<circle class="member" cx="{x(value)}" cy="{y(us)}" r="4"/>', said))
    return axes.svg(parts, said=f"predicted against measured latency of {len(measured)} networks", css="chart square")


def band(axes: Axes, percent: float, css: str) -> str:
    """Draw where a prediction is within so many percent of the truth."""
    x, y = axes.x, axes.y
    share = percent / 100
    steps = 60
    values = [x.low + (x.high - x.low) * n / steps for n in range(steps + 1)]
    upper = [(x(v), y(min(v * (1 + share), x.high))) for v in values]
    lower = [(x(v), y(max(v * (1 - share), x.low))) for v in reversed(values)]
    points = " ".join(f"{a},{b}" for a, b in upper + lower)
    return f'<polygon class="{css}" points="{points}"/>'
