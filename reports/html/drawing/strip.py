"""A network as a strip: one block a layer, as wide as the time it takes, in the colour of the work it does a second."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from markupsafe import Markup

from ....lut.analysis.explain import Explanation
from .axes import drawing
from .numbers import counted, number
from .text import escaped

WIDTH, LABEL, TALL, GAP, FOOT = 1020, 190, 34, 16, 40
SHADES = 6


@dataclass(frozen=True, slots=True)
class Strip:
    """A network's layers under a label, and below it in small what tells it apart."""

    label: str
    detail: str
    explanation: Explanation


def strips_drawing(strips: Sequence[Strip]) -> Markup:
    """Draw networks one below the other on one scale of time."""
    longest = max(max(strip.explanation.value_us, times_of(strip)) for strip in strips)
    fastest = max(layer.gmacs_per_s for strip in strips for layer in strip.explanation.layers) or 1.0
    to_pixels = (WIDTH - LABEL - 70) / longest
    parts = []
    for row, strip in enumerate(strips):
        top, found, left = row * (TALL + GAP) + 4, strip.explanation, float(LABEL)
        parts.append(f'<text class="name" x="0" y="{top + 14}">{escaped(strip.label)}</text>')
        parts.append(f'<text class="tick" x="0" y="{top + 29}">{escaped(strip.detail)}</text>')
        for layer in found.layers:
            wide = max(0.0, layer.contribution_us * to_pixels)
            shade = min(SHADES - 1, int(SHADES * layer.gmacs_per_s / fastest))
            said = (
                f"{layer.slot}: {number(layer.contribution_us)} us, {100 * layer.share:.1f} % of the network, "
                f"{number(layer.gmacs_per_s)} GMAC/s\n{layer.spec.key}"
            )
            parts.append(
                f'<rect class="shade{shade}" x="{left:.1f}" y="{top}" width="{max(0.5, wide - 1):.1f}" height="{TALL}">'
                f"<title>{escaped(said)}</title></rect>"
            )
            if wide > 7.2 * len(layer.slot):
                ink = "on-dark" if shade >= SHADES // 2 else "on-light"
                parts.append(
                    f'<text class="slot {ink}" x="{left + wide / 2:.1f}" y="{top + TALL / 2 + 4}" '
                    f'text-anchor="middle">{escaped(layer.slot)}</text>'
                )
            left += wide
        parts.append(
            f'<text class="value" x="{left + 8:.1f}" y="{top + TALL / 2 + 4}">{number(found.value_us)} us</text>'
        )
    height = len(strips) * (TALL + GAP) + FOOT
    parts.append(legend(fastest, height - 24))
    said = f"layers of {counted(len(strips), 'network')}, as wide as their time"
    return drawing(WIDTH, height, parts, said=said, css="strips")


def times_of(strip: Strip) -> float:
    """Return how wide a strip is: corrections below zero take no place."""
    return sum(max(0.0, layer.contribution_us) for layer in strip.explanation.layers)


def legend(fastest: float, top: float) -> str:
    """Return the key of the colours."""
    wide = 34
    parts = [f'<text class="tick" x="{LABEL}" y="{top + 11}">0</text>']
    parts += [
        f'<rect class="shade{n}" x="{LABEL + 14 + n * wide}" y="{top}" width="{wide - 1}" height="12"/>'
        for n in range(SHADES)
    ]
    parts.append(
        f'<text class="tick" x="{LABEL + 20 + SHADES * wide}" y="{top + 11}">{number(fastest)} GMAC/s, alone</text>'
    )
    return "".join(parts)
