"""The graph that a runtime really runs: which kernels it makes of a model's nodes, and which values flow between them.

Nobody writes fusion rules down here: the runtime is asked. Some runtimes write the graph that they made as a model of
their own; then every node of that model is a kernel. Others name the nodes of the model that each kernel computes; then
these nodes are the kernel. The answer holds for this processor and this version of the runtime.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Mapping, Protocol, Tuple, runtime_checkable

from ...errors import GraphUnavailable, ModelRejected
from ...run_config import RunConfig
from ..backend import Backend
from ..ranges import properties_of

OWN_GRAPH = "gnomon.graph_of"  # the property of a model that a runtime has optimised: which runtime, which version


@dataclass(frozen=True)
class Primitive:
    """A kernel that the runtime runs.

    nodes: positions, in the order of the file, of the nodes of `FusedGraph.model` that it computes.
    originals: names of the asked model's nodes behind it, as far as the runtime tells.
    implementation: the runtime's name of the code that computes it, such as ``brgconv_avx2_f32``; empty if untold.
    layout: how its output lies in memory, such as ``acdb``; empty if untold.
    turns: values that the runtime turns from or to that layout beside it, as far as it tells: the positions of inputs
    among those that are no constants, and -1 for what it gives.
    """

    operator: str
    nodes: Tuple[int, ...]
    originals: Tuple[str, ...] = ()
    implementation: str = ""
    layout: str = ""
    turns: Tuple[int, ...] = ()


@dataclass(frozen=True)
class FusedGraph:
    """What a runtime makes of a model.

    model: ONNX bytes that the primitives' nodes are in: the runtime's own graph, or the model as it was asked about.
    is_own: whether it is the runtime's own graph, which is to be loaded without being optimised once more.
    values: numpy's name of the type and the shape of every value between nodes, as far as the runtime tells.
    runtime: which runtime it is, and its version, as its own graphs are marked.
    denormal: values that hold denormal numbers on the synthetic inputs; processors compute many times slower with them.
    added: primitives that the runtime adds and no node stands for (conversions of layout), by operator: how often.
    """

    model: bytes
    is_own: bool
    primitives: Tuple[Primitive, ...]
    values: Mapping[str, Tuple[str, Tuple[int, ...]]]
    added: Mapping[str, int]
    denormal: Tuple[str, ...] = ()
    runtime: str = ""


@runtime_checkable
class TellsGraph(Protocol):
    """What a backend offers besides when its runtime tells what it makes of a model; it need not."""

    def fused_graph(self, model: bytes, config: RunConfig) -> FusedGraph:
        """Compile ``model``, whose nodes have distinct names, and say what became of it.

        Raises what `Backend.load` raises, and `GraphUnavailable` where this device's graph cannot be told.
        """


def fused_graph_of(backend: Backend, model: bytes, config: RunConfig) -> FusedGraph:
    """Return what the runtime makes of a model; raises `GraphUnavailable` for a backend that does not tell."""
    if not isinstance(backend, TellsGraph):
        raise GraphUnavailable(
            f"The backend {backend.name!r} does not tell which kernels it makes of a model, so no latency can be "
            f"composed for it. Time the model itself, or take onnxruntime or openvino"
        )
    return replace(backend.fused_graph(model, config), runtime=f"{backend.name.partition(':')[0]} {backend.version()}")


def require_own_graph(model: bytes, runtime: str) -> bool:
    """Tell whether a model says that ``runtime`` (name and version) has optimised it already.

    Raises `ModelRejected` where another runtime or version has: its kernels are not this one's.
    """
    owner = properties_of(model).get(OWN_GRAPH, "")
    if owner not in ("", runtime):
        raise ModelRejected(f"the model is a graph that {owner} has optimised; this is {runtime}. Ask this one for its")
    return bool(owner)
