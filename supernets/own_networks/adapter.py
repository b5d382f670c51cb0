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

A network that is no chain names what flows: `inputs` the tensors that it takes, whole numbers among them; `takes` of a
block the inputs and earlier blocks whose outputs its module is called with; `outputs` the blocks whose outputs are the
network's.

    class Recommender(TorchSpace):
        inputs = {"user": Input((), "int64", high=1000), "item": Input((), "int64", high=1700)}
        ...

        @block(takes=("user_tower", "item_tower"))
        def joined(self, shapes, hidden):
            return layer(Joined, user=shapes["user_tower"][0], item=shapes["item_tower"][0], hidden=hidden)
"""

from __future__ import annotations

import inspect
from collections.abc import Callable, Mapping, Sequence
from types import MappingProxyType
from typing import TYPE_CHECKING, Any, overload

from ..errors import SupernetError
from ..layers.torch_modules import WORD
from ..layers.values import Input
from ..space.slot import Choice, Option
from ..space.space import SearchSpace
from .declaration import Block, Made, ModuleCall, Shape, space_from_blocks

if TYPE_CHECKING:
    from torch import nn

__all__ = ["Block", "Input", "TorchSpace", "block", "layer"]

SHAPE, SHAPES = "shape", "shapes"
Method = Callable[..., Made]


def layer(module: type[nn.Module], **arguments: int | str) -> ModuleCall:
    """Say which module runs: arguments are whole numbers, True, False, or words in lower case."""
    return ModuleCall(module, arguments)


@overload
def block(method: Method) -> Method: ...


@overload
def block(*, takes: str | Sequence[str]) -> Callable[[Method], Method]: ...


def block(method: Method | None = None, *, takes: str | Sequence[str] = ()) -> Method | Callable[[Method], Method]:
    """Mark a method as a block of the network; blocks run in the order in which they are written.

    `takes` names inputs of the network and earlier blocks, one or several, that its module is called with in this
    order; without, it takes what the block before gives.
    """

    def mark(method: Method) -> Method:
        method.is_block = True  # type: ignore[attr-defined]
        method.takes = (takes,) if isinstance(takes, str) else tuple(takes)  # type: ignore[attr-defined]
        return method

    return mark if method is None else mark(method)


class TorchSpace:
    """Base of super-networks that are declared in torch.

    `input_shape` is of one tensor of floats and leaves the batch out; or `inputs` names what the network takes, each an
    Input. `outputs` names the blocks whose outputs are the network's; without, it is the last block's. `choices` maps
    genes to options, the smallest first. `ordered` says of genes whether neighbouring options are alike, where that is
    not so of numbers, or is of names. `task` names the data set that sub-networks are judged on, where it is one that
    Gnomon knows. Options of the space are parameters of __init__ with a default.
    """

    input_shape: Shape
    inputs: Mapping[str, Input]
    outputs: Sequence[str] = ()
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
        if hasattr(self, "input_shape") == hasattr(self, "inputs"):
            found = "both input_shape and inputs" if hasattr(self, "inputs") else "neither input_shape nor inputs"
            raise SupernetError(f"{type(self).__name__} has {found}; write one, as in {EXAMPLES['input_shape']}")
        if not hasattr(self, "choices"):
            raise SupernetError(f"{type(self).__name__} has no choices; write {EXAMPLES['choices']}")
        if unknown := [gene for gene in self.ordered if gene not in self.choices]:
            raise SupernetError(f"ordered names {unknown[0]!r}, which is no gene; there are {', '.join(self.choices)}")
        choices = tuple(Choice(gene, tuple(options), self.ordered.get(gene)) for gene, options in self.choices.items())
        blocks = self.blocks()
        if not blocks:
            raise SupernetError(f"{type(self).__name__} has no block; mark methods that return layers with @block")
        inputs = dict(self.inputs) if hasattr(self, "inputs") else tuple(self.input_shape)
        outputs = (self.outputs,) if isinstance(self.outputs, str) else tuple(self.outputs)
        return space_from_blocks(name, self.task, choices, blocks, inputs=inputs, outputs=outputs)

    def _block_of(self, name: str) -> Block:
        method = getattr(self, name)
        genes = {gene.replace(".", "_"): gene for gene in self.choices}
        parameters = list(inspect.signature(method).parameters)
        own = [parameter for parameter in (SHAPE, SHAPES) if parameter not in genes]
        unknown = [parameter for parameter in parameters if parameter not in (*genes, *own)]
        if unknown:
            raise SupernetError(
                f"block {name} takes {unknown[0]!r}, which is no gene; there are {', '.join(genes)}, and {SHAPE}; "
                f"with what earlier blocks give: @block(takes=...) and {SHAPES}"
            )
        taken = tuple(parameter for parameter in parameters if parameter not in own)

        def make(reaching: Shape | Mapping[str, Shape], *options: Option) -> Made:
            shapes = reaching if isinstance(reaching, Mapping) else {SHAPE: reaching}
            known = {SHAPE: next(iter(shapes.values())), SHAPES: shapes}
            given: dict[str, Any] = dict(zip(taken, options))
            return method(**given, **{word: known[word] for word in own if word in parameters})  # type: ignore[no-any-return]

        marked = (vars(kind)[name] for kind in type(self).__mro__ if is_block(vars(kind).get(name)))
        return Block(name, tuple(genes[parameter] for parameter in taken), make, next(marked).takes)


EXAMPLES = {"input_shape": "input_shape = (3, 32, 32)", "choices": 'choices = {"width": (16, 32), "depth": (1, 2, 3)}'}


def is_block(value: object) -> bool:
    """Tell whether a class attribute is marked as a block."""
    return bool(getattr(value, "is_block", False))
