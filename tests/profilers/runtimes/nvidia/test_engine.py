"""TensorRT for RTX itself, whose builder needs no GPU: precisions, reasons, targets."""

import numpy as np
import pytest

from gnomon.profilers import BackendUnavailable, ModelRejected, UnsupportedConfig, load_backend
from gnomon.profilers.errors import BuildsUnavailable
from gnomon.profilers.runtimes.registry import load_builder
from gnomon.profilers.testing import affine_model


@pytest.fixture(scope="module")
def builder():
    try:
        return load_builder("tensorrt_rtx")
    except BackendUnavailable as error:
        pytest.skip(str(error))


def model_of(nodes, constants, dtype="float32"):
    """Return a model from x to y of shape (1, 16): nodes as (operator, inputs, output), named after their outputs."""
    from onnx import helper, numpy_helper

    kind = helper.np_dtype_to_tensor_dtype(np.dtype(dtype))
    graph = helper.make_graph(
        [helper.make_node(operator, inputs, [output], name=f"node.{output}") for operator, inputs, output in nodes],
        "test",
        [helper.make_tensor_value_info("x", kind, [1, 16])],
        [helper.make_tensor_value_info("y", kind, [1, 16])],
        [numpy_helper.from_array(value, name) for name, value in constants.items()],
    )
    return helper.make_model(graph, opset_imports=[helper.make_opsetid("", 17)], ir_version=8).SerializeToString()


WEIGHT = np.linspace(-1, 1, 256, dtype=np.float32).reshape(16, 16)
HALF = model_of([("MatMul", ["x", "w"], "z"), ("Relu", ["z"], "y")], {"w": WEIGHT.astype(np.float16)}, "float16")
QUANTISED = model_of(
    [
        ("QuantizeLinear", ["x", "scale", "zero"], "xq"),
        ("DequantizeLinear", ["xq", "scale", "zero"], "xd"),
        ("DequantizeLinear", ["wq", "scale", "zero"], "wd"),
        ("MatMul", ["xd", "wd"], "y"),
    ],
    {"scale": np.float32(0.01), "zero": np.int8(0), "wq": (WEIGHT * 100).astype(np.int8)},
)


@pytest.mark.parametrize(("model", "precision"), [(affine_model(), "fp32"), (HALF, "fp16"), (QUANTISED, "int8")])
def test_the_precision_is_the_files_own(builder, model, precision):
    built = builder.build(model, target="sm86")
    assert len(built.content) > 1000
    assert built.options["precision"] == precision
    assert built.options["strongly_typed"] is True
    assert built.options["tf32"] is False


@pytest.mark.parametrize(
    ("model", "asked"), [(affine_model(), "fp16"), (HALF, "fp32"), (HALF, "int8"), (QUANTISED, "fp16")]
)
def test_another_precision_than_the_files_is_refused(builder, model, asked):
    with pytest.raises(UnsupportedConfig, match=f"asked for {asked}"):
        builder.build(model, precision=asked, target="sm86")


def test_bf16_is_refused_because_no_file_says_it(builder):
    with pytest.raises(UnsupportedConfig, match="strongly typed"):
        builder.build(affine_model(), precision="bf16", target="sm86")


def test_equal_builds_are_equal_and_builds_for_two_gpus_are_not(builder):
    one, again, other = (builder.build(affine_model(), target=sm).content for sm in ("sm86", "sm86", "sm120"))
    assert one == again != other


def test_an_unknown_target_is_answered_with_the_known(builder):
    with pytest.raises(BuildsUnavailable, match=r"'sm99'; known are: .*sm86, sm89, sm120"):
        builder.build(affine_model(), target="sm99")


@pytest.mark.parametrize("name", ["CURRENT", "none", "__class__", "sm86 "])
def test_a_target_is_never_looked_up_as_anything_else(builder, name):
    with pytest.raises(BuildsUnavailable):
        builder.build(affine_model(), target=name)


def test_an_operator_it_does_not_know_is_named_with_its_node(builder):
    with pytest.raises(ModelRejected, match="NoSuchOperator") as caught:
        builder.build(model_of([("NoSuchOperator", ["x"], "y")], {}), target="sm86")
    assert "node.y" in str(caught.value)
    assert ".cpp" not in str(caught.value)


@pytest.mark.parametrize("model", [b"", b"this is not ONNX", affine_model()[:-40], affine_model(("n", 16))])
def test_what_is_no_fixed_model_is_rejected(builder, model):
    with pytest.raises(ModelRejected):
        builder.build(model, target="sm86")


def test_a_build_that_fails_says_why(builder):
    huge = model_of([("Expand", ["x", "s"], "z"), ("ReduceMax", ["z"], "y")], {"s": np.array([2**40, 16], np.int64)})
    with pytest.raises(ModelRejected, match=r"failed: .*[a-z]{4}"):
        builder.build(huge, target="sm86")


def test_it_can_be_timed_with_or_says_what_is_missing():
    try:
        device = load_backend("tensorrt_rtx").device
    except BackendUnavailable as error:
        device = error.install_command and "gpu"
    assert device == "gpu"


def test_other_backends_say_why_they_build_nothing():
    with pytest.raises(BuildsUnavailable, match=r"timing them.*Those that do are: tensorrt_rtx"):
        load_builder("tensorrt")
    with pytest.raises(BuildsUnavailable, match="Those that do are: tensorrt_rtx"):
        load_builder("openvino")
