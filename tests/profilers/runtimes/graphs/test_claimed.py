"""Which nodes a primitive of OpenVINO stands for, also where it does not name them; scripted answers."""

from gnomon.profilers.runtimes.graphs.claimed import Told, primitives_of
from gnomon.profilers.runtimes.graphs.wire import WireNode


def node(name, operator, inputs, outputs):
    return WireNode(name, operator, tuple(inputs.split()), tuple(outputs.split()))


def told(operator, *names, own=""):
    return Told(operator, "brgconv", "acdb", names, own)


CHAIN = (
    node("n0", "Conv", "x w", "a"),
    node("n1", "BatchNormalization", "a s b m v", "c"),
    node("n2", "Relu", "c", "d"),
    node("n3", "MaxPool", "d", "e"),
)


def nodes_by_operator(*answers, nodes=CHAIN):
    return {one.operator: one.nodes for one in primitives_of(nodes, {"x"}, {"x"}, answers)}


def test_named_nodes_are_a_primitive():
    assert nodes_by_operator(told("Convolution", "n0", "n1", "n2"), told("Pooling", "n3")) == {
        "Convolution": (0, 1, 2),
        "Pooling": (3,),
    }


def test_an_unnamed_convolution_goes_with_its_user():
    assert nodes_by_operator(told("Convolution", "Multiply_7", "n1", "n2"), told("Pooling", "n3")) == {
        "Convolution": (0, 1, 2),
        "Pooling": (3,),
    }


def test_an_unnamed_last_node_goes_with_what_it_uses():
    assert nodes_by_operator(told("Convolution", "n0", "n1", "n2")) == {"Convolution": (0, 1, 2, 3)}


def test_primitives_that_share_a_node_are_one_kernel():
    (found,) = primitives_of(CHAIN, {"x"}, {"x"}, [told("Convolution", "n0", "n1"), told("Subgraph", "n1", "n2", "n3")])
    assert found.operator == "Convolution+Subgraph"
    assert found.nodes == (0, 1, 2, 3)
    assert found.originals == ("n0", "n1", "n2", "n3")


def test_what_is_computed_from_constants_alone_is_no_kernel():
    nodes = (node("n0", "Unsqueeze", "w axes", "wide"), node("n1", "Mul", "x wide", "y"))
    assert nodes_by_operator(told("Subgraph", "n0", "n1"), nodes=nodes) == {"Subgraph": (1,)}


def test_every_working_node_is_in_exactly_one_kernel():
    found = primitives_of(CHAIN, {"x"}, {"x"}, [told("Subgraph", "n2")])
    assert sorted(at for one in found for at in one.nodes) == [0, 1, 2, 3]


SWISH = (
    node("n0", "Conv", "x w", "a"),
    node("n1", "BatchNormalization", "a s b m v", "c"),
    node("n2", "Add", "c three", "d"),
    node("n3", "Clip", "d zero six", "e"),
    node("n4", "Mul", "c e", "f"),
    node("n5", "Conv", "f u", "g"),
    node("n6", "BatchNormalization", "g s b m v", "h"),
    node("n7", "GlobalAveragePool", "f", "i"),
)


def test_an_activation_of_several_nodes_goes_with_the_primitive_that_ends_in_another_name():
    found = primitives_of(
        SWISH,
        {"x"},
        {"x"},
        [
            told("Convolution", "Multiply_7", "n1", "HSwish_8"),
            told("Convolution", "Multiply_9", "n6"),
            told("Reduce", "n7"),
        ],
    )
    assert [one.nodes for one in found] == [(0, 1, 2, 3, 4), (5, 6), (7,)]


def test_nodes_behind_a_primitive_that_replaces_nothing_go_with_their_user():
    found = primitives_of(SWISH[:5], {"x"}, {"x"}, [told("Convolution", "Multiply_7", "n1"), told("Subgraph", "n4")])
    assert [one.nodes for one in found] == [(0, 1), (2, 3, 4)]


def test_a_node_is_of_the_primitive_that_is_called_after_it():
    found = primitives_of(
        CHAIN[:3], {"x"}, {"x"}, [told("Subgraph", "n0", own="n1"), told("FullyConnected", "n1", own="n2")]
    )
    assert [(one.operator, one.nodes) for one in found] == [("Subgraph", (0, 1)), ("FullyConnected", (2,))]


def test_what_is_computed_from_fixed_shapes_is_no_kernel():
    nodes = (
        node("n0", "Shape", "x", "s"),
        node("n1", "Slice", "s from to", "t"),
        node("n2", "Reshape", "x t", "y"),
    )
    assert nodes_by_operator(told("Reshape", own="n2"), nodes=nodes) == {"Reshape": (2,)}
    loose = primitives_of(nodes, {"x"}, set(), [told("Reshape", own="n2")])
    assert [one.nodes for one in loose] == [(0, 1, 2)]
