"""Names for nodes: a runtime tells which nodes a kernel stands for by their names, so each gets its own."""

from __future__ import annotations

import onnx


def named(model: bytes) -> bytes:
    """Return the model with its nodes named by their positions, n0, n1 and so on."""
    loaded = onnx.load_from_string(model)
    name_nodes(loaded)
    content: bytes = loaded.SerializeToString()
    return content


def name_nodes(model: onnx.ModelProto) -> tuple[str, ...]:
    """Name the nodes of a model by their positions, and return what they were called before."""
    before = []
    for position, node in enumerate(model.graph.node):
        before.append(node.name)
        node.name = f"n{position}"
    return tuple(before)
