"""Which primitives of a runtime can only be timed together, since apart they would run otherwise than in a network.

Those that hand truth values to each other: runtimes hold these in another type within a graph. And those that take an
image as a convolution lays it, such as pooling and resizing, with that convolution: alone they would take it as a file
has it, and turn it. Not so those that can be written for images that lie so (`layouts.py`).
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import onnx

from ....profilers.runtimes.graphs.claimed import MULTIPLYING
from ....profilers.runtimes.graphs.fused_graph import Primitive
from .kernel import Tensor
from .layouts import LIKE_LAST, can_be_last

TRUTH = "bool"  # numpy's name of the type of truth values


def joined(
    primitives: Sequence[Primitive], nodes: Sequence[onnx.NodeProto], values: Mapping[str, Tensor]
) -> tuple[Primitive, ...]:
    """Return primitives, those as one that cannot be timed apart."""
    maker = {name: at for at, one in enumerate(primitives) for node in one.nodes for name in nodes[node].output}
    group = list(range(len(primitives)))

    def join(first: int, second: int) -> None:
        low, high = sorted((group[first], group[second]))
        group[:] = [low if number == high else number for number in group]

    for at, one in enumerate(primitives):
        taken = [name for node in one.nodes for name in nodes[node].input if maker.get(name, at) != at]
        for name in taken:
            if name in values and values[name].dtype == TRUTH:
                join(maker[name], at)
        is_bound = one.layout == LIKE_LAST and not can_be_last([nodes[node] for node in one.nodes])
        if is_bound and not has(one, nodes, MULTIPLYING):
            for giver in path_to_convolution(at, primitives, nodes, maker):
                join(giver, at)
    return tuple(
        together([one for one, of in zip(primitives, group) if of == number]) if group.count(number) > 1 else first
        for number, first in ((number, primitives[number]) for number in dict.fromkeys(group))
    )


def has(one: Primitive, nodes: Sequence[onnx.NodeProto], operators: frozenset[str]) -> bool:
    """Tell whether a primitive has a node of some operators."""
    return any(nodes[at].op_type in operators for at in one.nodes)


def path_to_convolution(
    at: int, primitives: Sequence[Primitive], nodes: Sequence[onnx.NodeProto], maker: Mapping[str, int]
) -> list[int]:
    """Return the primitives from which one has how its image lies, up to the convolution that chose that; else none."""
    found: list[int] = []
    while True:
        names = (name for node in primitives[at].nodes for name in nodes[node].input)
        givers = [maker[name] for name in names if maker.get(name, at) != at]
        givers = [giver for giver in givers if primitives[giver].layout == LIKE_LAST]
        chosen = next((giver for giver in givers if has(primitives[giver], nodes, MULTIPLYING)), None)
        if chosen is not None:
            return [*found, chosen]
        if not givers:
            return []
        at = givers[0]
        found.append(at)


def together(parts: Sequence[Primitive]) -> Primitive:
    """Return several primitives as one."""
    return Primitive(
        operator="+".join(dict.fromkeys(one.operator for one in parts)),
        nodes=tuple(sorted(node for one in parts for node in one.nodes)),
        originals=tuple(name for one in parts for name in one.originals),
        implementation="+".join(dict.fromkeys(one.implementation for one in parts)),
        layout=parts[-1].layout,
        turns=parts[0].turns,
    )
