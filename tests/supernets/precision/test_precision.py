"""Models at other precisions: what every layer kind becomes, and what the runtimes make of it."""

import os
import subprocess
import sys

import numpy as np
import onnx
import pytest
from onnx import TensorProto, helper, numpy_helper

from gnomon.profilers.run_config import RunConfig
from gnomon.profilers.runtimes.registry import load_backend
from gnomon.supernets import LayerSpec, SupernetError, load_space, space_names
from gnomon.supernets.errors import PrecisionUnavailable
from gnomon.supernets.graph import graph_from_layers
from gnomon.supernets.layers.registry import macs
from gnomon.supernets.precision import at_precision, precisions, require_here, runner_at, runtimes
from gnomon.supernets.precision.samples import synthetic_samples

SPECS = {
    f"{name}/{spec.kind}": spec
    for name in space_names()
    if name != "hat_transformer"  # the layers of translate_en_de, larger
    for spec in sorted(load_space(name).unique_layers(), key=macs, reverse=True)  # so the smallest of a kind stays
}
SIZES = {"kernel": 3, "stride": 1, "mid_channels": 16, "out_channels": 8, "activation": "relu"}
MBCONV = LayerSpec.of("mbconv", (8, 8, 8), **SIZES, se_channels=8, residual=1)
PLAIN = LayerSpec.of("mbconv", (8, 8, 8), **SIZES, se_channels=0, residual=0)


def inputs_of(model):
    return dict(synthetic_samples(onnx.load_from_string(model))[0])


def relative_error(found, expected):
    """The root mean square of the differences, relative to that of the expected values; the largest of all outputs."""
    assert found.keys() == expected.keys()
    return max(
        float(np.sqrt(np.mean((found[n].astype(np.float64) - v) ** 2) / max(np.mean(v.astype(np.float64) ** 2), 1e-12)))
        for n, v in expected.items()
    )


def operators(model):
    return [node.op_type for node in onnx.load_from_string(model).graph.node]


@pytest.mark.parametrize("spec", SPECS.values(), ids=SPECS.keys())
def test_every_layer_kind_runs_in_int8_near_fp32_on_every_runtime(spec):
    model = graph_from_layers([spec])
    quantised = at_precision(model, "int8")
    parsed = onnx.load_from_string(quantised)
    onnx.checker.check_model(parsed, full_check=True)
    assert (parsed.ir_version, parsed.opset_import[0].version, len(parsed.opset_import)) == (8, 17, 1)
    arrays = {array.name: numpy_helper.to_array(array) for array in parsed.graph.initializer}
    for node in parsed.graph.node:
        if node.op_type in ("QuantizeLinear", "DequantizeLinear"):
            assert arrays[node.input[2]].dtype == np.int8
            assert not arrays[node.input[2]].any()
    inputs = inputs_of(model)
    expected = runner_at(model, "fp32")(inputs)
    for name in ("onnxruntime", "openvino"):
        with load_backend(name).load(quantised, RunConfig(precision="int8")) as executable:
            assert relative_error(executable.run(inputs), expected) < 0.06


@pytest.mark.parametrize("spec", SPECS.values(), ids=SPECS.keys())
def test_every_layer_kind_is_fp16_throughout(spec):
    model = graph_from_layers([spec])
    halved = at_precision(model, "fp16")
    graph = onnx.load_from_string(halved).graph
    types = {info.type.tensor_type.elem_type for info in (*graph.input, *graph.output)}
    types |= {array.data_type for array in graph.initializer}
    assert TensorProto.FLOAT not in types
    inputs = inputs_of(model)
    assert relative_error(runner_at(halved, "fp16")(inputs), runner_at(model, "fp32")(inputs)) < 2e-3


@pytest.mark.parametrize("precision", ["fp32", "bf16"])
def test_where_the_runtime_is_told_the_file_stays(precision):
    assert at_precision(graph_from_layers([MBCONV]), precision) == graph_from_layers([MBCONV])


def test_an_unknown_precision_is_answered_with_the_known_and_the_closest():
    with pytest.raises(SupernetError, match=r"'int9'; known: bf16, fp16, fp32, int8; did you mean 'int8'\?"):
        at_precision(b"", "int9")
    assert precisions() == ("bf16", "fp16", "fp32", "int8")
    with pytest.raises(SupernetError, match="unknown precision 'samples'"):
        at_precision(b"", "samples")


@pytest.mark.parametrize("weight_bits", [8, 7])
def test_numbers_are_those_of_the_runtimes_own_quantiser(tmp_path, weight_bits):
    from onnxruntime.quantization import QuantType, quantize_static

    model = graph_from_layers([PLAIN])
    sample = inputs_of(model)

    class Reader:
        samples = iter([sample])

        def get_next(self):
            return next(self.samples, None)

    options = {"ActivationSymmetric": True, "QuantizeBias": False}
    quantize_static(
        onnx.load_from_string(model), tmp_path / "theirs.onnx", Reader(), op_types_to_quantize=["Conv"],
        per_channel=True, activation_type=QuantType.QInt8, weight_type=QuantType.QInt8, extra_options=options,
        reduce_range=weight_bits == 7,
    )  # fmt: skip
    ours = onnx.load_from_string(at_precision(model, "int8", [sample], weight_bits=weight_bits)).graph
    theirs = onnx.load(tmp_path / "theirs.onnx").graph
    arrays, known = (
        {array.name: numpy_helper.to_array(array) for array in graph.initializer} for graph in (ours, theirs)
    )
    weights = [name.removesuffix("_quantized") for name in known if name.endswith(".weight_quantized")]
    assert len(weights) == 3
    for name in weights:
        np.testing.assert_array_equal(arrays[f"{name}.int8"], known[f"{name}_quantized"])
        np.testing.assert_array_equal(arrays[f"{name}.scale"], known[f"{name}_scale"])
    tensors = [name.removesuffix("_scale") for name in known if known[name].shape == () and name.endswith("_scale")]
    assert len(tensors) == 6
    for name in tensors:
        np.testing.assert_allclose(arrays[f"{name}.0.scale"], known[f"{name}_scale"], rtol=1e-6)


@pytest.mark.slow
def test_the_same_inputs_give_the_same_bytes_in_another_process():
    code = (
        "import hashlib; from gnomon.supernets import LayerSpec; from gnomon.supernets.graph import graph_from_layers;"
        "from gnomon.supernets.precision import at_precision;"
        f"model = graph_from_layers([LayerSpec.from_key({MBCONV.key!r})]);"
        "print(hashlib.sha256(at_precision(model, 'int8')).hexdigest())"
    )
    run = [
        subprocess.run(
            [sys.executable, "-c", code], env={**os.environ, "PYTHONHASHSEED": seed}, capture_output=True, text=True
        )
        for seed in ("1", "2")
    ]
    assert run[0].stdout == run[1].stdout != ""
    assert not run[0].stderr


def convolution(weight, bias, operator="Conv"):
    """A model of one convolution with the given arrays, on 4 pixels."""
    arrays = [numpy_helper.from_array(weight, "w"), numpy_helper.from_array(bias, "b")]
    shape = (1, weight.shape[1], 2, 2)
    info = helper.make_tensor_value_info
    graph = helper.make_graph(
        [helper.make_node("Conv", ["input", "w", "b"], ["output"])],  # a node without a name
        "one",
        [info("input", TensorProto.FLOAT, shape)],
        [info("output", TensorProto.FLOAT, (1, len(weight), 2, 2))],
        arrays,
    )
    opsets = [helper.make_opsetid("", 17)]
    return helper.make_model(graph, ir_version=8, opset_imports=opsets).SerializeToString()


def test_a_dead_channel_keeps_its_bias():
    weight = np.zeros((2, 1, 1, 1), np.float32)
    weight[0], weight[1] = 1.0, 1e-20
    model = convolution(weight, np.array([0.5, 0.75], np.float32))
    inputs = {"input": np.ones((1, 1, 2, 2), np.float32)}
    quantised = at_precision(model, "int8", [inputs])
    for name in ("onnxruntime", "openvino"):
        with load_backend(name).load(quantised, RunConfig(precision="int8")) as executable:
            np.testing.assert_allclose(executable.run(inputs)["output"][0, :, 0, 0], [1.5, 0.75], atol=0.02)


@pytest.mark.parametrize(
    ("sample", "said"),
    [
        ({"input": np.ones((1, 3, 2, 2), np.float32)}, "cannot be run on its calibration samples"),
        ({"output": np.ones(1, np.float32)}, "cannot be run on its calibration samples"),
        ({"input": np.full((1, 1, 2, 2), np.nan, np.float32)}, "not finite"),
        (None, "0 calibration samples"),
    ],
)
def test_samples_that_say_nothing_are_refused(sample, said):
    model = convolution(np.ones((2, 1, 1, 1), np.float32), np.zeros(2, np.float32))
    with pytest.raises(SupernetError, match=said):
        at_precision(model, "int8", [sample] if sample else [])


def test_a_number_beyond_16_bits_is_refused():
    model = convolution(np.full((2, 1, 1, 1), 1e6, np.float32), np.zeros(2, np.float32))
    with pytest.raises(SupernetError, match=r"w holds 1e\+06; fp16 ends at 65504"):
        at_precision(model, "fp16")


def test_bf16_is_run_where_the_processor_has_it_or_refused():
    model = graph_from_layers([MBCONV])
    inputs = inputs_of(model)
    capabilities = pytest.importorskip("openvino").Core().get_property("CPU", "OPTIMIZATION_CAPABILITIES")
    if "BF16" not in capabilities:
        for call in (lambda: require_here("bf16"), lambda: runner_at(model, "bf16")):
            with pytest.raises(PrecisionUnavailable, match=r"does not compute in bf16 \(OpenVINO lists .*fp32 or int8"):
                call()
        return
    error = relative_error(runner_at(model, "bf16")(inputs), runner_at(model, "fp32")(inputs))
    assert 0 < error < 2e-2


def test_a_runner_of_openvino_answers_by_name():
    pytest.importorskip("openvino")
    model = graph_from_layers([MBCONV])
    inputs = inputs_of(model)
    run = runtimes.openvino_runner(model, hint="f32", capability="FP32")
    assert run.input_shapes == {"input": (1, 8, 8, 8)}
    assert relative_error(run(inputs), runner_at(model, "fp32")(inputs)) < 1e-5


def test_a_missing_runtime_is_answered_with_the_install_command(monkeypatch):
    monkeypatch.setitem(sys.modules, "onnxruntime", None)
    with pytest.raises(PrecisionUnavailable, match=r"pip install 'onnxruntime>=1\.20'"):
        at_precision(graph_from_layers([MBCONV]), "int8")


def test_what_holds_no_weights_stays():
    embedding = next(spec for spec in load_space("translate_en_de").unique_layers() if spec.kind == "source_embedding")
    assert at_precision(graph_from_layers([embedding]), "int8") == graph_from_layers([embedding])


def test_what_a_graph_takes_the_best_of_keeps_32_bits():
    spec = next(s for s in load_space("translate_en_de").unique_layers() if s.kind == "vocabulary_projection")
    graph = onnx.load_from_string(at_precision(graph_from_layers([spec]), "int8")).graph
    (chosen,) = (node for node in graph.node if node.op_type == "ArgMax")
    makers = {name: node.op_type for node in graph.node for name in node.output}
    assert makers[chosen.input[0]] in ("Gemm", "MatMul")
