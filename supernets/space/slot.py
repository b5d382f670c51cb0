"""What a search space is written with: choices, parts, and slots, which hold a layer for every setting of few genes."""

from __future__ import annotations

import itertools
from collections.abc import Callable, Sequence
from dataclasses import dataclass

from ..layers.spec import LayerSpec

Option = int | float | str


@dataclass(frozen=True, slots=True)
class Choice:
    """A gene: its name, the options it can take, and whether these are in an order that means something.

    Unless it is said, numbers are ordered and names are not: nothing is learnt from the position of a name.
    """

    name: str
    options: tuple[Option, ...]
    ordered: bool | None = None

    @property
    def is_ordered(self) -> bool:
        """Whether neighbouring options are more alike than distant ones."""
        if self.ordered is not None:
            return self.ordered
        return not any(isinstance(option, str) for option in self.options)


@dataclass(frozen=True, slots=True)
class Part:
    """A model of its own within the network, and how often it runs for one input."""

    name: str
    runs: int = 1


WHOLE = (Part("model"),)  # of a network that is one model


@dataclass(frozen=True, slots=True)
class Slot:
    """A position of the network and the layer it holds.

    `genes` are positions in the space's choices; `specs` lists the layer (None: nothing runs) for every combination
    of their options, the last gene varying fastest. `part` is the position of the space's part that it belongs to.
    `takes` names what reaches the layer: inputs of the network, and slots before it, whose outputs go by their names.
    Without, it takes what the slot before gives. A slot in which nothing runs gives what it takes first.
    """

    name: str
    genes: tuple[int, ...]
    radices: tuple[int, ...]
    specs: tuple[LayerSpec | None, ...]
    part: int = 0
    takes: tuple[str, ...] = ()

    @staticmethod
    def tabulate(
        name: str,
        choices: Sequence[Choice],
        genes: Sequence[str],
        layer: Callable[..., LayerSpec | None],
        *,
        part: int = 0,
    ) -> Slot:
        """Build a slot by calling `layer` with every combination of the named genes' options."""
        position = {choice.name: index for index, choice in enumerate(choices)}
        columns = tuple(position[gene] for gene in genes)
        options = [choices[column].options for column in columns]
        specs = tuple(layer(*values) for values in itertools.product(*options))
        return Slot(name, columns, tuple(len(values) for values in options), specs, part)

    def spec(self, indices: Sequence[int]) -> LayerSpec | None:
        """Return the layer that an architecture's `indices` (d) put here."""
        code = 0
        for gene, radix in zip(self.genes, self.radices):
            code = code * radix + indices[gene]
        return self.specs[code]
