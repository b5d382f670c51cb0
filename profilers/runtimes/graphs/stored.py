"""A runtime's graph as JSON and, where it is the runtime's own, the model beside it; and back, trusting neither."""

from __future__ import annotations

from dataclasses import asdict
from typing import Any, Dict, Mapping, Optional, Tuple

from .fused_graph import FusedGraph, Primitive

LARGEST_RANK = 64


def graph_to_json(graph: FusedGraph) -> Dict[str, Any]:
    """Return all of a graph but its model."""
    return {
        "is_own": graph.is_own,
        "runtime": graph.runtime,
        "primitives": [asdict(primitive) for primitive in graph.primitives],
        "values": graph.values,
        "added": graph.added,
        "denormal": graph.denormal,
    }


def graph_from_json(told: Mapping[str, Any], asked: bytes, own: Optional[bytes]) -> FusedGraph:
    """Return the graph of ``asked`` of which `graph_to_json` told; ``own`` is the runtime's own model, if it has one.

    Raises ValueError, KeyError, TypeError or AttributeError for anything else.
    """
    is_own = _checked(told["is_own"], bool)
    if is_own != (own is not None):
        raise ValueError("a graph of the runtime's own has a model, and no other has")
    return FusedGraph(
        model=asked if own is None else own,
        is_own=is_own,
        runtime=_checked(told["runtime"], str),
        primitives=tuple(_primitive(one) for one in told["primitives"]),
        values={name: (_checked(dtype, str), _shape(shape)) for name, (dtype, shape) in told["values"].items()},
        added={name: _whole(count) for name, count in told["added"].items()},
        denormal=tuple(_checked(name, str) for name in told["denormal"]),
    )


def _primitive(told: Mapping[str, Any]) -> Primitive:
    return Primitive(
        operator=_checked(told["operator"], str),
        nodes=tuple(_whole(at) for at in told["nodes"]),
        originals=tuple(_checked(name, str) for name in told["originals"]),
        implementation=_checked(told["implementation"], str),
        layout=_checked(told["layout"], str),
        turns=tuple(_whole(one + 1) - 1 for one in told.get("turns", ())),  # -1 is what it gives
    )


def _shape(told: Any) -> Tuple[int, ...]:
    shape = tuple(_whole(size) for size in told)
    if len(shape) > LARGEST_RANK:
        raise ValueError(f"a shape has {len(shape)} sizes; expected {LARGEST_RANK} at most")
    return shape


def _whole(told: Any) -> int:
    if not isinstance(told, int) or isinstance(told, bool) or not 0 <= told < 1 << 48:
        raise ValueError(f"found {told!r}; expected a whole number")
    return told


def _checked(told: Any, kind: type) -> Any:
    if not isinstance(told, kind):
        raise TypeError(f"found {told!r}; expected {kind.__name__}")
    return told
