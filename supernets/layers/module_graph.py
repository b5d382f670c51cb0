"""A torch module as ONNX nodes: exported by torch, and put into the graph under construction.

The export is torch's TorchScript-based one, which needs no other package and writes opset 17 and IR 8, as our own
emitters do; batch norm comes folded. What it makes of synthetic weights is kept in the user's cache, by everything that
decides it.
"""

from __future__ import annotations

import contextlib
import hashlib
import io
import warnings
from collections.abc import Mapping
from functools import lru_cache
from pathlib import Path
from typing import TYPE_CHECKING, Any, cast

import numpy as np
from numpy.typing import NDArray

from ...temporary import replacing
from ..errors import CheckpointMismatch, SupernetError
from .spec import LayerSpec
from .torch_modules import build_module, example_inputs, said
from .values import INPUT, OUTPUT, input_names

if TYPE_CHECKING:
    from torch import nn

    from .graph_builder import GraphBuilder

OPSET = 17


def emit_module(graph: GraphBuilder, x: str, spec: LayerSpec) -> str:
    """Append the nodes of a layer of kind `module` and return the name of its output; raises SupernetError.

    Its weights are the graph's, under the names of the module's state dict, or drawn from a seed where it has none.
    """
    import onnx

    if graph.weights is None:
        content = synthetic_export(spec, graph.batch)
    else:
        content = export_module(spec, with_weights(build_module(spec), graph.weights, spec), graph.batch)
    values = {INPUT: x}
    for name, one in list(zip(input_names(len(spec.all_inputs)), spec.all_inputs))[1:]:
        values[name] = graph.side(name, one.shape, one.dtype, one.range)
    return append_graph(graph, onnx.load_from_string(content).graph, values, spec)


def with_weights(module: nn.Module, weights: Mapping[str, NDArray[np.float32]], spec: LayerSpec) -> nn.Module:
    """Copy arrays into a module; raises CheckpointMismatch for one that is absent or of another shape."""
    import torch

    state = module.state_dict()
    for name, tensor in state.items():
        if not tensor.is_floating_point():
            continue
        found = weights.get(name)
        if found is None or found.shape != tuple(tensor.shape):
            raise CheckpointMismatch(
                f"weight {name} of {spec.key} has shape {None if found is None else found.shape}, "
                f"the module needs {tuple(tensor.shape)}",
                tensor=name,
            )
        state[name] = torch.from_numpy(np.ascontiguousarray(found))
    module.load_state_dict(state)
    return module


def export_module(spec: LayerSpec, module: nn.Module, batch: int) -> bytes:
    """Return the module as an ONNX model for inputs of a fixed batch; raises SupernetError when torch cannot."""
    import torch

    buffer = io.BytesIO()
    examples = example_inputs(spec, batch)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # that the exporter is deprecated, and that Python's branches become fixed
        try:
            torch.onnx.export(
                module,
                examples,
                cast(Any, buffer),  # the annotation is that of the other exporter
                dynamo=False,
                opset_version=OPSET,
                input_names=list(input_names(len(examples))),
                output_names=[OUTPUT],
            )
        except Exception as error:
            raise SupernetError(
                f"torch cannot export layer {spec.key} as ONNX: {said(error)}; write it with operators of opset {OPSET}"
            ) from error
    return buffer.getvalue()


@lru_cache(maxsize=512)
def synthetic_export(spec: LayerSpec, batch: int) -> bytes:
    """Return the layer with weights drawn from a seed, from the cache where it was exported before."""
    import torch

    module = build_module(spec)
    shapes = [(name, tuple(tensor.shape)) for name, tensor in module.state_dict().items()]
    content = repr((spec.key, batch, OPSET, torch.__version__, repr(module), shapes))
    path = cache_folder() / f"{hashlib.sha256(content.encode()).hexdigest()[:32]}.onnx"
    kept = read_model(path)
    if kept is not None:
        return kept
    exported = export_module(spec, module, batch)
    write_model(path, exported)
    return exported


def cache_folder() -> Path:
    """Return the folder of exported modules in the user's cache."""
    from platformdirs import user_cache_path

    return user_cache_path("gnomon") / "modules"


def read_model(path: Path) -> bytes | None:
    """Return a kept model, or None where there is none that can be read."""
    import onnx

    try:
        content = path.read_bytes()
        onnx.checker.check_model(content)
    except Exception:  # whatever is wrong with a cached file, it is made again
        return None
    return content


def write_model(path: Path, content: bytes) -> None:
    """Keep a model; a cache that cannot be written is done without."""
    with contextlib.suppress(OSError):
        path.parent.mkdir(parents=True, exist_ok=True)
        with replacing(path) as file:
            file.write(content)


def append_graph(graph: GraphBuilder, part: Any, values: Mapping[str, str], spec: LayerSpec) -> str:
    """Append the nodes and weights of an ONNX graph with one output, renamed not to clash; `values` are its inputs."""
    place = f"{graph.prefix}.{spec.text('name')}{len(graph.nodes)}"
    names = {"": "", **values}

    def renamed(name: str) -> str:
        return names.setdefault(name, f"{place}.{name}")

    for weight in part.initializer:
        weight.name = renamed(weight.name)
        graph.initializers.append(weight)
    for number, node in enumerate(part.node):
        if any(attribute.HasField("g") or attribute.graphs for attribute in node.attribute):
            raise SupernetError(
                f"layer {spec.key} has control flow that depends on its input ({node.op_type}); "
                "decide in __init__ instead, by the layer's arguments"
            )
        node.input[:] = [renamed(name) for name in node.input]
        node.output[:] = [renamed(name) for name in node.output]
        node.name = f"{place}.{node.op_type.lower()}{number}"
        graph.nodes.append(node)
    return graph.node("Identity", [renamed(part.output[0].name)])
