"""The graph that OpenVINO runs: it names the original nodes behind most of its primitives."""

from __future__ import annotations

from collections import Counter
from typing import Any, Dict, Mapping, Set, Tuple

from .claimed import Told, primitives_of
from .fused_graph import FusedGraph
from .wire import nodes_of

NO_WORK = ("Const", "Input", "Output")  # layer types that compute nothing at run time
ADDED = ("Reorder",)  # those that the runtime adds between two layouts


def graph_from_runtime_model(asked: bytes, read: Any, runtime_model: Any) -> FusedGraph:
    """Return the graph of a compiled model; ``read`` is the model as OpenVINO read it, before compilation."""
    nodes = nodes_of(asked)
    makers = {value: node.name for node in nodes for value in node.outputs if value}
    makers.update((node.name, node.name) for node in nodes)
    told = [_told(operator, makers) for operator in runtime_model.get_ordered_ops()]
    working = [one for one in told if one.operator not in NO_WORK]
    return FusedGraph(
        model=asked,
        is_own=False,
        primitives=primitives_of(nodes, _inputs(read), [one for one in working if one.names]),
        values=_values(read),
        added=Counter(one.operator for one in working if one.operator in ADDED and not one.names),
    )


def _told(operator: Any, makers: Mapping[str, str]) -> Told:
    """Return what is told of one primitive; a node that makes an output of the model goes by that output's name."""
    details = {name: str(value.astype(str)) for name, value in operator.get_rt_info().items()}
    names = tuple(makers.get(name, name) for name in details.get("originalLayersNames", "").split(",") if name)
    kind, implementation = details.get("layerType", operator.get_type_name()), details.get("primitiveType", "")
    return Told(kind, implementation, details.get("outputLayouts", "").partition(",")[0], names)


def _inputs(read: Any) -> Set[str]:
    return {name for port in read.inputs for name in port.get_names()}


def _values(read: Any) -> Dict[str, Tuple[str, Tuple[int, ...]]]:
    found = {}
    for operator in read.get_ordered_ops():
        for port in operator.outputs():
            if port.get_partial_shape().is_static:
                described = (port.get_element_type().to_dtype().name, tuple(port.get_shape()))
                found.update(dict.fromkeys(port.get_names(), described))
    return found
