"""Nodes for the primitives of runtimes that name those behind most of their primitives, and told by structure else.

A runtime replaces nodes by others, whose names are not the model's. Where such a name comes after those of a
primitive, what it stands for was fused behind them, such as an activation of several nodes behind a convolution: nodes
that nobody claims and that work on that primitive's values alone are in it, up to the next that multiplies. Any other
node without a claim, such as a convolution whose batch norm gave the primitive its name, goes with the primitive of the
first node that uses it, or else of the node that it uses. Primitives that share a node are one kernel. What is computed
from constants and fixed shapes alone is computed at compilation, and is no kernel.
"""

from __future__ import annotations

from typing import AbstractSet, Dict, List, NamedTuple, Optional, Sequence, Set, Tuple

from .fused_graph import Primitive
from .wire import WireNode

OF_SHAPE = ("Shape", "Size")  # operators that tell a value's shape
UNOWNED = -1  # no primitive
MULTIPLYING = frozenset(
    (
        *("Conv", "ConvInteger", "ConvTranspose", "QLinearConv", "MatMul", "MatMulInteger", "QLinearMatMul", "Gemm"),
        *("LSTM", "GRU", "RNN", "Einsum", "Attention"),
    )
)  # operators that a primitive has one of, and that nothing is fused behind others into


class Told(NamedTuple):
    """What a runtime tells of one primitive: `names` are those of the nodes behind it, in their order.

    Names that are none of the model's stand for what the runtime put in the place of some of its nodes. ``own`` is the
    node that the primitive itself is called after, if any: it is no other primitive's, although others may name it.
    """

    operator: str
    implementation: str
    layout: str
    names: Tuple[str, ...]
    own: str = ""
    turns: Tuple[int, ...] = ()


def primitives_of(
    nodes: Sequence[WireNode], inputs: AbstractSet[str], sized: AbstractSet[str], told: Sequence[Told]
) -> Tuple[Primitive, ...]:
    """Return which nodes each primitive computes, in the order of their first ones; every working node is in one.

    ``sized`` are the values whose shapes are fixed: what is computed from these alone is constant.
    """
    position = {node.name: number for number, node in enumerate(nodes)}
    constant = _constant_nodes(nodes, inputs, sized)
    claimed: Dict[int, int] = {}
    called: Dict[str, int] = {}
    for number, one in enumerate(told):
        called.setdefault(one.own, number)
    leader = list(range(len(told)))
    for number, one in enumerate(told):
        for name in (*one.names, one.own):
            if name in position and called.get(name, number) == number:
                first = claimed.setdefault(position[name], number)
                leader[_root(leader, number)] = _root(leader, first)
    owner = {at: _root(leader, number) for at, number in claimed.items() if at not in constant}
    replacing = {
        _root(leader, number) for number, one in enumerate(told) if one.names and one.names[-1] not in position
    }
    _claim_behind(nodes, inputs, constant, owner, replacing)
    _claim_rest(nodes, constant, owner)
    groups: Dict[int, List[int]] = {}
    for at, number in owner.items():
        groups.setdefault(number, []).append(at)
    found = []
    for number, members in groups.items():
        parts = [one for other, one in enumerate(told) if _root(leader, other) == number]
        found.append(
            Primitive(
                operator="+".join(dict.fromkeys(one.operator for one in parts)),
                nodes=tuple(sorted(members)),
                originals=tuple(nodes[at].name for at in sorted(members)),
                implementation="+".join(dict.fromkeys(one.implementation for one in parts)),
                layout=parts[-1].layout,
                turns=tuple(sorted({turn for one in parts for turn in one.turns})),
            )
        )
    return tuple(sorted(found, key=lambda primitive: primitive.nodes))


def _claim_behind(
    nodes: Sequence[WireNode],
    inputs: AbstractSet[str],
    constant: AbstractSet[int],
    owner: Dict[int, int],
    replacing: AbstractSet[int],
) -> None:
    """Give nodes that work on one primitive's values alone to it, where it ends in what the runtime replaced."""
    made_by = {name: at for at, node in enumerate(nodes) for name in node.outputs if name}
    for at, node in enumerate(nodes):
        if at in owner or at in constant or node.operator in MULTIPLYING or node.has_subgraph:
            continue
        makers = {made_by[name] for name in node.inputs if name in made_by} - constant
        owners = {owner.get(maker, UNOWNED) for maker in makers}
        if len(owners) == 1 and owners <= replacing and inputs.isdisjoint(node.inputs):
            owner[at] = owners.pop()


def _claim_rest(nodes: Sequence[WireNode], constant: AbstractSet[int], owner: Dict[int, int]) -> None:
    """Give the working nodes that nobody claims to the primitive of a user, or else of what they use."""
    made_by = {name: at for at, node in enumerate(nodes) for name in node.outputs if name}
    users: Dict[int, List[int]] = {}
    for at, node in enumerate(nodes):
        for name in node.inputs:
            if name in made_by:
                users.setdefault(made_by[name], []).append(at)
    for at in reversed(range(len(nodes))):
        heir = next((owner[user] for user in users.get(at, ()) if user in owner), None)
        if at not in owner and at not in constant and heir is not None:
            owner[at] = heir
    for at, node in enumerate(nodes):
        maker: Optional[int] = next((owner[made_by[n]] for n in node.inputs if made_by.get(n) in owner), None)
        if at not in owner and at not in constant and maker is not None:
            owner[at] = maker


def _constant_nodes(nodes: Sequence[WireNode], inputs: AbstractSet[str], sized: AbstractSet[str]) -> Set[int]:
    """Return the nodes that no input of the graph reaches, but by the shape of a value whose shape is fixed."""
    varying = set(inputs)
    found: Set[int] = set()
    for at, node in enumerate(nodes):
        is_of_shape = node.operator in OF_SHAPE and all(name in sized for name in node.inputs)
        if is_of_shape or (varying.isdisjoint(node.inputs) and not node.has_subgraph):
            found.add(at)
        else:
            varying.update(node.outputs)
    return found


def _root(leader: List[int], number: int) -> int:
    while leader[number] != number:
        number = leader[number]
    return number
