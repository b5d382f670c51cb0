"""TensorRT's own account of an engine's layers: how long each takes, and which of the model's nodes it executes."""

from __future__ import annotations

import json
import re
from types import ModuleType
from typing import Any, Dict, List, Mapping, Tuple

from ..backend import OperatorTime

NODE = re.compile(r"\[ONNX Layer: ([^\]]*)\]")  # in a layer's metadata, one for each node fused into it
UNKNOWN: Tuple[str, Tuple[str, ...]] = ("layer", ())  # kind and nodes where the inspector tells neither


def layer_times(runtime: ModuleType) -> Any:
    """Return a profiler of TensorRT's own kind; its ``times_ms`` collects each layer's times, in order of execution."""
    base: Any = runtime.IProfiler

    class LayerTimes(base):  # type: ignore[misc]  # the base class exists only once TensorRT is imported
        def __init__(self) -> None:
            base.__init__(self)  # its makers want the base initialised by name
            self.times_ms: Dict[str, List[float]] = {}

        def report_layer_time(self, layer_name: str, ms: float) -> None:
            self.times_ms.setdefault(layer_name, []).append(ms)

    return LayerTimes()


def operators_from_layers(
    times_ms: Mapping[str, List[float]], information: str, *, inferences: int
) -> Tuple[OperatorTime, ...]:
    """Return layers as operators: ``times_ms`` over some inferences, and the engine inspector's JSON ``information``.

    Layers that took no time that TensorRT can tell are left out.
    """
    known = layers_from_inspector(information)
    return tuple(
        OperatorTime(name, kind, sum(taken) * 1e3 / inferences, nodes)
        for name, taken, (kind, nodes) in ((name, taken, known.get(name, UNKNOWN)) for name, taken in times_ms.items())
        if sum(taken) > 0
    )


def layers_from_inspector(information: str) -> Dict[str, Tuple[str, Tuple[str, ...]]]:
    """Return each layer's kind and nodes; a layer of an engine that kept only names is in none of them."""
    try:
        layers = json.loads(information, strict=False)["Layers"]  # names are parted by control characters
    except (ValueError, KeyError, TypeError):
        return {}
    return {
        str(layer["Name"]): (
            str(layer.get("LayerType", "layer")),
            tuple(dict.fromkeys(NODE.findall(str(layer.get("Metadata", ""))))),
        )
        for layer in layers
        if isinstance(layer, dict) and "Name" in layer
    }
