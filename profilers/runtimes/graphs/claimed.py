"""Nodes for the primitives of runtimes that name those behind most of their primitives, and told by structure else.

A node that no primitive claims, such as a convolution whose batch norm gave the primitive its name, goes with the
primitive of the first node that uses it, or else of the node that it uses. Primitives that share a node are one kernel.
What is computed from constants alone is computed at compilation, and is no kernel.
"""

from __future__ import annotations

from typing import AbstractSet, Dict, List, Mapping, NamedTuple, Optional, Sequence, Set, Tuple

from .fused_graph import Primitive
from .wire import WireNode


class Told(NamedTuple):
    """What a runtime tells of one primitive: `names` are those of the nodes behind it."""

    operator: str
    implementation: str
    layout: str
    names: Tuple[str, ...]


def primitives_of(nodes: Sequence[WireNode], inputs: AbstractSet[str], told: Sequence[Told]) -> Tuple[Primitive, ...]:
    """Return which nodes each primitive computes, in the order of their first ones; every working node is in one."""
    position = {node.name: number for number, node in enumerate(nodes)}
    claimed: Dict[int, int] = {}
    leader = list(range(len(told)))
    for number, one in enumerate(told):
        for name in one.names:
            if name in position:
                first = claimed.setdefault(position[name], number)
                leader[_root(leader, number)] = _root(leader, first)
    groups: Dict[int, List[int]] = {}
    for at, number in _with_unclaimed(nodes, inputs, claimed).items():
        groups.setdefault(_root(leader, number), []).append(at)
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
            )
        )
    return tuple(sorted(found, key=lambda primitive: primitive.nodes))


def _with_unclaimed(nodes: Sequence[WireNode], inputs: AbstractSet[str], claimed: Mapping[int, int]) -> Dict[int, int]:
    """Give the working nodes that nobody claims to the primitive of a user, or else of what they use."""
    made_by = {name: at for at, node in enumerate(nodes) for name in node.outputs if name}
    users: Dict[int, List[int]] = {}
    for at, node in enumerate(nodes):
        for name in node.inputs:
            if name in made_by:
                users.setdefault(made_by[name], []).append(at)
    constant = _constant_nodes(nodes, inputs)
    found = {at: number for at, number in claimed.items() if at not in constant}
    for at in reversed(range(len(nodes))):
        heir = next((found[user] for user in users.get(at, ()) if user in found), None)
        if at not in found and at not in constant and heir is not None:
            found[at] = heir
    for at, node in enumerate(nodes):
        maker: Optional[int] = next((found[made_by[n]] for n in node.inputs if made_by.get(n) in found), None)
        if at not in found and at not in constant and maker is not None:
            found[at] = maker
    return found


def _constant_nodes(nodes: Sequence[WireNode], inputs: AbstractSet[str]) -> Set[int]:
    """Return the nodes that no input of the graph reaches."""
    varying = set(inputs)
    found: Set[int] = set()
    for at, node in enumerate(nodes):
        if varying.isdisjoint(node.inputs) and not node.has_subgraph:
            found.add(at)
        else:
            varying.update(node.outputs)
    return found


def _root(leader: List[int], number: int) -> int:
    while leader[number] != number:
        number = leader[number]
    return number
