"""What TensorRT's inspector tells of an engine becomes a graph; the inspector's text is scripted."""

import json
from types import SimpleNamespace

import pytest

from gnomon.profilers import RunConfig
from gnomon.profilers.errors import GraphUnavailable
from gnomon.profilers.runtimes.graphs.fused_graph import fused_graph_of
from gnomon.profilers.runtimes.graphs.tensorrt import graph_from_inspector
from gnomon.profilers.testing import AFFINE_SHAPE, affine_model

VALUES = dict.fromkeys(("x", "xw", "z", "y"), ("float32", AFFINE_SHAPE))
NODES = ("layer00.matmul0", "layer00.add1", "layer00.relu2")


def layer(name, *nodes, kind="gemm", tactic="sm80_xmma"):
    return {
        "Name": name,
        "LayerType": kind,
        "TacticName": tactic,
        "Metadata": "\x1e".join(f"[ONNX Layer: {node}]" for node in nodes),
        "Outputs": [{"Name": "y", "Format/Datatype": "Row major linear FP32"}],
    }


def told(*layers):
    return json.dumps({"Layers": layers}).replace("\\u001e", "\x1e")  # as TensorRT writes it


def test_fused_layers_are_kernels_and_conversions_are_added():
    information = told(layer("Reformat 0", kind="Reformat"), layer("matmul+add", *NODES[:2]), layer("act", NODES[2]))
    graph = graph_from_inspector(affine_model(), {"x"}, VALUES, information)
    assert [one.nodes for one in graph.primitives] == [(0, 1), (2,)]
    assert graph.primitives[0].originals == NODES[:2]
    assert (graph.primitives[0].implementation, graph.primitives[0].layout) == ("sm80_xmma", "Row major linear FP32")
    assert graph.added == {"Reformat": 1}
    assert not graph.is_own
    assert graph.model == affine_model()


def test_a_layer_that_hides_the_whole_network_is_one_kernel():
    graph = graph_from_inspector(affine_model(), {"x"}, VALUES, told(layer("{ForeignNode}", *NODES, kind="Myelin")))
    assert [(one.operator, one.nodes) for one in graph.primitives] == [("Myelin", (0, 1, 2))]


@pytest.mark.parametrize("information", ['{"Layers": ["matmul", "act"]}', "no JSON", told(layer("a"))])
def test_an_engine_without_details_is_said_to_tell_nothing(information):
    with pytest.raises(GraphUnavailable, match="names no node"):
        graph_from_inspector(affine_model(), {"x"}, VALUES, information)


def test_the_backend_asks_its_engine(library, make_backend, scripted):
    class Engine(scripted.Engine):
        def create_engine_inspector(self):
            return SimpleNamespace(get_engine_information=lambda kind: told(layer("all", *NODES, kind="kgen")))

    backend = make_backend(library, engine=Engine(library))
    graph = fused_graph_of(backend, affine_model(), RunConfig("gpu"))
    assert [one.nodes for one in graph.primitives] == [(0, 1, 2)]
    assert graph.values["x"] == ("float32", AFFINE_SHAPE)
    assert graph.runtime == "tensorrt 11.0"
