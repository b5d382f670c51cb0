"""From blocks to slots: what each block holds for every setting of the genes that decide it and what reaches it.

What flows is followed by its name, with its shape for every option of the genes that the shape depends on. So a layer
is known by all that it takes, and the genes of a shape that comes from far away are found as those of the one before.
"""

from __future__ import annotations

import itertools
import math
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

from ..errors import SupernetError
from ..layers.registry import input_dtype, output_shape
from ..layers.spec import LayerSpec, unless_plain
from ..layers.torch_modules import WORD, module_layer
from ..layers.values import INPUT, Input
from ..plugins import closest_hint
from ..space.slot import Choice, Option, Slot
from ..space.space import SearchSpace

if TYPE_CHECKING:
    from torch import nn

Shape = tuple[int, ...]
MOST_SETTINGS = 20_000  # of one block


@dataclass(frozen=True, slots=True)
class ModuleCall:
    """A module class and its arguments, not yet built."""

    module: type[nn.Module]
    arguments: Mapping[str, int | str]


Made = ModuleCall | LayerSpec | None


@dataclass(frozen=True, slots=True)
class Block:
    """A position of the network: `make(shape, *options)` is called with an option of each of `genes`.

    `takes` names the inputs of the network and the earlier blocks whose outputs reach it; without, that of the block
    before does. Where it takes several, `make` is called with their shapes by name instead of one.
    """

    name: str
    genes: tuple[str, ...]
    make: Callable[..., Made]
    takes: tuple[str, ...] = ()


@dataclass(frozen=True)
class ValueTable:
    """What flows at some point of the network, for all options of the genes (positions) that it depends on."""

    genes: tuple[int, ...]
    values: Mapping[tuple[int, ...], Input]

    def at(self, setting: Mapping[int, int]) -> Input:
        """Return what flows where genes have these option indices."""
        return self.values[tuple(setting[gene] for gene in self.genes)]

    def reduced(self) -> ValueTable:
        """Return the table without genes that make no difference."""
        for position in range(len(self.genes)):
            grouped: dict[tuple[int, ...], set[Input]] = {}
            for setting, value in self.values.items():
                grouped.setdefault(setting[:position] + setting[position + 1 :], set()).add(value)
            if all(len(found) == 1 for found in grouped.values()):
                genes = self.genes[:position] + self.genes[position + 1 :]
                return ValueTable(genes, {setting: next(iter(found)) for setting, found in grouped.items()}).reduced()
        return self


def space_from_blocks(
    name: str,
    task: str,
    choices: tuple[Choice, ...],
    blocks: Sequence[Block],
    *,
    inputs: Shape | Mapping[str, Input],
    outputs: tuple[str, ...] = (),
) -> SearchSpace:
    """Return the search space of blocks; `inputs` are named ones, or the shape of one tensor of floats.

    Raises SupernetError, naming the block and what to do.
    """
    of = name.partition(":")[0]
    is_named = isinstance(inputs, Mapping) or bool(outputs) or any(block.takes for block in blocks)
    given = dict(inputs) if isinstance(inputs, Mapping) else {INPUT: Input(inputs)}
    if not given:
        raise SupernetError(f"{of} has no input; expected at least one")
    require_names(of, given if is_named else {}, blocks, outputs)
    tables = {name: ValueTable((), {(): one}) for name, one in given.items()}
    slots: list[Slot] = []
    for position, block in enumerate(blocks):
        takes = block.takes or default_takes(block, blocks[:position], tuple(given))
        require_known(block.name, takes, tuple(tables), [later.name for later in blocks[position:]])
        slot, tables[block.name] = slot_of(block, {one: tables[one] for one in takes}, choices, of, is_named=is_named)
        slots.append(replace(slot, takes=takes) if is_named else slot)
    unused = [c.name for i, c in enumerate(choices) if not any(i in slot.genes for slot in slots)]
    if unused:
        raise SupernetError(f"no block of {of} takes gene {unused[0]!r}; take it as a parameter, or remove it")
    shape = next(iter(given.values())).shape
    if not is_named:
        return SearchSpace(name, task, shape, choices, tuple(slots))
    require_used(of, slots, tuple(given), outputs or (blocks[-1].name,))
    for one in outputs or (blocks[-1].name,):
        if any(value.is_whole for value in tables[one].values.values()):
            raise SupernetError(f"block {one} of {of} is an output and can be an input of whole numbers itself")
    return SearchSpace(name, task, shape, choices, tuple(slots), inputs=tuple(given.items()), outputs=outputs)


def require_names(of: str, inputs: Mapping[str, Input], blocks: Sequence[Block], outputs: tuple[str, ...]) -> None:
    """Raise SupernetError unless every value has a name of its own, and outputs are blocks."""
    for name, one in inputs.items():
        if not WORD.fullmatch(name) or not isinstance(one, Input):
            raise SupernetError(
                f"{of} has the input {name!r}: {one!r}; expected a word in lower case and an Input, as in "
                'inputs = {"user": Input((), "int64", high=1000)}'
            )
    names = [*inputs, *(block.name for block in blocks)]
    twice = [name for name in names if names.count(name) > 1]
    if twice:
        raise SupernetError(f"{of} has two blocks or inputs called {twice[0]!r}; rename one")
    known = [block.name for block in blocks]
    if len(set(outputs)) < len(outputs) or not set(outputs) <= set(known):
        raise SupernetError(
            f"{of} has the outputs {', '.join(outputs)}; expected some of {', '.join(known)}, each once"
        )


def default_takes(block: Block, before: Sequence[Block], inputs: tuple[str, ...]) -> tuple[str, ...]:
    """Return what a block takes that does not say: what the one before gives, or the network's only input."""
    if before:
        return (before[-1].name,)
    if len(inputs) > 1:
        raise SupernetError(
            f"block {block.name} is the first and does not say which of the inputs {', '.join(inputs)} it takes; "
            f'write @block(takes="{inputs[0]}")'
        )
    return inputs


def require_known(block: str, takes: tuple[str, ...], known: tuple[str, ...], later: Sequence[str]) -> None:
    """Raise SupernetError unless all that a block takes is there before it runs."""
    for name in takes:
        if name in known:
            continue
        there = f"it can take {', '.join(known)}"
        if name in later:
            does = "itself" if name == block else f"{name!r}, which runs after it"
            raise SupernetError(f"block {block} takes {does}, and a network has no cycles; {there}")
        absent = f"block {block} takes {name!r}, which is no input and no block"
        raise SupernetError(f"{absent}; {there}{closest_hint(name, known)}")
    if len(set(takes)) < len(takes):
        raise SupernetError(f"block {block} takes {', '.join(takes)}; expected each once")


def require_used(of: str, slots: Sequence[Slot], inputs: tuple[str, ...], outputs: tuple[str, ...]) -> None:
    """Raise SupernetError where no block takes what an input or a block gives, and it is no output."""
    taken = {name for slot in slots for name in slot.takes} | set(outputs)
    for name in (*inputs, *(slot.name for slot in slots)):
        if name not in taken:
            noun = "input" if name in inputs else "what block"
            verb = "" if name in inputs else " gives"
            raise SupernetError(
                f"no block of {of} takes {noun} {name}{verb}; name it in takes=... of a block"
                f"{'' if name in inputs else ' or in outputs'}, or remove it"
            )


def slot_of(
    block: Block, taken: Mapping[str, ValueTable], choices: Sequence[Choice], of: str, *, is_named: bool
) -> tuple[Slot, ValueTable]:
    """Return a block's slot, and what it gives; raises SupernetError, naming block and genes, when it fails."""
    column = {choice.name: index for index, choice in enumerate(choices)}
    unknown = [gene for gene in block.genes if gene not in column]
    if unknown:
        raise SupernetError(f"block {block.name} names gene {unknown[0]!r}; there are {', '.join(column)}")
    genes = tuple(sorted({*(g for table in taken.values() for g in table.genes), *(column[g] for g in block.genes)}))
    radices = tuple(len(choices[gene].options) for gene in genes)
    if math.prod(radices) > MOST_SETTINGS:
        raise SupernetError(
            f"block {block.name} has {math.prod(radices):,} settings, by genes "
            f"{', '.join(choices[gene].name for gene in genes)}; at most {MOST_SETTINGS:,} are sensible. "
            "Fewer genes should decide one block and the shapes that reach it"
        )
    specs: list[LayerSpec | None] = []
    values: dict[tuple[int, ...], Input] = {}
    for indices in itertools.product(*map(range, radices)):
        setting = dict(zip(genes, indices))
        options = [choices[column[gene]].options[setting[column[gene]]] for gene in block.genes]
        reaching = {name: table.at(setting) for name, table in taken.items()}
        try:
            spec = spec_of(block, reaching, options, of, is_named=is_named)
            values[indices] = next(iter(reaching.values())) if spec is None else Input(output_shape(spec))
        except SupernetError as error:
            given = ", ".join(f"{gene}={option}" for gene, option in zip(block.genes, options))
            raise SupernetError(f"block {block.name} ({given or 'no genes'}): {error}") from error
        specs.append(spec)
    return Slot(block.name, genes, radices, tuple(specs)), ValueTable(genes, values).reduced()


def spec_of(
    block: Block, reaching: Mapping[str, Input], options: Sequence[Option], of: str, *, is_named: bool
) -> LayerSpec | None:
    """Return what a block holds at one setting; raises SupernetError for what cannot run on what reaches it."""
    inputs = tuple(reaching.values())
    shapes = {name: one.shape for name, one in reaching.items()}
    made = block.make(inputs[0].shape if len(inputs) == 1 else shapes, *options)
    if isinstance(made, ModuleCall):
        return module_layer(of, made.module, inputs, dict(made.arguments))
    if made is not None and not isinstance(made, LayerSpec):
        raise SupernetError(f"it returned {type(made).__name__}; expected layer(...), a LayerSpec or None")
    if made is None or not is_named:
        return made
    if len(inputs) > 1 or made.input_shape != inputs[0].shape or input_dtype(made) != inputs[0].dtype:
        raise SupernetError(
            f"{made.key} takes one {input_dtype(made)} tensor of {made.input_shape}; "
            f"{', '.join(f'{name} ({one.text})' for name, one in reaching.items())} reaches it"
        )
    return replace(made, inputs=unless_plain(inputs))
