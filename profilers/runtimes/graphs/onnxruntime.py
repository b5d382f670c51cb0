"""The graph that ONNX Runtime writes: every node of it is a kernel, in the layout that the runtime chose.

The file names few of the original nodes and no shapes. So the graph is run once with all its values as outputs, and a
kernel is told to come from the nodes whose names are in its own.
"""

from __future__ import annotations

import re
from pathlib import Path
from typing import TYPE_CHECKING, Any, Callable, Dict, Iterable, Set, Tuple

import numpy as np

from .fused_graph import FusedGraph, Primitive
from .wire import WireNode, nodes_of, with_outputs

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from ..backend import Executable

    Arrays = Dict[str, NDArray[Any]]

SMALLEST = np.finfo(np.float32).tiny  # of the numbers that are not denormal
DENORMAL_SHARE = 0.001  # of a value's numbers, from which it is told
WORD = re.compile(r"[A-Za-z0-9_.:]+")


def optimised_path(folder: Path) -> Path:
    """Return where in a folder the runtime writes its graph."""
    return folder / "optimised.onnx"


def graph_from_optimised(optimised: bytes, asked: bytes, open_plain: Callable[[bytes], Executable]) -> FusedGraph:
    """Return the graph in the file that the runtime wrote of the model ``asked``.

    ``open_plain`` opens a model without optimising it again.
    """
    nodes = nodes_of(optimised)
    known = {node.name for node in nodes_of(asked) if node.name}
    ran = _ran(optimised, nodes, open_plain)
    return FusedGraph(
        model=optimised,
        is_own=True,
        primitives=tuple(
            Primitive(node.operator, (position,), _originals(node.name, known)) for position, node in enumerate(nodes)
        ),
        values={name: (str(value.dtype), tuple(value.shape)) for name, value in ran.items()},
        added={},
        denormal=tuple(name for name, value in ran.items() if is_denormal(value)),
    )


def _originals(name: str, known: Set[str]) -> Tuple[str, ...]:
    """Return the asked model's nodes that a kernel's name tells, such as n12 in "fused n12/MatMulAddFusion"."""
    if name in known:
        return (name,)
    stems = (word if word in known else word.rpartition("_")[0] for word in WORD.findall(name))
    return tuple(dict.fromkeys(stem for stem in stems if stem in known))


def _ran(optimised: bytes, nodes: Iterable[WireNode], open_plain: Callable[[bytes], Executable]) -> Arrays:
    """Return all values between nodes as they are when the model runs once on its synthetic inputs."""
    with open_plain(optimised) as plain:
        inputs, outputs = dict(plain.inputs), plain.run(dict(plain.inputs))
    inner = [name for node in nodes for name in node.outputs if name and name not in outputs]
    found = {**inputs, **outputs}
    if inner:
        with open_plain(with_outputs(optimised, inner)) as full:
            found.update(full.run(inputs))
    return {name: value for name, value in found.items() if isinstance(value, np.ndarray)}


def is_denormal(value: NDArray[Any]) -> bool:
    """Tell whether some of an array's numbers are so small that their exponent is zero, and they are not."""
    if value.dtype != np.float32 or not value.size:
        return False
    size = np.abs(value)
    return float(np.mean((size > 0) & (size < SMALLEST))) > DENORMAL_SHARE
