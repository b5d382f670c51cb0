"""What a user's file is refused for, and what the refusal says to do."""

import numpy as np
import onnx
import pytest
from onnx import TensorProto, external_data_helper, helper, numpy_helper

from gnomon.lut import LutError
from gnomon.lut.kernels.graph.asked import read_asked, shapes_from_text
from gnomon.profilers.testing import affine_model


def saved(tmp_path, model=None, *, name="model.onnx"):
    path = tmp_path / name
    path.write_bytes(affine_model() if model is None else model.SerializeToString())
    return path


@pytest.fixture
def affine():
    return onnx.load_from_string(affine_model())


def test_nodes_are_named_by_position_and_called_as_in_the_file(tmp_path):
    asked = read_asked(saved(tmp_path), {})
    assert [node.name for node in onnx.load_from_string(asked.content).graph.node] == ["n0", "n1", "n2"]
    assert asked.original("n2") == "layer00.relu2"
    assert asked.notes == ()


def test_a_node_without_a_name_is_called_by_operator_and_position(tmp_path, affine):
    affine.graph.node[1].name = ""
    assert read_asked(saved(tmp_path, affine), {}).original("n1") == "Add#1"


@pytest.mark.parametrize("content", [b"", b"this is not ONNX", b"\x08\x08"])
def test_what_is_no_model_is_refused(tmp_path, content):
    path = tmp_path / "model.onnx"
    path.write_bytes(content)
    with pytest.raises(LutError, match=r"model\.onnx is not an ONNX model"):
        read_asked(path, {})


def test_a_missing_file_and_a_folder_are_refused(tmp_path):
    with pytest.raises(LutError, match="does not exist; expected an ONNX file"):
        read_asked(tmp_path / "none.onnx", {})
    with pytest.raises(LutError, match="is a folder"):
        read_asked(tmp_path, {})


def test_free_sizes_are_asked_for_with_the_line_to_type(tmp_path):
    path = tmp_path / "model.onnx"
    path.write_bytes(affine_model(("batch", 16)))
    with pytest.raises(LutError, match=r"'x' is batch x 16; .*--shape x=128x16|--shape x=1x16"):
        read_asked(path, {})
    fixed = onnx.load_from_string(read_asked(path, {"x": (3, 16)}).content)
    assert [dim.dim_value for dim in fixed.graph.input[0].type.tensor_type.shape.dim] == [3, 16]


@pytest.mark.parametrize(
    ("shapes", "said"),
    [
        ({"y": (1, 16)}, "no input 'y'; its inputs are x"),
        ({"x": (1, 17)}, "takes 1x16; asked for 1x17"),
        ({"x": (1, 16, 1)}, "takes 1x16; asked for 1x16x1"),
    ],
)
def test_a_shape_that_is_not_the_inputs_is_refused(tmp_path, shapes, said):
    with pytest.raises(LutError, match=said):
        read_asked(saved(tmp_path), shapes)


@pytest.mark.parametrize("text", ["x", "x=", "x=1x", "x=1xa", "=1", "x=0x3"])
def test_a_text_that_is_no_shape_is_refused(text):
    with pytest.raises(LutError, match="expected NAME=SIZES, such as images=1x3x320x320"):
        shapes_from_text((text,))


def test_shapes_are_read():
    assert shapes_from_text(("a=1x3", "b.c=7")) == {"a": (1, 3), "b.c": (7,)}


def test_custom_operators_are_named(tmp_path, affine):
    affine.graph.node[2].domain = "com.acme"
    with pytest.raises(LutError, match=r"not the runtime's own: com\.acme:Relu\. Export it without them"):
        read_asked(saved(tmp_path, affine), {})


def with_external(model, location):
    tensor = model.graph.initializer[0]
    tensor.raw_data = numpy_helper.to_array(tensor).tobytes()
    external_data_helper.set_external_data(tensor, location)
    content = tensor.raw_data
    tensor.ClearField("raw_data")
    return content


def test_weights_beside_the_file_are_read(tmp_path, affine):
    expected = numpy_helper.to_array(affine.graph.initializer[0]).copy()
    (tmp_path / "weights.bin").write_bytes(with_external(affine, "weights.bin"))
    asked = read_asked(saved(tmp_path, affine), {})
    found = onnx.load_from_string(asked.content).graph.initializer[0]
    np.testing.assert_array_equal(numpy_helper.to_array(found), expected)


@pytest.mark.parametrize("location", ["../weights.bin", "/etc/passwd", "a/../../weights.bin", ""])
def test_weights_outside_the_folder_are_refused(tmp_path, affine, location):
    (tmp_path / "weights.bin").write_bytes(with_external(affine, location or "x"))
    if not location:
        del affine.graph.initializer[0].external_data[:]
    folder = tmp_path / "model"
    folder.mkdir()
    with pytest.raises(LutError, match="outside the model's folder; refused"):
        read_asked(saved(folder, affine), {})


def test_a_link_out_of_the_folder_is_refused(tmp_path, affine):
    (tmp_path / "weights.bin").write_bytes(with_external(affine, "weights.bin"))
    folder = tmp_path / "model"
    folder.mkdir()
    (folder / "weights.bin").symlink_to(tmp_path / "weights.bin")
    with pytest.raises(LutError, match="refused"):
        read_asked(saved(folder, affine), {})


def test_missing_weights_are_named(tmp_path, affine):
    with_external(affine, "weights.bin")
    with pytest.raises(LutError, match=r"in 'weights\.bin', which does not exist; copy them beside the model"):
        read_asked(saved(tmp_path, affine), {})


@pytest.mark.parametrize("location", ["a\0b", "x" * 5000])
def test_a_name_that_no_file_can_have_is_refused(tmp_path, affine, location):
    with_external(affine, location)
    with pytest.raises(LutError, match=r"outside the model's folder; refused|cannot be looked at"):
        read_asked(saved(tmp_path, affine), {})


def test_weights_outside_the_folder_are_refused_in_a_graph_inside_a_node_too(tmp_path, affine):
    inner = onnx.GraphProto()
    inner.CopyFrom(affine.graph)
    with_external(affine, "../weights.bin")
    outside = affine.graph.initializer[0]
    inner.initializer[0].CopyFrom(outside)
    outside.CopyFrom(numpy_helper.from_array(np.ones(3, np.float32), outside.name))
    affine.graph.node.add(op_type="If", input=["x"], output=["z"]).attribute.add(
        name="then_branch", type=onnx.AttributeProto.GRAPH, g=inner
    )
    with pytest.raises(LutError, match="outside the model's folder; refused"):
        read_asked(saved(tmp_path, affine), {})


@pytest.mark.parametrize("word", [b"Relu", b"x"])
def test_a_text_that_is_not_utf_8_is_refused(tmp_path, affine, word):
    content = affine.SerializeToString()
    assert word in content
    (tmp_path / "model.onnx").write_bytes(content.replace(word, b"\xff" * len(word)))
    with pytest.raises(LutError, match=r"which is no text in UTF-8"):
        read_asked(tmp_path / "model.onnx", {})


@pytest.mark.parametrize("content", [b"123", b"12345678", b""])
def test_weights_that_are_not_as_many_as_their_shape_says_are_refused(tmp_path, affine, content):
    affine.graph.initializer[0].raw_data = content
    affine.graph.initializer[0].ClearField("float_data")
    with pytest.raises(LutError, match=r"the weights '.*' of shape \[.*\] cannot be read: .*copy it again"):
        read_asked(saved(tmp_path, affine), {})


def test_weights_of_more_than_a_file_can_hold_are_refused_before_they_are_read(tmp_path, affine):
    weight = affine.graph.initializer[0]
    with_external(affine, "weights.bin")
    del weight.dims[:]
    weight.dims.extend([1 << 15, 1 << 15])
    (tmp_path / "weights.bin").touch()
    with pytest.raises(LutError, match="more than 2 GiB with its weights"):
        read_asked(saved(tmp_path, affine), {})


def test_a_file_of_more_than_2_gib_is_refused_before_it_is_read(tmp_path):
    path = tmp_path / "model.onnx"
    with path.open("wb") as file:
        file.truncate(1 << 31)  # a sparse file: it takes no room
    with pytest.raises(LutError, match=r"has 2\.0 GiB; ONNX files end at 2 GiB"):
        read_asked(path, {})


def test_weights_of_a_type_that_nobody_knows_are_left_to_the_runtime_to_refuse(tmp_path, affine):
    (tmp_path / "weights.bin").write_bytes(with_external(affine, "weights.bin"))
    affine.graph.initializer[0].data_type = 999
    assert read_asked(saved(tmp_path, affine), {}).content


def test_denormal_weights_and_weights_as_inputs_are_said(tmp_path, affine):
    weight = affine.graph.initializer[0]
    affine.graph.initializer[0].CopyFrom(numpy_helper.from_array(np.full((16, 16), 1e-40, np.float32), weight.name))
    affine.graph.input.append(helper.make_tensor_value_info(weight.name, TensorProto.FLOAT, [16, 16]))
    inputs, denormal = read_asked(saved(tmp_path, affine), {}).notes
    assert "1 weights are also inputs of the graph" in inputs
    assert f"1 weights hold denormal numbers (first '{weight.name}')" in denormal
