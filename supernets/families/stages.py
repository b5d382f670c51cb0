"""Write a MobileNet-style space as a list of stages; shared by the spaces made of inverted residual blocks."""

from __future__ import annotations

from dataclasses import dataclass

from ..layers.spec import LayerSpec
from ..space.slot import Choice, Slot

Shape = tuple[int, ...]


def divisible(channels: float, divisor: int = 8) -> int:
    """Round to a multiple of `divisor`, never below 90 % of the value (the MobileNet rule, arXiv 1801.04381)."""
    rounded = max(divisor, int(channels + divisor / 2) // divisor * divisor)
    return rounded + divisor if rounded < 0.9 * channels else rounded


@dataclass(frozen=True, slots=True)
class Stage:
    """Blocks of one resolution: options of the width and depth genes, and what is fixed.

    A width or a depth with a single option makes no gene. `kernels` replaces what the stages share; `padding` is an
    attribute of the blocks where it is not symmetric.
    """

    widths: tuple[int, ...]
    depths: tuple[int, ...]
    stride: int
    activation: str
    squeeze: bool
    kernels: tuple[int, ...] = ()
    padding: str = "symmetric"


@dataclass(frozen=True, slots=True)
class Blocks:
    """What all stages share: kernel and expand options of every block. A single option makes no gene."""

    kernels: tuple[int, ...]
    expands: tuple[int, ...]

    def choices(self, stages: tuple[Stage, ...]) -> tuple[Choice, ...]:
        """Genes in the order kernel (a block), expand (a block), depth and width (a stage where it is elastic)."""
        blocks = [(stage, f"{s + 1}.{b + 1}") for s, stage in enumerate(stages) for b in range(max(stage.depths))]
        kernels = [Choice(f"kernel.{name}", self.kernels_of(stage)) for stage, name in blocks]
        expands = [Choice(f"expand.{name}", self.expands) for _, name in blocks]
        depths = [Choice(f"depth.{s + 1}", stage.depths) for s, stage in enumerate(stages) if len(stage.depths) > 1]
        widths = [Choice(f"width.{s + 1}", stage.widths) for s, stage in enumerate(stages) if len(stage.widths) > 1]
        return (
            *(choice for choice in (*kernels, *expands) if len(choice.options) > 1),
            *depths,
            *widths,
        )

    def kernels_of(self, stage: Stage) -> tuple[int, ...]:
        """Return the kernel options of a stage's blocks."""
        return stage.kernels or self.kernels

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
        options = {
            f"kernel.{name}": self.kernels_of(stage),
            f"expand.{name}": self.expands,
            f"depth.{number}": stage.depths,
        }
        width_genes = [gene for _, gene in (entering, leaving) if gene]
        genes = dict.fromkeys([gene for gene, values in options.items() if len(values) > 1] + width_genes)

        def layer(*values: int) -> LayerSpec | None:
            chosen = {gene: max(several) for gene, several in options.items()} | dict(zip(genes, values))
            if int(position) > chosen[f"depth.{number}"]:
                return None
            channels = chosen[entering[1]] if entering[1] else entering[0][0]
            out = chosen[leaving[1]] if leaving[1] else leaving[0][0]
            mid = divisible(channels * chosen[f"expand.{name}"])
            return LayerSpec.of(
                "mbconv",
                (channels, size, size),
                kernel=chosen[f"kernel.{name}"],
                stride=stage.stride if first else 1,
                mid_channels=mid,
                out_channels=out,
                activation=stage.activation,
                se_channels=divisible(mid // 4) if stage.squeeze else 0,
                residual=0 if first else 1,
                **({} if stage.padding == "symmetric" else {"padding": stage.padding}),
            )

        return Slot.tabulate(f"block{name}", choices, list(genes), layer)
