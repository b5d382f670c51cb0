"""Genes: how often each option is taken on the front, beside how often it was measured at all."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from markupsafe import Markup

from .axes import drawing
from .text import escaped

WIDTH, HEIGHT, FLOOR, TOP = 132, 92, 62, 18

OF = {"all": "what was measured", "front": "the front"}


@dataclass(frozen=True, slots=True)
class GeneUse:
    """The options of a gene, and the share of networks that take each: on the front, and of all that were measured."""

    name: str
    options: tuple[str, ...]
    on_front: tuple[float, ...]
    measured: tuple[float, ...]

    @property
    def shift(self) -> float:
        """How differently the front chooses: the share of its networks that would have to choose otherwise."""
        return sum(abs(a - b) for a, b in zip(self.on_front, self.measured)) / 2


def gene_drawing(gene: GeneUse) -> Markup:
    """Draw a pair of bars an option: grey for what was measured, in colour for the front."""
    slot = (WIDTH - 8) / len(gene.options)
    wide = min(16.0, slot * 0.36)
    parts = []
    for n, (option, front, measured) in enumerate(zip(gene.options, gene.on_front, gene.measured)):
        middle = 4 + slot * (n + 0.5)
        for css, share, left in (("all", measured, middle - wide - 0.5), ("front", front, middle + 0.5)):
            tall = share * (FLOOR - TOP)
            parts.append(
                f'<rect class="{css}" x="{left:.1f}" y="{FLOOR - tall:.1f}" width="{wide:.1f}" height="{tall:.1f}">'
                f"<title>{escaped(option)}: {share:.0%} of {OF[css]}</title></rect>"
            )
        if slot > 9 * max(1, len(option)) * 0.62 or n in (0, len(gene.options) - 1):
            parts.append(
                f'<text class="tick" x="{middle:.1f}" y="{FLOOR + 14}" text-anchor="middle">{escaped(option)}</text>'
            )
    parts.append(f'<line class="axis" x1="4" x2="{WIDTH - 4}" y1="{FLOOR}" y2="{FLOOR}"/>')
    parts.append(f'<text class="name" x="4" y="{HEIGHT - 2}">{escaped(gene.name[:22])}</text>')
    return drawing(WIDTH, HEIGHT, parts, said=f"gene {gene.name}", css="gene")


def most_telling(genes: Sequence[GeneUse], most: int) -> list[GeneUse]:
    """Return the genes that the front chooses most differently, the strongest first."""
    return sorted(genes, key=lambda gene: -gene.shift)[:most]
