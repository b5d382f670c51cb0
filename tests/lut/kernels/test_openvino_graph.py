"""What OpenVINO tells of a graph: nodes that make an output go by its name, and values that it drops are not told."""

import pytest
from onnx import TensorProto, helper

from gnomon.lut.kernels.graph.cutting import kernels_of
from gnomon.lut.kernels.graph.named import named
from gnomon.profilers import RunConfig, load_backend
from gnomon.profilers.runtimes.graphs.fused_graph import fused_graph_of

pytest.importorskip("openvino", exc_type=ImportError)


def told(nodes, inputs, outputs):
    values = [helper.make_tensor_value_info(name, TensorProto.FLOAT, [1, 8, 6, 6]) for name in inputs]
    graph = helper.make_graph(nodes, "g", values, [helper.make_empty_tensor_value_info(name) for name in outputs])
    model = helper.make_model(graph, opset_imports=[helper.make_opsetid("", 17)], ir_version=8)
    return fused_graph_of(load_backend("openvino"), named(model.SerializeToString()), RunConfig())


def test_nodes_that_make_outputs_are_kernels_of_their_own():
    nodes = [helper.make_node("Tanh", ["a"], ["y"]), helper.make_node("Softmax", ["b"], ["z"])]
    assert {one.originals for one in told(nodes, ["a", "b"], ["y", "z"]).primitives} == {("n0",), ("n1",)}


def test_a_node_that_is_dropped_does_not_keep_its_neighbour_from_being_timed():
    nodes = [
        helper.make_node("MaxPool", ["a"], ["p"], kernel_shape=[2, 2]),
        helper.make_node("Dropout", ["p"], ["d"]),
        helper.make_node("Softmax", ["d"], ["y"]),
    ]
    found = kernels_of(told(nodes, ["a"], ["y"]), "openvino")
    assert found.excluded == {}
    assert {name for call in found.calls for name in call.originals} == {"n0", "n1", "n2"}
