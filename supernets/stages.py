"""Write a MobileNet-style space as a list of stages; shared by the spaces made of inverted residual blocks."""

from __future__ import annotations

from dataclasses import dataclass

from .layers.spec import LayerSpec
from .space import Choice, Slot

Shape = tuple[int, ...]


def divisible(channels: float, divisor: int = 8) -> int:
    """Round to a multiple of `divisor`, never below 90 % of the value (the MobileNet rule, arXiv 1801.04381)."""
    rounded = max(divisor, int(channels + divisor / 2) // divisor * divisor)
    return rounded + divisor if rounded < 0.9 * channels else rounded


@dataclass(frozen=True, slots=True)
class Stage:
    """Blocks of one resolution: options of the width, depth, kernel and expand genes, and what is fixed.

    A width or a depth with a single option makes no gene.
    """

    widths: tuple[int, ...]
    depths: tuple[int, ...]
    stride: int
    activation: str
    squeeze: bool


@dataclass(frozen=True, slots=True)
class Blocks:
    """What all stages share: kernel and expand options of every block."""

    kernels: tuple[int, ...]
    expands: tuple[int, ...]

    def choices(self, stages: tuple[Stage, ...]) -> tuple[Choice, ...]:
        """Genes in the order kernel (a block), expand (a block), depth and width (a stage where it is elastic)."""
        names = [f"{s + 1}.{b + 1}" for s, stage in enumerate(stages) for b in range(max(stage.depths))]
        depths = [Choice(f"depth.{s + 1}", stage.depths) for s, stage in enumerate(stages) if len(stage.depths) > 1]
        widths = [Choice(f"width.{s + 1}", stage.widths) for s, stage in enumerate(stages) if len(stage.widths) > 1]
        return (
            *(Choice(f"kernel.{name}", self.kernels) for name in names),
            *(Choice(f"expand.{name}", self.expands) for name in names),
            *depths,
            *widths,
        )

    def slots(self, stages: tuple[Stage, ...], choices: tuple[Choice, ...], shape: Shape) -> tuple[Slot, ...]:
        """Return the blocks' slots, given the `shape` (channels, height, width) that enters the first stage."""
        slots: list[Slot] = []
        entering: tuple[tuple[int, ...], str | None] = ((shape[0],), None)
        size = shape[1]
        for number, stage in enumerate(stages, 1):
            leaving = (stage.widths, f"width.{number}" if len(stage.widths) > 1 else None)
            for position in range(1, max(stage.depths) + 1):
                first = position == 1
                slots.append(
                    self._slot(f"{number}.{position}", stage, entering if first else leaving, leaving, size, choices)
                )
                if first:
                    size = -(-size // stage.stride)
            entering = leaving
        return tuple(slots)

    def _slot(
        self,
        name: str,
        stage: Stage,
        entering: tuple[tuple[int, ...], str | None],
        leaving: tuple[tuple[int, ...], str | None],
        size: int,
        choices: tuple[Choice, ...],
    ) -> Slot:
        number, position = name.split(".")
        first = position == "1"
        depth_gene = (f"depth.{number}",) if len(stage.depths) > 1 else ()
        width_genes = tuple(dict.fromkeys(gene for _, gene in (entering, leaving) if gene))

        def layer(kernel: int, expand: int, *rest: int) -> LayerSpec | None:
            chosen = dict(zip((*depth_gene, *width_genes), rest))
            if int(position) > chosen.get(f"depth.{number}", max(stage.depths)):
                return None
            channels = chosen[entering[1]] if entering[1] else entering[0][0]
            out = chosen[leaving[1]] if leaving[1] else leaving[0][0]
            mid = divisible(channels * expand)
            return LayerSpec.of(
                "mbconv",
                (channels, size, size),
                kernel=kernel,
                stride=stage.stride if first else 1,
                mid_channels=mid,
                out_channels=out,
                activation=stage.activation,
                se_channels=divisible(mid // 4) if stage.squeeze else 0,
                residual=0 if first else 1,
            )

        genes = (f"kernel.{name}", f"expand.{name}", *depth_gene, *width_genes)
        return Slot.tabulate(f"block{name}", choices, genes, layer)
