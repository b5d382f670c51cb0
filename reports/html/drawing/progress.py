"""How a run went: hypervolume against cost, and what was expected of each network against what was measured."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from markupsafe import Markup
from numpy.typing import NDArray

from .axes import Axes, line_through, scale_of, titled
from .numbers import number

WIDTH, HEIGHT = 470, 340
LEFT, RIGHT, TOP, BOTTOM = 66, 14, 14, 44


def growth_drawing(
    cost: Sequence[float],
    volume: Sequence[float],
    *,
    budget: float,
    stopped_at: float | None,
    gained_from: float | None,
) -> Markup:
    """Draw hypervolume against cost as steps, the budget, where the run ended, and the patience it ended after."""
    x = scale_of([0.0, budget, *cost], LEFT, WIDTH - RIGHT, zero=True, log=False)
    y = scale_of([*volume], HEIGHT - BOTTOM, TOP, log=False)
    axes = Axes(WIDTH, HEIGHT, x, y, "cost (full validations)", "hypervolume")
    parts: list[str] = []
    if gained_from is not None and stopped_at is not None:
        parts.append(
            f'<rect class="band" x="{x(gained_from)}" y="{TOP}" width="{max(0.0, x(stopped_at) - x(gained_from)):.1f}" '
            f'height="{HEIGHT - TOP - BOTTOM}"/>'
        )
    parts.append(f'<line class="limit" x1="{x(budget)}" x2="{x(budget)}" y1="{TOP}" y2="{HEIGHT - BOTTOM}"/>')
    steps: list[tuple[float, float]] = []
    for at, held in zip(cost, volume):
        if steps:
            steps.append((x(at), steps[-1][1]))
        steps.append((x(at), y(held)))
    if steps:
        end = x(stopped_at) if stopped_at is not None else steps[-1][0]
        parts.append(line_through([*steps, (end, steps[-1][1])], "edge"))
        parts.append(f'<circle class="member" cx="{end}" cy="{steps[-1][1]}" r="4"/>')
    said = f"hypervolume grew to {number(volume[-1])}" if len(volume) else "nothing measured in full yet"
    return axes.svg(parts, said=said)


def expected_drawing(
    means: NDArray[np.float64],
    halves: NDArray[np.float64],
    truth: NDArray[np.float64],
    ids: Sequence[str],
    *,
    head: str,
) -> Markup:
    """Draw measured values, the `truth`, against `means` expected before, on equal scales, (n,) each.

    Intervals of 90 % reach `halves` (n,) either way, 0 where there are none.
    """
    both = np.concatenate([means - halves, means + halves, truth])
    size = 380
    x = scale_of(both, LEFT, LEFT + size - LEFT - RIGHT, log=False)
    y = x.between(size - BOTTOM, TOP)
    axes = Axes(size, size, x, y, f"expected {head}", f"measured {head}")
    parts: list[str] = [f'<line class="diagonal" x1="{x(x.low)}" y1="{y(x.low)}" x2="{x(x.high)}" y2="{y(x.high)}"/>']
    for mean, half, value, id_ in zip(means.tolist(), halves.tolist(), truth.tolist(), ids):
        low, high = max(mean - half, x.low), min(mean + half, x.high)
        outside = abs(mean - value) > half and half > 0
        if half:
            parts.append(f'<line class="bar" x1="{x(low)}" x2="{x(high)}" y1="{y(value)}" y2="{y(value)}"/>')
        shape = f'<circle class="{"outside" if outside else "member"}" cx="{x(mean)}" cy="{y(value)}" r="4"/>'
        parts.append(titled(shape, f"{id_}: expected {number(mean)} ± {number(half)}, measured {number(value)}"))
    return axes.svg(parts, said=f"measured against expected {head} of {len(truth)} networks", css="chart square")
