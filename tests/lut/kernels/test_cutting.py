"""A kernel's key says everything that changes its time and nothing else; its model runs it alone."""

import numpy as np
import onnx
import pytest
from onnx import TensorProto, helper, numpy_helper

from gnomon.lut.kernels.graph.alone import copies_of, kernel_model
from gnomon.lut.kernels.graph.sorts import form_of
from gnomon.lut.kernels.measuring.planned import PIECES, planned
from gnomon.lut.kernels.profile_file.lines import digest_of
from gnomon.lut.kernels.sample import images, pieces
from gnomon.profilers import RunConfig, load_backend
from gnomon.supernets import load_space
from gnomon.supernets.graph import models_from_architecture


def conv_model(*, prefix="", epsilon=1e-5, stride=1, channels=8, scale=1.0, **attributes):
    """Convolution, batch norm and activation, with names and numbers of one's own."""
    rng = np.random.default_rng(1)
    arrays = {"w": rng.normal(size=(channels, 4, 3, 3)) * scale, "s": np.ones(channels), "b": np.zeros(channels)}
    nodes = [
        helper.make_node("Conv", ["x", "w"], ["a"], kernel_shape=[3, 3], strides=[stride] * 2, **attributes),
        helper.make_node("BatchNormalization", ["a", "s", "b", "b", "s"], ["c"], epsilon=epsilon),
        helper.make_node("Relu", ["c"], ["y"]),
    ]
    graph = helper.make_graph(
        nodes,
        "g",
        [helper.make_tensor_value_info("x", TensorProto.FLOAT, [1, 4, 16, 16])],
        [helper.make_empty_tensor_value_info("y")],
        [numpy_helper.from_array(array.astype(np.float32), name) for name, array in arrays.items()],
    )
    for node in graph.node:
        node.input[:] = [prefix + name for name in node.input]
        node.output[:] = [prefix + name for name in node.output]
    for value in (*graph.input, *graph.output, *graph.initializer):
        value.name = prefix + value.name
    return helper.make_model(graph, opset_imports=[helper.make_opsetid("", 17)], ir_version=8).SerializeToString()


@pytest.fixture(scope="module")
def graph_of(scripted):
    return scripted.graph_of


@pytest.fixture(scope="module")
def keys(graph_of):
    return lambda model: set(graph_of(model).kernels)


def test_names_weights_and_written_defaults_do_not_change_a_key(keys):
    plain = keys(conv_model())
    assert plain == keys(conv_model(prefix="other."))
    assert plain == keys(conv_model(scale=3.0))
    assert plain == keys(conv_model(epsilon=1e-3))
    assert plain == keys(conv_model(dilations=[1, 1], group=1))


@pytest.mark.parametrize("change", [{"stride": 2}, {"channels": 24}, {"dilations": [2, 2]}, {"pads": [1] * 4}])
def test_what_changes_a_time_changes_a_key(keys, change):
    assert not keys(conv_model()) & {key for key in keys(conv_model(**change)) if "Conv" in key}


def quantised_model(channels, zero_point):
    """A convolution of 8 bits with a zero point for each channel of its weights."""
    arrays = {
        "xs": np.float32(0.02),
        "xz": np.uint8(128),
        "w": np.ones((channels, 4, 1, 1), np.int8),
        "ws": np.full(channels, 0.01, np.float32),
        "wz": np.full(channels, zero_point, np.int8),
        "ys": np.float32(0.05),
        "yz": np.uint8(120),
    }
    graph = helper.make_graph(
        [helper.make_node("QLinearConv", ["x", *arrays], ["y"], kernel_shape=[1, 1])],
        "g",
        [helper.make_tensor_value_info("x", TensorProto.UINT8, [1, 4, 8, 8])],
        [helper.make_tensor_value_info("y", TensorProto.UINT8, [1, channels, 8, 8])],
        [numpy_helper.from_array(np.asarray(array), name) for name, array in arrays.items()],
    )
    return helper.make_model(graph, opset_imports=[helper.make_opsetid("", 17)], ir_version=8).SerializeToString()


@pytest.mark.parametrize("channels", [8, 96])
def test_a_key_tells_zero_points_that_are_zero_from_others(keys, channels):
    zero, one = keys(quantised_model(channels, 0)), keys(quantised_model(channels, 1))
    assert zero != one
    assert any(f"i8[{channels}]=(0" in key for key in zero)


def test_batch_norm_and_activation_are_part_of_the_convolution(graph_of):
    graph = graph_of(conv_model())
    assert [call.operator for call in graph.calls if "Reorder" not in call.operator] == ["Conv"]
    assert "activation=Relu" in next(key for key in graph.kernels if "Conv" in key)


def test_every_kernel_runs_alone_as_often_as_it_is_told(graphs):
    backend = load_backend("onnxruntime")
    for name in ("shuffled-1", "recurrent-1"):
        for kernel in graphs[name].kernels.values():
            for copies in {1, copies_of(kernel)}:
                with backend.load(kernel_model(kernel, copies), RunConfig()) as executable:
                    assert executable.elapsed_ns(1) > 0
                    assert executable.options["graph_optimization_level"].endswith("DISABLE_ALL")


def test_a_kernels_model_holds_its_nodes_once_a_copy(graphs):
    kernel = next(iter(graphs["shuffled-0"].kernels.values()))
    assert len(onnx.load_from_string(kernel_model(kernel, 5)).graph.node) == 5 * len(kernel.nodes)


def test_multiply_adds_of_kernels_are_those_of_the_layers(graph_of):
    space = load_space("fashion_mnist")
    architecture = space.architecture(0 * space.radices)
    (part,) = models_from_architecture(space, architecture)
    graph = graph_of(part.model)
    found = sum(graph.kernels[key].cost.macs * count for key, count in graph.counts.items())
    expected = space.macs([architecture.indices])[0]
    assert expected <= found <= 1.2 * expected  # the runtime rounds channels up to what its vectors hold


def test_control_flow_is_named_and_left_out(graph_of):
    branch = [
        helper.make_graph([helper.make_node(kind, ["x"], ["b"])], kind, [], [helper.make_empty_tensor_value_info("b")])
        for kind in ("Relu", "Neg")
    ]
    nodes = [
        helper.make_node("ReduceSum", ["x"], ["t"], keepdims=0),
        helper.make_node("Cast", ["t"], ["c"], to=TensorProto.BOOL),
        helper.make_node("If", ["c"], ["y"], then_branch=branch[0], else_branch=branch[1]),
    ]
    value = helper.make_tensor_value_info("x", TensorProto.FLOAT, [1, 16])
    graph = helper.make_graph(nodes, "g", [value], [helper.make_empty_tensor_value_info("y")])
    found = graph_of(
        helper.make_model(graph, opset_imports=[helper.make_opsetid("", 17)], ir_version=8).SerializeToString()
    )
    assert found.excluded == {"If (control flow)": 1}
    assert set(found.counts) == {call.key for call in found.calls if not call.excluded}


@pytest.mark.parametrize("make", [images.residual, images.small, pieces.convolved])
def test_a_sampled_network_is_the_same_every_time(make):
    models = [make(np.random.default_rng(3)) for _ in range(2)]
    assert models[0] == models[1]


@pytest.mark.parametrize("make", pieces.FAMILIES)
def test_every_single_operator_is_a_kernel(make, graph_of):
    model = make(np.random.default_rng(0))
    found, graph = graph_of(model), onnx.load_from_string(model).graph
    last = [node for node in graph.node if {one.name for one in graph.output}.issuperset(node.output)]
    assert found.excluded == {}
    assert len(found.calls) >= len(last)


def test_single_operators_are_not_timed_whole(graphs):
    (graph,) = [one for name, one in graphs.items() if name == "recurrent-0"]
    kernels = {digest_of(key): kernel for key, kernel in graph.kernels.items()}
    items = planned(kernels, {"one": b"", f"{PIECES}two": b""})
    assert [item.key for item in items if item.role == "network"] == ["model:one"]


def test_a_form_has_no_sizes_and_keeps_what_changes_the_code():
    form = form_of("Conv{activation=Relu group=4 kernel_shape=3,3}(x0:f32[1,8,6,6], w1:f32[8,2,3,3])->=f32[1,8,4,4]")
    assert form == "Conv{activation=Relu group kernel_shape}(x0:f32, w1:f32)->=f32"
    assert form_of("Transpose{perm=0,2,1}(x0:f32[1,2,3])->=f32[1,3,2]") != form_of(
        "Transpose{perm=1,0,2}(x0:f32[1,2,3])->=f32[2,1,3]"
    )
    assert form_of("Reshape(x0:f32[1,6], w1:i64[2]=(2,3))->=f32[2,3]") == "Reshape(x0:f32, w1:i64)->=f32"


def test_of_a_table_only_what_is_looked_up_is_read(graph_of):
    table = numpy_helper.from_array(np.ones((1000, 8), np.float32), "t")
    graph = helper.make_graph(
        [helper.make_node("Gather", ["t", "i"], ["y"], axis=0)],
        "g",
        [helper.make_tensor_value_info("i", TensorProto.INT64, [1, 4])],
        [helper.make_empty_tensor_value_info("y")],
        [table],
    )
    model = helper.make_model(graph, opset_imports=[helper.make_opsetid("", 17)], ir_version=8)
    (kernel,) = graph_of(model.SerializeToString()).kernels.values()
    assert "w1:f32[1000,8]" in kernel.key or "w0:f32[1000,8]" in kernel.key
    assert kernel.cost.weight_bytes == 4 * 8 * 4
