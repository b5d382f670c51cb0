"""A graph is asked for in a child; whatever happens to it, the parent gets a graph or one error."""

import pytest

from gnomon.profilers import ModelRejected, RunConfig, load_backend
from gnomon.profilers.errors import GraphUnavailable
from gnomon.profilers.runtimes.graphs.asking import read_fused_graph, read_fused_graphs
from gnomon.profilers.runtimes.graphs.fused_graph import OWN_GRAPH, fused_graph_of, require_own_graph
from gnomon.profilers.testing import FakeBackend, affine_model


@pytest.mark.slow
@pytest.mark.parametrize("name", ["onnxruntime", "openvino"])
def test_what_the_child_says_is_what_the_backend_says(require, name):
    require(name)
    one, other = read_fused_graphs([affine_model(), affine_model((4, 16))], backend=name, config=RunConfig())
    here = fused_graph_of(load_backend(name), affine_model(), RunConfig())
    assert one.primitives == here.primitives
    assert one.values == here.values
    assert other.values["y"] == ("float32", (4, 16))
    assert one.is_own == (name == "onnxruntime")


@pytest.mark.slow
def test_an_error_of_the_child_is_raised_as_itself(require):
    require("onnxruntime")
    with pytest.raises(ModelRejected, match="cannot load the model"):
        read_fused_graph(b"this is not ONNX", backend="onnxruntime", config=RunConfig())


def test_a_backend_that_does_not_tell_says_so():
    with pytest.raises(GraphUnavailable, match="'fake' does not tell which kernels"):
        fused_graph_of(FakeBackend(lambda model: (1.0,)), affine_model(), RunConfig())


def test_a_graph_of_another_version_is_refused():
    from onnx import helper, load_from_string

    model = load_from_string(affine_model())
    helper.set_model_props(model, {OWN_GRAPH: "onnxruntime 1.0"})
    content = model.SerializeToString()
    assert require_own_graph(content, "onnxruntime 1.0")
    assert not require_own_graph(affine_model(), "onnxruntime 1.0")
    with pytest.raises(ModelRejected, match=r"onnxruntime 1\.0 has optimised; this is onnxruntime 2\.0"):
        require_own_graph(content, "onnxruntime 2.0")
