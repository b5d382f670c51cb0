"""The graph that OpenVINO runs: it names the original nodes behind most of its primitives."""

from __future__ import annotations

from collections import Counter
from typing import Any, Dict, Mapping, Sequence, Set, Tuple

from .claimed import Told, primitives_of
from .fused_graph import FusedGraph
from .wire import nodes_of

NO_WORK = ("Const", "Input", "Output")  # layer types that compute nothing at run time
CHOOSING = ("Convolution", "Deconvolution")  # those that choose the layout of images
NO_MOVE = "_fake"  # ends the names of conversions that take the memory as it is
ADDED = ("Reorder",)  # those that the runtime adds between two layouts


def graph_from_runtime_model(asked: bytes, read: Any, runtime_model: Any) -> FusedGraph:
    """Return the graph of a compiled model; ``read`` is the model as OpenVINO read it, before compilation."""
    nodes = nodes_of(asked)
    makers = {value: node.name for node in nodes for value in node.outputs if value}
    makers.update((node.name, node.name) for node in nodes)
    operators = runtime_model.get_ordered_ops()
    turns, beside = _turns(operators)
    told = [_told(operator, makers, turns) for operator in operators]
    working = [one for one in told if one.operator not in NO_WORK]
    values = _values(read)
    return FusedGraph(
        model=asked,
        is_own=False,
        primitives=primitives_of(nodes, _inputs(read), values.keys(), [one for one in working if one.names]),
        values=values,
        added=beside,
    )


def _turns(operators: Sequence[Any]) -> Tuple[Dict[str, Tuple[int, ...]], Dict[str, int]]:
    """Return which values are turned beside each operator that chooses its layout, and how many elsewhere.

    A value is turned before a convolution that takes it, or else behind the one that gives it: -1.
    """
    found: Dict[str, Set[int]] = {}
    beside: Dict[str, int] = Counter()
    for operator in operators:
        details = _details(operator)
        if details.get("layerType") not in ADDED or not _moves(operator, details):
            continue
        taker = next(iter(operator.output(0).get_target_inputs()), None)
        giver = operator.input_value(0).get_node()
        if taker is not None and _details(taker.get_node()).get("layerType") in CHOOSING:
            found.setdefault(taker.get_node().get_friendly_name(), set()).add(_varying_position(taker))
        elif _details(giver).get("layerType") in CHOOSING:
            found.setdefault(giver.get_friendly_name(), set()).add(-1)
        else:
            beside[str(details["layerType"])] += 1
    return {name: tuple(sorted(positions)) for name, positions in found.items()}, dict(beside)


def _varying_position(port: Any) -> int:
    """Return the position of an input among those of its operator that are no constants."""
    before = (port.get_node().input_value(at).get_node() for at in range(port.get_index()))
    return sum(_details(one).get("layerType") != "Const" for one in before)


def _moves(operator: Any, details: Mapping[str, str]) -> bool:
    """Tell whether a conversion moves numbers: not where it is marked as none, nor of values with one long side."""
    sides = [size for size in operator.get_output_shape(0) if size > 1]
    return not operator.get_friendly_name().endswith(NO_MOVE) and len(sides) > 1


def _details(operator: Any) -> Dict[str, str]:
    """Return what the runtime says of an operator."""
    return {name: str(value.astype(str)) for name, value in operator.get_rt_info().items()}


def _told(operator: Any, makers: Mapping[str, str], turns: Mapping[str, Tuple[int, ...]]) -> Told:
    """Return what is told of one primitive; a node that makes an output of the model goes by that output's name."""
    details = _details(operator)
    names = tuple(makers.get(name, name) for name in details.get("originalLayersNames", "").split(",") if name)
    kind, implementation = details.get("layerType", operator.get_type_name()), details.get("primitiveType", "")
    own, layout = makers.get(operator.get_friendly_name(), ""), details.get("outputLayouts", "").partition(",")[0]
    return Told(kind, implementation, layout, names, own, turns.get(operator.get_friendly_name(), ()))


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
