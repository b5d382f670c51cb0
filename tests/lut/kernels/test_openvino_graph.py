"""What OpenVINO tells of a graph, and that a kernel cut out of it runs alone as it runs in it."""

import numpy as np
import onnx
import pytest
from onnx import TensorProto, helper, numpy_helper

from gnomon.lut.kernels.graph.alone import copies_of, kernel_model
from gnomon.lut.kernels.graph.cutting import kernels_of
from gnomon.lut.kernels.graph.layouts import channels_last, turned_node
from gnomon.lut.kernels.graph.named import named
from gnomon.lut.kernels.graph.sorts import sort_of
from gnomon.lut.kernels.sample import pieces
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


CHANNELS = 16


def weights(name, *shape):
    values = np.random.default_rng(len(name)).normal(size=shape or (1,)).astype(np.float32) * 0.1
    return numpy_helper.from_array(values, name)


def cut(nodes, shape, constants, *, kind=TensorProto.FLOAT):
    """The graph that OpenVINO tells of some nodes on one input x, cut; all that nobody takes is given."""
    taken = {name for node in nodes for name in node.input}
    given = [name for node in nodes for name in node.output if name not in taken]
    graph = helper.make_graph(
        nodes,
        "g",
        [helper.make_tensor_value_info("x", kind, shape)],
        [helper.make_empty_tensor_value_info(name) for name in given],
        constants,
    )
    model = helper.make_model(graph, opset_imports=[helper.make_opsetid("", 17)], ir_version=8)
    return kernels_of(
        fused_graph_of(load_backend("openvino"), named(model.SerializeToString()), RunConfig()), "openvino"
    )


def conv(taken, given, weight="w", **attributes):
    return helper.make_node("Conv", [taken, weight], [given], **attributes)


def scalar(name, value):
    return numpy_helper.from_array(np.array(value, np.float32), name)


def alone(kernel):
    """The primitives that OpenVINO makes of a kernel's model: layer type and type of numbers, without free ones."""
    with load_backend("openvino").load(kernel_model(kernel, copies_of(kernel)), RunConfig()) as executable:
        found = []
        for operator in executable.runtime_model().get_ordered_ops():
            told = {name: str(value.astype(str)) for name, value in operator.get_rt_info().items()}
            is_free = operator.get_friendly_name().endswith("_fake")
            if told["layerType"] not in ("Input", "Output", "Const", "Reshape") and not is_free:
                found.append((told["layerType"], told["runtimePrecision"], tuple(operator.get_output_shape(0))))
        return found


SWISH = [
    helper.make_node("Add", ["c", "three"], ["d"]),
    helper.make_node("Clip", ["d", "zero", "six"], ["e"]),
    helper.make_node("Mul", ["c", "e"], ["f"]),
    helper.make_node("Div", ["f", "six"], ["g"]),
]
NUMBERS = [scalar("zero", 0), scalar("three", 3), scalar("six", 6)]


def test_an_activation_that_is_fused_behind_a_convolution_is_timed_in_it():
    graph = cut(
        [conv("x", "c", kernel_shape=[1, 1]), *SWISH, conv("g", "y", "u", kernel_shape=[1, 1])],
        [1, CHANNELS, 8, 8],
        [weights("w", CHANNELS, CHANNELS, 1, 1), weights("u", 2, CHANNELS, 1, 1), *NUMBERS],
    )
    first, second = (graph.kernels[call.key] for call in graph.calls)
    assert [node.op_type for node in first.nodes] == ["Conv", "Add", "Clip", "Mul", "Div"]
    assert [node.op_type for node in second.nodes] == ["Conv"]
    assert sorted(kind for kind, _, _ in alone(first)) == sorted(kind for kind, _, _ in alone(second))


def test_weights_of_eight_bits_stay_so_alone():
    graph = cut(
        [
            helper.make_node("Cast", ["w"], ["wide"], to=TensorProto.FLOAT),
            helper.make_node("Mul", ["wide", "scale"], ["real"]),
            helper.make_node("MatMul", ["x", "real"], ["y"]),
        ],
        [1, 32, 64],
        [numpy_helper.from_array(np.ones((64, 48), np.int8), "w"), weights("scale", 1, 48)],
    )
    (kernel,) = graph.kernels.values()
    assert kernel.cost.weight_bytes == 64 * 48 + 48 * 4
    assert ("FullyConnected", "i8", (1, 32, 48)) in alone(kernel)


def test_the_sample_has_products_with_weights_of_eight_bits():
    model = named(pieces.multiplied(np.random.default_rng(0)))
    graph = kernels_of(fused_graph_of(load_backend("openvino"), model, RunConfig()), "openvino")
    assert graph.excluded == {}
    sorts = [sort_of(one.operator, one.key, one.cost) for one in graph.kernels.values()]
    assert sorts.count("FullyConnected i8") >= 3


def test_of_a_table_of_eight_bits_only_what_is_looked_up_is_read():
    graph = cut(
        [
            helper.make_node("Cast", ["t"], ["wide"], to=TensorProto.FLOAT),
            helper.make_node("Mul", ["wide", "scale"], ["real"]),
            helper.make_node("Gather", ["real", "x"], ["y"]),
        ],
        [1, 4],
        [numpy_helper.from_array(np.ones((1000, 48), np.int8), "t"), weights("scale", 1000, 1)],
        kind=TensorProto.INT64,
    )
    (kernel,) = graph.kernels.values()
    assert kernel.cost.weight_bytes <= 2 * 4 * 48 * 4


def test_primitives_that_hand_on_truth_values_are_timed_together():
    nodes = [helper.make_node("IsNaN", ["x"], ["n"]), helper.make_node("Where", ["n", "zero", "x"], ["y"])]
    graph = cut(nodes, [1, 8, 6, 6], [scalar("zero", 0)])
    (kernel,) = graph.kernels.values()
    assert [node.op_type for node in kernel.nodes] == ["IsNaN", "Where"]
    assert "Convert" not in {kind for kind, _, _ in alone(kernel)}


def test_what_fixed_shapes_tell_is_no_kernel():
    nodes = [
        helper.make_node("Relu", ["x"], ["a"]),
        helper.make_node("Shape", ["a"], ["s"]),
        helper.make_node("Gather", ["s", "last"], ["t"]),
        helper.make_node("Concat", ["one", "t"], ["u"], axis=0),
        helper.make_node("Reshape", ["a", "u"], ["b"]),
        helper.make_node("Softmax", ["b"], ["y"]),
    ]
    numbers = [
        numpy_helper.from_array(np.array(value, np.int64), name) for name, value in (("last", [3]), ("one", [-1]))
    ]
    graph = cut(nodes, [1, 2, 6, 6], numbers)
    assert graph.excluded == {}
    assert {one.dtype for kernel in graph.kernels.values() for _, one in (*kernel.inputs, *kernel.outputs)} == {
        "float32"
    }
    assert "(-1,6)" in "".join(graph.kernels)


@pytest.mark.parametrize(
    ("operator", "taken", "attributes"),
    [
        ("MaxPool", ("c",), {"kernel_shape": [3, 3], "pads": [1] * 4}),
        ("Resize", ("c", "", "double"), {"mode": "nearest", "coordinate_transformation_mode": "asymmetric"}),
    ],
)
def test_what_takes_images_as_a_convolution_lays_them_is_timed_with_it(operator, taken, attributes):
    graph = cut(
        [conv("x", "c", kernel_shape=[1, 1]), helper.make_node(operator, list(taken), ["y"], **attributes)],
        [1, CHANNELS, 8, 8],
        [weights("w", CHANNELS, CHANNELS, 1, 1), numpy_helper.from_array(np.array([1, 1, 2, 2], np.float32), "double")],
    )
    (kernel,) = graph.kernels.values()
    assert [node.op_type for node in kernel.nodes] == ["Conv", operator]
    large = [kind for kind, _, shape in alone(kernel) if kind in ("Reorder", "Transpose") and shape[1] == CHANNELS]
    assert len(large) == len(kernel.plain)


def test_a_sum_in_place_of_an_input_is_not_turned_and_takes_no_copy_each_time():
    graph = cut(
        [
            conv("x", "a", kernel_shape=[1, 1]),
            conv("a", "i", "u", kernel_shape=[3, 3], pads=[1] * 4),
            conv("i", "b", "u", kernel_shape=[3, 3], pads=[1] * 4),
            helper.make_node("Add", ["a", "b"], ["c"]),
            conv("c", "y", kernel_shape=[1, 1]),
        ],
        [1, CHANNELS, 8, 8],
        [weights("w", CHANNELS, CHANNELS, 1, 1), weights("u", CHANNELS, CHANNELS, 3, 3)],
    )
    kernel = next(one for one in graph.kernels.values() if "Add" in one.key)
    assert copies_of(kernel) > 1
    found = alone(kernel)
    assert [kind for kind, _, _ in found].count("Convolution") == copies_of(kernel)
    assert {shape[2:] for kind, _, shape in found if kind in ("Reorder", "Transpose", "Subgraph")} <= {(1, 1)}


def test_an_image_that_the_runtime_turns_is_turned_in_the_kernel():
    graph = cut(
        [
            conv("x", "a", kernel_shape=[3, 3]),
            conv("a", "b", "u", kernel_shape=[1, 1]),
            conv("b", "y", "u", kernel_shape=[1, 1]),
        ],
        [1, 3, 8, 8],
        [weights("w", CHANNELS, 3, 3, 3), weights("u", CHANNELS, CHANNELS, 1, 1)],
    )
    first, middle, last = (graph.kernels[call.key] for call in graph.calls)
    assert (len(first.plain), middle.plain, len(last.plain)) == (1, (), 1)
    assert graph.added == {}
    assert first.cost.input_bytes == 2 * 3 * 8 * 8 * 4
    assert middle.key != last.key


EXCITED = [
    conv("x", "a", group=CHANNELS, kernel_shape=[3, 3], pads=[1] * 4),
    helper.make_node("GlobalAveragePool", ["a"], ["b"]),
    conv("b", "c", "u", kernel_shape=[1, 1]),
    helper.make_node("Mul", ["a", "c"], ["d"]),
    helper.make_node("Concat", ["d", "a"], ["e"], axis=1),
    conv("e", "f", "v", kernel_shape=[1, 1]),
    helper.make_node("Split", ["f", "halves"], ["g", "h"], axis=1),
    conv("g", "y", "t", kernel_shape=[1, 1]),
    conv("h", "z", "t", kernel_shape=[1, 1]),
]


def test_what_passes_over_an_image_computes_the_same_written_for_channels_last():
    graph = cut(
        EXCITED,
        [1, CHANNELS, 8, 6],
        [
            weights("w", CHANNELS, 1, 3, 3),
            weights("u", CHANNELS, CHANNELS, 1, 1),
            weights("v", 8, 2 * CHANNELS, 1, 1),
            weights("t", 2, 4, 1, 1),
            numpy_helper.from_array(np.array([4, 4], np.int64), "halves"),
        ],
    )
    turned = [one for one in graph.kernels.values() if channels_last(one) is not one]
    assert {node.op_type for one in turned for node in one.nodes} == {"GlobalAveragePool", "Mul", "Concat", "Split"}
    rng = np.random.default_rng(0)
    for kernel in turned:
        given = {name: rng.normal(size=one.shape).astype(np.float32) for name, one in kernel.inputs}
        plain = ran(kernel, given)
        last = ran(channels_last(kernel), {name: one.transpose(0, 2, 3, 1) for name, one in given.items()})
        for one, other in zip(last, plain):
            np.testing.assert_allclose(one.transpose(0, 3, 1, 2), other, atol=1e-5)
        assert alone(kernel)  # and OpenVINO takes it


@pytest.mark.parametrize("operator", ["Softmax", "LogSoftmax"])
def test_what_goes_along_the_last_axis_unnamed_goes_along_the_same_one_with_channels_last(operator):
    (axis,) = turned_node(helper.make_node(operator, ["x"], ["y"]), 17).attribute
    assert (axis.name, axis.i) == ("axis", 2)


def ran(kernel, given):
    """What a kernel's nodes, as they are written, give of some values."""
    graph = helper.make_graph(
        list(kernel.nodes),
        "kernel",
        [helper.make_tensor_value_info(name, TensorProto.FLOAT, one.shape) for name, one in given.items()],
        [helper.make_empty_tensor_value_info(name) for name, _ in kernel.outputs],
        [numpy_helper.from_array(one.content, name) for name, one in kernel.constants],
    )
    opsets = [helper.make_opsetid(domain, version) for domain, version in kernel.opsets]
    model = helper.make_model(graph, opset_imports=opsets, ir_version=8)
    return onnx.reference.ReferenceEvaluator(model).run(None, given)
