"""Which nodes a primitive of OpenVINO stands for, also where it does not name them; scripted answers."""

from gnomon.profilers.runtimes.graphs.claimed import Told, primitives_of
from gnomon.profilers.runtimes.graphs.wire import WireNode


def node(name, operator, inputs, outputs):
    return WireNode(name, operator, tuple(inputs.split()), tuple(outputs.split()))


def told(operator, *names):
    return Told(operator, "brgconv", "acdb", names)


CHAIN = (
    node("n0", "Conv", "x w", "a"),
    node("n1", "BatchNormalization", "a s b m v", "c"),
    node("n2", "Relu", "c", "d"),
    node("n3", "MaxPool", "d", "e"),
)


def nodes_by_operator(*answers, nodes=CHAIN):
    return {one.operator: one.nodes for one in primitives_of(nodes, {"x"}, answers)}


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
    (found,) = primitives_of(CHAIN, {"x"}, [told("Convolution", "n0", "n1"), told("Subgraph", "n1", "n2", "n3")])
    assert found.operator == "Convolution+Subgraph"
    assert found.nodes == (0, 1, 2, 3)
    assert found.originals == ("n0", "n1", "n2", "n3")


def test_what_is_computed_from_constants_alone_is_no_kernel():
    nodes = (node("n0", "Unsqueeze", "w axes", "wide"), node("n1", "Mul", "x wide", "y"))
    assert nodes_by_operator(told("Subgraph", "n0", "n1"), nodes=nodes) == {"Subgraph": (1,)}


def test_every_working_node_is_in_exactly_one_kernel():
    found = primitives_of(CHAIN, {"x"}, [told("Subgraph", "n2")])
    assert sorted(at for one in found for at in one.nodes) == [0, 1, 2, 3]
