"""Layers and profiles at a precision: what is planned, what the runtimes execute, what they refuse."""

import pytest

from gnomon.lut import ProfileRequest, build_profile
from gnomon.lut.measuring.build import plan_for
from gnomon.lut.measuring.networks import layer_model
from gnomon.profilers.errors import UnsupportedConfig
from gnomon.profilers.run_config import RunConfig
from gnomon.profilers.runtimes.registry import load_backend
from gnomon.supernets import load_space

INT8 = RunConfig(precision="int8")


def layer(space, kind):
    return next(spec for spec in load_space(space).unique_layers() if spec.kind == kind)


@pytest.mark.parametrize(
    ("backend", "kind", "executed"),
    [
        ("onnxruntime", "stem", ("QLinearConv",)),
        ("onnxruntime", "mbconv", ("QLinearConv",)),
        ("openvino", "stem", ("I8", "i8")),
        ("openvino", "mbconv", ("I8", "i8")),
    ],
)
def test_convolutions_are_executed_in_int8(backend, kind, executed):
    spec = layer("fashion_mnist", kind)
    profile = load_backend(backend).operator_times(layer_model(spec, INT8), INT8, 200)
    convolutions = [operator.kind for operator in profile.operators if "Conv" in operator.kind]
    assert convolutions
    assert all(any(word in kind for word in executed) for kind in convolutions)


@pytest.mark.parametrize(("backend", "executed"), [("onnxruntime", "QLinearMatMul"), ("openvino", "i8")])
def test_products_with_weights_are_executed_in_int8(backend, executed):
    model = layer_model(layer("bert_minilm", "encoder_layer"), INT8)
    profile = load_backend(backend).operator_times(model, INT8, 20)
    products = [one.kind for one in profile.operators if one.kind.startswith(("QLinearMatMul", "FullyConnected"))]
    assert len(products) == 6
    assert all(executed in kind for kind in products)


@pytest.mark.parametrize("backend", ["onnxruntime", "openvino"])
def test_what_is_read_back_is_the_precision_asked_for(backend):
    with load_backend(backend).load(layer_model(layer("fashion_mnist", "head"), INT8), INT8) as executable:
        assert executable.options["precision"] == "int8"
        assert executable.options.get("INFERENCE_PRECISION_HINT", "f32") in ("f32", "<Type: 'float32'>")


@pytest.mark.parametrize(
    ("backend", "precision", "said"),
    [
        ("onnxruntime", "fp16", "times fp32 or int8 on the cpu.*compute in fp32 between casts"),
        ("onnxruntime", "bf16", "times fp32 or int8 on the cpu.*compute in fp32 between casts"),
        ("openvino", "fp16", "On a cpu, fp16 models are computed in fp32"),
    ],
)
def test_a_precision_that_would_be_computed_in_another_is_refused(backend, precision, said):
    config = RunConfig(precision=precision)
    model = layer_model(layer("fashion_mnist", "stem"), config)
    with pytest.raises(UnsupportedConfig, match=said):
        load_backend(backend).load(model, config)


def test_openvino_takes_bf16_only_where_the_processor_has_it():
    config = RunConfig(precision="bf16")
    model = layer_model(layer("fashion_mnist", "stem"), config)
    capabilities = pytest.importorskip("openvino").Core().get_property("CPU", "OPTIMIZATION_CAPABILITIES")
    if "BF16" not in capabilities:
        with pytest.raises(UnsupportedConfig, match=r"no instructions for it, OpenVINO lists .*precision fp32 or int8"):
            load_backend("openvino").load(model, config)
        return
    with load_backend("openvino").load(model, config) as executable:
        assert executable.options["precision"] == "bf16"


@pytest.mark.slow
@pytest.mark.parametrize("backend", ["onnxruntime", "openvino"])
def test_a_profile_is_measured_on_files_of_its_precision(tiny, quick_policy, tmp_path, backend):
    request = ProfileRequest("tiny", backend, INT8, networks=10, policy=quick_policy)
    plan = plan_for(request, load_space("tiny"), tmp_path)
    files = [path.read_bytes() for path in tmp_path.rglob("*.onnx")]
    assert len(files) >= len({item.key for item in plan.items}) - 1  # the anchor is a layer too
    assert all(b"QuantizeLinear" in content for content in files)
    profile = build_profile(request, tmp_path / "p.jsonl")
    assert profile.header.config.precision == profile.run_config.precision == "int8"
    assert profile.header.options["precision"] == "int8"
    assert not profile.table.failures
