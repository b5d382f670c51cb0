"""Bring your own super-network: blocks of plain torch, declared in one class, become a search space.

    class Digits(TorchSpace):
        input_shape = (1, 28, 28)
        choices = {"width": (8, 16), "depth": (1, 2)}

        @block
        def stem(self, shape, width):
            return layer(Stem, channels=shape[0], width=width)

        @block
        def second(self, shape, depth):
            return layer(Body, width=shape[0]) if depth >= 2 else None

A block is a position of the network. The parameters of its method are the genes that decide it (a dot in a gene's name
is written as an underscore) and `shape`, if it wants it: what reaches it, without batch. It returns a module class with
arguments, a LayerSpec of a kind that Gnomon knows, or None where nothing runs. Networks of many blocks list them in
`blocks` instead. Which genes the shapes depend on is found out; nothing is built or exported until it is timed.
"""

from __future__ import annotations

import inspect
import itertools
import math
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from types import MappingProxyType
from typing import TYPE_CHECKING, Any

from .errors import SupernetError
from .layers.registry import output_shape
from .layers.spec import LayerSpec
from .modules import WORD, module_layer
from .slot import Choice, Option, Slot
from .space import SearchSpace

if TYPE_CHECKING:
    from torch import nn

Shape = tuple[int, ...]
SHAPE = "shape"
MOST_SETTINGS = 20_000  # of one block


@dataclass(frozen=True, slots=True)
class ModuleCall:
    """A module class and its arguments, not yet built."""

    module: type[nn.Module]
    arguments: Mapping[str, int | str]


def layer(module: type[nn.Module], **arguments: int | str) -> ModuleCall:
    """Say which module runs: arguments are whole numbers, True, False, or words in lower case."""
    return ModuleCall(module, arguments)


Made = ModuleCall | LayerSpec | None


@dataclass(frozen=True, slots=True)
class Block:
    """A position of the network: `make(shape, *options)` is called with an option of each of `genes`."""

    name: str
    genes: tuple[str, ...]
    make: Callable[..., Made]


def block(method: Callable[..., Made]) -> Callable[..., Made]:
    """Mark a method as a block of the network; blocks run in the order in which they are written."""
    method.is_block = True  # type: ignore[attr-defined]
    return method


class TorchSpace:
    """Base of super-networks that are declared in torch.

    `input_shape` leaves the batch out; `choices` maps genes to options, the smallest first. `ordered` says of genes
    whether neighbouring options are alike, where that is not so of numbers, or is of names. `task` names the data set
    that sub-networks are judged on, where it is one that Gnomon knows. Options of the space are parameters of __init__
    with a default.
    """

    input_shape: Shape
    choices: Mapping[str, Sequence[Option]]
    ordered: Mapping[str, bool] = MappingProxyType({})
    task: str = "none"

    def blocks(self) -> Sequence[Block]:
        """Return the positions of the network in order: the methods marked with @block, unless overridden."""
        marked = [
            name for kind in reversed(type(self).__mro__) for name, value in vars(kind).items() if is_block(value)
        ]
        return [self._block_of(name) for name in dict.fromkeys(marked)]

    def space(self, name: str) -> SearchSpace:
        """Return the search space under a name, which may carry options; raises SupernetError, naming the block."""
        of = name.partition(":")[0]
        if not WORD.fullmatch(of):
            raise SupernetError(f"a super-network cannot be called {of!r}: expected a word in lower case, as my_net")
        for attribute in ("input_shape", "choices"):
            if not hasattr(self, attribute):
                raise SupernetError(f"{type(self).__name__} has no {attribute}; write {EXAMPLES[attribute]}")
        if unknown := [gene for gene in self.ordered if gene not in self.choices]:
            raise SupernetError(f"ordered names {unknown[0]!r}, which is no gene; there are {', '.join(self.choices)}")
        choices = tuple(Choice(gene, tuple(options), self.ordered.get(gene)) for gene, options in self.choices.items())
        shapes, slots = ShapeTable((), {(): tuple(self.input_shape)}), []
        for position in self.blocks():
            slot, shapes = slot_after(position, shapes, choices, of)
            slots.append(slot)
        if not slots:
            raise SupernetError(f"{type(self).__name__} has no block; mark methods that return layers with @block")
        unused = [c.name for i, c in enumerate(choices) if not any(i in slot.genes for slot in slots)]
        if unused:
            raise SupernetError(f"no block of {of} takes gene {unused[0]!r}; take it as a parameter, or remove it")
        return SearchSpace(name, self.task, tuple(self.input_shape), choices, tuple(slots))

    def _block_of(self, name: str) -> Block:
        method = getattr(self, name)
        genes = {gene.replace(".", "_"): gene for gene in self.choices}
        parameters = list(inspect.signature(method).parameters)
        unknown = [parameter for parameter in parameters if parameter not in (*genes, SHAPE)]
        if unknown:
            raise SupernetError(
                f"block {name} takes {unknown[0]!r}, which is no gene; there are {', '.join(genes)}, and {SHAPE}"
            )
        taken = tuple(parameter for parameter in parameters if parameter != SHAPE)

        def make(shape: Shape, *options: Option) -> Made:
            given: dict[str, Any] = dict(zip(taken, options))
            return method(**given, **({SHAPE: shape} if SHAPE in parameters else {}))  # type: ignore[no-any-return]

        return Block(name, tuple(genes[parameter] for parameter in taken), make)


EXAMPLES = {"input_shape": "input_shape = (3, 32, 32)", "choices": 'choices = {"width": (16, 32), "depth": (1, 2, 3)}'}


def is_block(value: object) -> bool:
    """Tell whether a class attribute is marked as a block."""
    return bool(getattr(value, "is_block", False))


@dataclass(frozen=True)
class ShapeTable:
    """The shape at some point of the network, for all options of the genes (positions) that it depends on."""

    genes: tuple[int, ...]
    shapes: Mapping[tuple[int, ...], Shape]

    def at(self, setting: Mapping[int, int]) -> Shape:
        """Return the shape where genes have these option indices."""
        return self.shapes[tuple(setting[gene] for gene in self.genes)]

    def reduced(self) -> ShapeTable:
        """Return the table without genes that make no difference."""
        for position in range(len(self.genes)):
            grouped: dict[tuple[int, ...], set[Shape]] = {}
            for setting, shape in self.shapes.items():
                grouped.setdefault(setting[:position] + setting[position + 1 :], set()).add(shape)
            if all(len(found) == 1 for found in grouped.values()):
                genes = self.genes[:position] + self.genes[position + 1 :]
                return ShapeTable(genes, {setting: next(iter(found)) for setting, found in grouped.items()}).reduced()
        return self


def slot_after(position: Block, before: ShapeTable, choices: Sequence[Choice], of: str) -> tuple[Slot, ShapeTable]:
    """Return a block's slot, and the shapes after it; raises SupernetError, naming block and genes, when it fails."""
    column = {choice.name: index for index, choice in enumerate(choices)}
    unknown = [gene for gene in position.genes if gene not in column]
    if unknown:
        raise SupernetError(f"block {position.name} names gene {unknown[0]!r}; there are {', '.join(column)}")
    genes = tuple(sorted({*before.genes, *(column[gene] for gene in position.genes)}))
    radices = tuple(len(choices[gene].options) for gene in genes)
    if math.prod(radices) > MOST_SETTINGS:
        raise SupernetError(
            f"block {position.name} has {math.prod(radices):,} settings, by genes "
            f"{', '.join(choices[gene].name for gene in genes)}; at most {MOST_SETTINGS:,} are sensible. "
            "Fewer genes should decide one block and the shape that reaches it"
        )
    specs: list[LayerSpec | None] = []
    shapes: dict[tuple[int, ...], Shape] = {}
    for indices in itertools.product(*map(range, radices)):
        setting = dict(zip(genes, indices))
        options = [choices[column[gene]].options[setting[column[gene]]] for gene in position.genes]
        shape = before.at(setting)
        try:
            made = position.make(shape, *options)
            spec = module_layer(of, made.module, shape, dict(made.arguments)) if isinstance(made, ModuleCall) else made
            if spec is not None and not isinstance(spec, LayerSpec):
                raise SupernetError(f"it returned {type(made).__name__}; expected layer(...), a LayerSpec or None")
            shapes[indices] = shape if spec is None else output_shape(spec)
        except SupernetError as error:
            given = ", ".join(f"{gene}={option}" for gene, option in zip(position.genes, options))
            raise SupernetError(f"block {position.name} ({given or 'no genes'}): {error}") from error
        specs.append(spec)
    return Slot(position.name, genes, radices, tuple(specs)), ShapeTable(genes, shapes).reduced()
