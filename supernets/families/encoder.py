"""Elastic stacks of encoder layers, as BERT's and the vision transformer's: depth, and each layer's heads and units.

Layers are dropped from the end; heads and hidden units are sliced from the front.
"""

from __future__ import annotations

from dataclasses import dataclass

from ..layers.spec import LayerSpec
from ..space.slot import Choice, Slot


@dataclass(frozen=True, slots=True)
class Encoder:
    """Sizes of a stack; the last of each options is the largest. `norm` is pre or post, as the layer's."""

    width: int
    head_dim: int
    depths: tuple[int, ...]
    heads: tuple[int, ...]
    hidden: tuple[int, ...]
    norm: str
    epsilon_exponent: int
    masked: bool

    @property
    def numbers(self) -> range:
        """Return the layers' numbers."""
        return range(1, self.depths[-1] + 1)

    def choices(self) -> tuple[Choice, ...]:
        """Return the genes: depth, then heads of each layer, then hidden units."""
        return (
            Choice("depth", self.depths),
            *(Choice(f"heads.{number}", self.heads) for number in self.numbers),
            *(Choice(f"ffn.{number}", self.hidden) for number in self.numbers),
        )

    def slots(self, tokens: int, choices: tuple[Choice, ...]) -> tuple[Slot, ...]:
        """Return the slots of the layers, for sequences of so many tokens."""
        return tuple(self.layer_slot(number, tokens, choices) for number in self.numbers)

    def layer_slot(self, number: int, tokens: int, choices: tuple[Choice, ...]) -> Slot:
        """Return the slot of a layer; its depth matters to those that some networks lack alone."""
        depth_gene = ["depth"] if number > self.depths[0] else []

        def layer(heads: int, hidden: int, depth: int = self.depths[-1]) -> LayerSpec | None:
            if number > depth:
                return None
            return LayerSpec.of(
                "encoder_layer",
                (tokens, self.width),
                heads=heads,
                head_dim=self.head_dim,
                ffn=hidden,
                norm=self.norm,
                activation="gelu",
                epsilon_exponent=self.epsilon_exponent,
                masked=int(self.masked),
            )

        return Slot.tabulate(f"layer{number}", choices, [f"heads.{number}", f"ffn.{number}", *depth_gene], layer)
