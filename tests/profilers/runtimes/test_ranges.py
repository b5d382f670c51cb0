"""Ranges of whole numbers are read from a model's bytes, and what is no model is left to the runtime to refuse."""

import pytest
from onnx import TensorProto, helper

from gnomon.profilers.errors import ModelRejected
from gnomon.profilers.runtimes.ranges import PREFIX, properties_of, ranges_of
from gnomon.supernets.layers.values import RANGE, range_properties


def model_with(properties):
    info = helper.make_tensor_value_info
    node = helper.make_node("Identity", ["x"], ["y"])
    graph = helper.make_graph([node], "g", [info("x", TensorProto.INT64, (1,))], [info("y", TensorProto.INT64, (1,))])
    model = helper.make_model(graph, producer_name="p" * 300)
    helper.set_model_props(model, properties)
    return model.SerializeToString()


def test_ranges_are_those_that_were_written():
    ranges = {"user": (0, 943), "item": (7, 2**63)}
    assert PREFIX == RANGE
    assert ranges_of(model_with({**range_properties(ranges), "author": "somebody: 3"})) == ranges


def test_a_model_without_any_has_none():
    assert ranges_of(model_with({})) == {}


@pytest.mark.parametrize("text", ["", "3", "3:3", "-1:4", "a:b", "1:2:3"])
def test_a_range_that_is_none_is_refused(text):
    with pytest.raises(ModelRejected, match=r"gnomon\.range\.x=.*expected LOW:HIGH"):
        ranges_of(model_with({f"{PREFIX}x": text}))


def test_bytes_that_are_no_model_have_no_ranges():
    whole = model_with({f"{PREFIX}x": "0:5"})
    for content in (b"", b"\xff" * 50, b"not a model", *(whole[:end] for end in range(0, len(whole), 7))):
        assert set(properties_of(content)) <= {f"{PREFIX}x"}
