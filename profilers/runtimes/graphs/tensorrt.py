"""The graph that TensorRT runs: its engine inspector names the nodes behind each layer of an engine built with details.

Layers without nodes are conversions that TensorRT adds. One layer may stand for a whole network (Myelin): it is one
kernel then.
"""

from __future__ import annotations

import json
from collections import Counter
from typing import AbstractSet, Any, Dict, List, Mapping, Tuple

from ...errors import GraphUnavailable
from ..nvidia.layers import NODE
from .claimed import Told, primitives_of
from .fused_graph import FusedGraph
from .wire import nodes_of

NO_WORK = ("Constant", "NoOp", "shape_call")  # layer types that run nothing on the GPU

Values = Mapping[str, Tuple[str, Tuple[int, ...]]]


def graph_from_inspector(asked: bytes, inputs: AbstractSet[str], values: Values, information: str) -> FusedGraph:
    """Return the graph of an engine of ``asked``: ``information`` is the inspector's JSON, ``values`` the network's.

    Raises `GraphUnavailable` where the engine kept no details.
    """
    told = [one for one in _layers(information) if one.operator not in NO_WORK]
    if not any(one.names for one in told):
        raise GraphUnavailable(
            "TensorRT's inspector names no node of the model behind any layer of its engine, so its kernels cannot be "
            "told. Time the model itself"
        )
    return FusedGraph(
        model=asked,
        is_own=False,
        primitives=primitives_of(nodes_of(asked), inputs, values.keys(), [one for one in told if one.names]),
        values=dict(values),
        added=Counter(one.operator for one in told if not one.names),
    )


def _layers(information: str) -> List[Told]:
    """Return the layers in the order that they run; none of an inspector's text that is no JSON of layers."""
    try:
        layers = json.loads(information, strict=False)["Layers"]  # names are parted by control characters
    except (ValueError, KeyError, TypeError):
        return []
    return [_told(layer) for layer in layers if isinstance(layer, dict)]


def _told(layer: Mapping[str, Any]) -> Told:
    names = tuple(dict.fromkeys(NODE.findall(str(layer.get("Metadata", "")))))
    outputs: List[Dict[str, Any]] = [one for one in layer.get("Outputs") or () if isinstance(one, dict)]
    layout = str(outputs[0].get("Format/Datatype", outputs[0].get("Format", ""))) if outputs else ""
    return Told(str(layer.get("LayerType", "layer")), str(layer.get("TacticName", "")), layout, names)
