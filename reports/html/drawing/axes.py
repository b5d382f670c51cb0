"""Axes: from values to pixels, round ticks with their labels, and the frame that a drawing stands in.

Colours and fonts are classes of the page's style sheet, so that a drawing is light, dark or printed as the page is.
"""

from __future__ import annotations

import math
from collections.abc import Iterable, Sequence
from dataclasses import dataclass

import numpy as np
from markupsafe import Markup

from .numbers import short
from .text import escaped, shown, trusted

WIDE = 30.0  # a range of values that spans more than this factor is drawn on a logarithmic axis
MARGIN = 0.04  # of an axis, beyond its values at each end


@dataclass(frozen=True, slots=True)
class Scale:
    """Places of values between two pixels; `ticks` are the values that are labelled."""

    low: float
    high: float
    start: float
    end: float
    ticks: tuple[float, ...]
    is_log: bool = False

    def __call__(self, value: float) -> float:
        """Return the pixel of a value."""
        if self.is_log:
            share = math.log(max(value, 1e-300) / self.low) / math.log(self.high / self.low)
        else:
            share = (value - self.low) / (self.high - self.low)
        return round(self.start + share * (self.end - self.start), 1)

    def between(self, start: float, end: float) -> Scale:
        """Return the same scale between other pixels."""
        return Scale(self.low, self.high, start, end, self.ticks, self.is_log)


def scale_of(
    values: Iterable[float], start: float, end: float, *, log: bool | None = None, zero: bool = False
) -> Scale:
    """Return a scale that holds `values`; with `zero` it begins there.

    It is logarithmic where all are positive and far apart, unless `log` says.
    """
    finite = np.array([value for value in values if math.isfinite(value)], dtype=np.float64)
    if not len(finite):
        finite = np.array([0.0, 1.0])
    low, high = float(finite.min()), float(finite.max())
    if zero:
        low, high = min(low, 0.0), max(high, 0.0)
    is_log = low > 0 and high / low > WIDE if log is None else log and low > 0
    if is_log:
        room = (high / low) ** MARGIN if high > low else 1.5
        low, high = low / room, high * room
        return Scale(low, high, start, end, log_ticks(low, high), True)
    room = MARGIN * (high - low) or 0.1 * abs(high) or 1.0
    low, high = low - (0 if zero and low == 0 else room), high + room
    return Scale(low, high, start, end, even_ticks(low, high))


def even_ticks(low: float, high: float, about: int = 6) -> tuple[float, ...]:
    """Return some round values between two, evenly spaced."""
    raw = (high - low) / about
    power = 10.0 ** math.floor(math.log10(raw))
    step = next(factor * power for factor in (1, 2, 2.5, 5, 10) if factor * power >= 0.999 * raw)
    first, last = math.ceil(low / step - 1e-9), math.floor(high / step + 1e-9)
    return tuple(float(f"{n * step:.12g}") for n in range(first, last + 1))


def log_ticks(low: float, high: float) -> tuple[float, ...]:
    """Return round values between two positive ones: each power of ten, and its double and fivefold.

    Where these are too few to read a value by, round values are evenly spaced.
    """
    powers = range(math.floor(math.log10(low)), math.ceil(math.log10(high)) + 1)
    steps = (1, 2, 5) if high / low < 2e3 else (1,)
    found = tuple(step * 10.0**power for power in powers for step in steps if low <= step * 10.0**power <= high)
    return found if len(found) > 2 else even_ticks(low, high)


@dataclass(frozen=True, slots=True)
class Axes:
    """A drawing of `width` by `height` pixels with a horizontal and a vertical scale."""

    width: int
    height: int
    x: Scale
    y: Scale
    x_label: str = ""
    y_label: str = ""

    def frame(self) -> Markup:
        """Return grid, ticks and labels."""
        x, y = self.x, self.y
        parts = [
            Markup(
                '<line class="grid" x1="{}" x2="{}" y1="{}" y2="{}"/><text class="tick" x="{}" y="{}" {}>{}</text>'
            ).format(x.start, x.end, y(v), y(v), x.start - 8, y(v) + 3.5, Markup('text-anchor="end"'), short(v))
            for v in y.ticks
        ]
        parts += [
            Markup(
                '<line class="grid" x1="{}" x2="{}" y1="{}" y2="{}"/><text class="tick" x="{}" y="{}" {}>{}</text>'
            ).format(x(v), x(v), y.start, y.end, x(v), y.start + 16, Markup('text-anchor="middle"'), short(v))
            for v in kept_apart(x)
        ]
        middle = (y.start + y.end) / 2
        parts.append(
            Markup(
                '<text class="label" x="{}" y="{}" text-anchor="middle">{}</text>'
                '<text class="label" transform="translate(13 {}) rotate(-90)" text-anchor="middle">{}</text>'
            ).format((x.start + x.end) / 2, self.height - 6, shown(self.x_label), middle, shown(self.y_label))
        )
        return Markup("").join(parts)

    def svg(self, parts: Sequence[str], *, said: str, extra: str = "", css: str = "chart") -> Markup:
        """Return the drawing with its frame below `parts`; `said` describes it for those who do not see it."""
        return drawing(self.width, self.height, [self.frame(), *parts], said=said, extra=extra, css=css)


def kept_apart(scale: Scale, least: float = 34.0) -> list[float]:
    """Return the ticks of a horizontal scale whose labels do not touch each other."""
    kept: list[float] = []
    for tick in scale.ticks:
        if not kept or abs(scale(tick) - scale(kept[-1])) >= least:
            kept.append(tick)
    return kept


def drawing(width: int, height: int, parts: Sequence[str], *, said: str, extra: str = "", css: str = "chart") -> Markup:
    """Return an SVG of `parts`, which are markup; `extra` are attributes, written by us."""
    return Markup('<svg class="{}" width="{}" viewBox="0 0 {} {}" role="img" aria-label="{}" {}>{}</svg>').format(
        css, width, width, height, shown(said), trusted(extra), trusted("".join(parts))
    )


def titled(shape: str, said: str) -> Markup:
    """Return a shape, which is markup that ends in "/>", with a title that browsers show beside the pointer."""
    tag = shape[1:].partition(" ")[0]
    return trusted(f"{shape.removesuffix('/>')}><title>{escaped(said)}</title></{tag}>")


def line_through(points: Iterable[tuple[float, float]], css: str) -> Markup:
    """Return a line through pixels."""
    return Markup('<polyline class="{}" points="{}"/>').format(css, " ".join(f"{x:.1f},{y:.1f}" for x, y in points))
