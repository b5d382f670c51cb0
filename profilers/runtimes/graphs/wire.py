"""Nodes of an ONNX file, and further outputs for it, without the onnx package: devices do not have it.

A file is a protocol buffer. Two copies of its graph are read as one graph that has the fields of both, so what is
appended to a file is added to its graph.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Iterable, List, Tuple

from ...errors import ModelRejected
from ..ranges import fields_of

GRAPH, NODE, OUTPUT = 7, 1, 12  # fields of a model, and of its graph
NAME_OF_VALUE = 1  # field of an output
INPUTS, OUTPUTS, NAME, OPERATOR, ATTRIBUTE = 1, 2, 3, 4, 5  # fields of a node
SUBGRAPHS = (6, 11)  # fields of an attribute
BYTES = 2  # the kind of a field that holds bytes


@dataclass(frozen=True)
class WireNode:
    """A node of a graph; an input or output that is left out is an empty name."""

    name: str
    operator: str
    inputs: Tuple[str, ...]
    outputs: Tuple[str, ...]
    has_subgraph: bool = False


def nodes_of(model: bytes) -> Tuple[WireNode, ...]:
    """Return the nodes of a model's graph in the file's order; raises `ModelRejected` for bytes that are no model."""
    found: List[WireNode] = []
    try:
        for number, graph in fields_of(memoryview(model)):
            if number == GRAPH and isinstance(graph, memoryview):
                for inner, node in fields_of(graph):
                    if inner == NODE and isinstance(node, memoryview):
                        found.append(_node(node))
    except (IndexError, ValueError) as exc:
        raise ModelRejected(f"the bytes are no ONNX model: {exc or 'they end too early'}") from exc
    return tuple(found)


def with_outputs(model: bytes, names: Iterable[str]) -> bytes:
    """Return the model with the values ``names`` as further outputs, whose types the runtime finds itself."""
    values = b"".join(_field(OUTPUT, _field(NAME_OF_VALUE, name.encode("utf-8"))) for name in names)
    return model + _field(GRAPH, values)


def _node(message: memoryview) -> WireNode:
    fields = [(number, value) for number, value in fields_of(message) if isinstance(value, memoryview)]

    def of(wanted: int) -> Tuple[str, ...]:
        return tuple(bytes(value).decode("utf-8") for number, value in fields if number == wanted)

    attributes = [value for number, value in fields if number == ATTRIBUTE]
    has_subgraph = any(number in SUBGRAPHS for attribute in attributes for number, _ in fields_of(attribute))
    return WireNode("".join(of(NAME)[-1:]), "".join(of(OPERATOR)[-1:]), of(INPUTS), of(OUTPUTS), has_subgraph)


def _field(number: int, content: bytes) -> bytes:
    return _varint(number << 3 | BYTES) + _varint(len(content)) + content


def _varint(value: int) -> bytes:
    encoded = bytearray()
    while value > 0x7F:
        encoded.append(value & 0x7F | 0x80)
        value >>= 7
    encoded.append(value)
    return bytes(encoded)
