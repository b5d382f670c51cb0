"""Torch modules as layers: which class a layer names, and what can be known of a module before it is exported.

A layer of kind `module` names the super-network that its class was declared by, the class, the class's arguments, and a
digest of the source file it stands in: another version of the code is another layer, whose latency is not yet known.
Comments and blank lines do not count; neither does what the file imports.
"""

from __future__ import annotations

import hashlib
import inspect
import math
import re
from collections.abc import Callable
from dataclasses import dataclass
from functools import lru_cache
from typing import TYPE_CHECKING, Any

from ..errors import SupernetError
from .spec import LayerSpec, Scalar, unless_plain
from .values import Input

if TYPE_CHECKING:
    from torch import Tensor, nn

KIND = "module"
RESERVED = ("name", "of", "source")  # attributes of a layer that are no arguments of its class
WORD = re.compile(r"[a-z][a-z0-9_]*")
Name = tuple[str, str, str]  # super-network, class in lower case, digest of the source
DECLARED: dict[Name, type[Any]] = {}  # filled when a space is declared
DECLARERS: list[Callable[[str], None]] = []  # declare the space of a name, where there is one: the registry of spaces
SHOWN = 200  # characters of a module's own error


@dataclass(frozen=True, slots=True)
class ModuleFacts:
    """What a module does to its inputs: output shape without batch, MACs, parameters, and its tensors' shapes."""

    output_shape: tuple[int, ...]
    macs: int
    params: int
    state: tuple[tuple[str, tuple[int, ...]], ...]


def module_layer(of: str, module: type[nn.Module], inputs: tuple[Input, ...], arguments: dict[str, Any]) -> LayerSpec:
    """Return the layer that `module(**arguments)` is on `inputs`, and remember the class.

    Raises SupernetError for arguments that no layer key can hold.
    """
    for name, value in arguments.items():
        is_number = isinstance(value, int) and value >= 0
        is_word = isinstance(value, str) and WORD.fullmatch(value)
        if name in RESERVED or not WORD.fullmatch(name) or not (is_number or is_word):
            raise SupernetError(
                f"{module.__name__}({name}={value!r}) cannot be a layer: an argument is a whole number from 0 on, "
                f"True, False, or a word in lower case, and its name is none of {', '.join(RESERVED)}"
            )
    name, source = module.__name__.lower(), source_digest(module)  # type: ignore[arg-type]
    other = DECLARED.setdefault((of, name, source), module)
    if other.__qualname__ != module.__qualname__:
        raise SupernetError(f"{of} has two module classes called {name} in lower case; rename one")
    DECLARED[of, name, source] = module
    attributes = {key: int(value) if isinstance(value, int) else value for key, value in arguments.items()}
    attributes |= {"name": name, "of": of, "source": source}
    return LayerSpec(KIND, inputs[0].shape, tuple(sorted(attributes.items())), unless_plain(inputs))


@lru_cache(maxsize=256)
def source_digest(module: type) -> str:
    """Return a word that changes when the source file of a class does, comments and blank lines aside."""
    try:
        text = inspect.getsource(inspect.getmodule(module) or module)
    except (OSError, TypeError):
        try:
            text = inspect.getsource(module)
        except (OSError, TypeError) as error:
            raise SupernetError(
                f"the source of {module.__name__} cannot be read ({error}); put the class into a file, for latencies "
                "are kept under a digest of it"
            ) from error
    lines = [line.rstrip() for line in text.splitlines()]
    kept = "\n".join(line for line in lines if line and not line.lstrip().startswith("#"))
    return "h" + hashlib.sha256(kept.encode()).hexdigest()[:8]  # a letter first: digits alone would read as a number


def class_of(spec: LayerSpec) -> type[nn.Module]:
    """Return the class that a layer of kind `module` names; raises SupernetError when it is not there, or changed."""
    of, name, source = (spec.text(attribute) for attribute in ("of", "name", "source"))
    if (of, name, source) not in DECLARED:
        for declare in DECLARERS:
            declare(of)
    if (of, name, source) in DECLARED:
        return DECLARED[of, name, source]
    others = [known for known in DECLARED if known[:2] == (of, name)]
    if others:
        raise SupernetError(
            f"layer {spec.key} was made from another version of {inspect.getsourcefile(DECLARED[others[-1]])}, which "
            f"is now {others[-1][2]}; profile the space again"
        )
    raise SupernetError(
        f"layer {spec.key} is module {name!r} of super-network {of!r}, which is not here; install its package, "
        "or import the file that declares it"
    )


def arguments_of(spec: LayerSpec) -> dict[str, Scalar]:
    """Return the arguments of the layer's class."""
    return {name: value for name, value in spec.attributes if name not in RESERVED}


def build_module(spec: LayerSpec, seed: int = 0) -> nn.Module:
    """Return the layer's module in evaluation mode, its weights drawn from `seed`; raises SupernetError."""
    import torch

    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(seed)
        try:
            return class_of(spec)(**arguments_of(spec)).eval()
        except SupernetError:
            raise
        except Exception as error:
            raise SupernetError(f"layer {spec.key} cannot be built: {said(error)}{advice_on(error)}") from error


@lru_cache(maxsize=16384)
def facts_of(spec: LayerSpec) -> ModuleFacts:
    """Run the layer's module once without computing (on torch's meta device), and say what it does.

    MACs are those that torch's counter knows: convolutions, matrix products, attention. Raises SupernetError.
    """
    import torch
    from torch.utils.flop_counter import FlopCounterMode

    problems = []
    for device in ("meta", "cpu"):  # not all that runs on a CPU is known to the meta device
        counter = FlopCounterMode(display=False)
        try:
            with torch.device(device):
                module, examples = build_module(spec), example_inputs(spec, 1)
            with torch.no_grad(), counter:
                output = module(*examples)
        except SupernetError:
            raise
        except Exception as error:
            problems.append(said(error) + advice_on(error))
            continue
        if not isinstance(output, torch.Tensor) or output.shape[:1] != (1,) or output.dtype is not torch.float32:
            raise SupernetError(
                f"layer {spec.key} gives {described(output)}; expected one tensor of float32 whose first axis is the "
                "batch. A block that has several results is several blocks: any can take what an earlier one gives"
            )
        params = sum(math.prod(parameter.shape) for parameter in module.parameters())
        state = tuple((name, tuple(t.shape)) for name, t in module.state_dict().items() if t.is_floating_point())
        return ModuleFacts(tuple(output.shape[1:]), counter.get_total_flops() // 2, params, state)
    taken = " and ".join(one.text if one.is_whole else str(one.shape) for one in spec.all_inputs)
    raise SupernetError(f"layer {spec.key} cannot run on an input of {taken}: {problems[-1]}")


def example_inputs(spec: LayerSpec, batch: int, *, high: bool = False) -> tuple[Tensor, ...]:
    """Return inputs of a layer, zeros or the least whole numbers; the largest ones with `high`."""
    import torch

    found = []
    for one in spec.all_inputs:
        least, end = one.range or (0, 1)
        found.append(torch.full((batch, *one.shape), end - 1 if high else least, dtype=getattr(torch, one.dtype)))
    return tuple(found)


def described(output: object) -> str:
    """Say what a module gave, in a few words."""
    import torch

    if not isinstance(output, torch.Tensor):
        return type(output).__name__
    return f"{str(output.dtype).removeprefix('torch.')} {tuple(output.shape)} for a batch of one"


ADVICE = {  # a part of a module's own error, and what to do about it
    "num_groups": "groups must divide the width in every setting, so make each width a multiple of them, or take the "
    "number of groups as an argument",
    "indices": 'declare an input of whole numbers as inputs = {"ids": Input(shape, "int64", high=...)}',
    "index out of range": "a table needs a row for every whole number below the input's high",
}


def advice_on(error: Exception) -> str:
    """Return what to do about what a module raised, after a semicolon; nothing where that is not known."""
    return next((f"; {advice}" for part, advice in ADVICE.items() if part in str(error)), "")


def said(error: Exception) -> str:
    """Return the first line of what a module raised."""
    return f"{type(error).__name__}: {str(error).splitlines()[0][:SHOWN] if str(error) else 'no message'}"
