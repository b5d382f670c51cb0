"""Nodes of a file without the onnx package, held against the package."""

import numpy as np
import onnx
import pytest
from onnx import TensorProto, helper

from gnomon.profilers import ModelRejected, RunConfig, load_backend
from gnomon.profilers.runtimes.graphs.wire import nodes_of, with_outputs
from gnomon.profilers.testing import AFFINE_SHAPE, affine_model, affine_outputs


def test_nodes_are_those_that_the_onnx_package_reads():
    expected = onnx.load_from_string(affine_model()).graph.node
    found = nodes_of(affine_model())
    assert [node.name for node in found] == [node.name for node in expected]
    assert [node.operator for node in found] == ["MatMul", "Add", "Relu"]
    assert [node.inputs for node in found] == [tuple(node.input) for node in expected]
    assert [node.outputs for node in found] == [tuple(node.output) for node in expected]
    assert not any(node.has_subgraph for node in found)


def test_an_input_that_is_left_out_is_an_empty_name():
    node = helper.make_node("Resize", ["x", "", "scales"], ["y"])
    graph = helper.make_graph([node], "g", [], [])
    (found,) = nodes_of(helper.make_model(graph).SerializeToString())
    assert found.inputs == ("x", "", "scales")


def test_control_flow_is_seen():
    branch = helper.make_graph([helper.make_node("Identity", ["x"], ["b"])], "branch", [], [])
    node = helper.make_node("If", ["c"], ["y"], then_branch=branch, else_branch=branch)
    (found,) = nodes_of(helper.make_model(helper.make_graph([node], "g", [], [])).SerializeToString())
    assert found.has_subgraph


def test_added_outputs_are_what_the_nodes_compute(require):
    require("onnxruntime")
    with load_backend("onnxruntime").load(with_outputs(affine_model(), ["z"]), RunConfig()) as executable:
        inputs = {"x": np.linspace(-1, 1, 16, dtype=np.float32).reshape(AFFINE_SHAPE)}
        found = executable.run(inputs)
    np.testing.assert_allclose(np.maximum(found["z"], 0), affine_outputs(inputs)["y"], rtol=1e-5)
    np.testing.assert_allclose(found["y"], affine_outputs(inputs)["y"], rtol=1e-5)


@pytest.mark.parametrize("cut", [1, 7, 40, 200])
def test_a_cut_file_is_an_error_or_has_fewer_nodes(cut):
    try:
        found = nodes_of(affine_model()[:-cut])
    except ModelRejected as error:
        assert "no ONNX model" in str(error)  # noqa: PT017
    else:
        assert len(found) <= 3


def test_the_package_reads_a_file_with_added_outputs_too():
    model = onnx.load_from_string(with_outputs(affine_model(), ["z", "xw"]))
    assert [value.name for value in model.graph.output] == ["y", "z", "xw"]
    assert model.graph.input[0].type.tensor_type.elem_type == TensorProto.FLOAT
