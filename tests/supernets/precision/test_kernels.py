"""int8 on processors that add products of 8-bit integers in 16 bits: what saturates, what cannot, and who notices.

Their arithmetic is emulated in numpy everywhere. Where it can be had here, by OpenVINO told to leave instructions
unused or by an emulated processor, the runtimes themselves are asked.
"""

import os
import platform
import shutil
import subprocess
import sys

import numpy as np
import onnx
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays
from onnx import TensorProto, helper, numpy_helper

from gnomon.supernets.errors import KernelsDisagree, PrecisionUnavailable
from gnomon.supernets.evaluation import agreement
from gnomon.supernets.evaluation.agreement import LIMIT, Paired, check_kernels, check_parts
from gnomon.supernets.precision import at_precision, kernels
from gnomon.supernets.precision.formats import int8
from gnomon.supernets.precision.runtimes import OnnxRuntimeRunner
from gnomon.supernets.supernet import load_supernet

X86 = platform.machine() in ("x86_64", "AMD64")
PAIRS = 24


def summed_in_16_bits(values, weights):
    """What vpmaddubsw and vpmaddwd make of (n, k) unsigned and (k, m) signed bytes: pairs saturate, sums do not."""
    products = values.astype(np.int64)[:, :, None] * weights.astype(np.int64)[None]
    pairs = products[:, 0::2] + products[:, 1::2]
    return np.clip(pairs, -(2**15), 2**15 - 1).sum(axis=1)


def quantised_product(weights, weight_bits):
    """The bytes that a product with float weights (k, m) has in a file."""
    rows = weights.shape[0]
    info = helper.make_tensor_value_info
    graph = helper.make_graph(
        [helper.make_node("MatMul", ["input", "w"], ["output"])],
        "product",
        [info("input", TensorProto.FLOAT, (1, rows))],
        [info("output", TensorProto.FLOAT, (1, weights.shape[1]))],
        [numpy_helper.from_array(weights.astype(np.float32), "w")],
    )
    opsets = [helper.make_opsetid("", 17)]
    model = helper.make_model(graph, ir_version=8, opset_imports=opsets).SerializeToString()
    quantised = at_precision(model, "int8", [{"input": np.ones((1, rows), np.float32)}], weight_bits=weight_bits)
    found = {array.name: array for array in onnx.load_from_string(quantised).graph.initializer}
    return quantised, numpy_helper.to_array(found["w.int8"])


@given(
    values=arrays(np.uint8, (3, 2 * PAIRS)),
    weights=arrays(np.float32, (2 * PAIRS, 2), elements=st.floats(-8, 8, width=32)),
)
@settings(max_examples=50, deadline=None)
def test_weights_in_7_bits_cannot_saturate_16(values, weights):
    _, held = quantised_product(weights, 7)
    assert np.array_equal(summed_in_16_bits(values, held), values.astype(np.int64) @ held.astype(np.int64))


@pytest.mark.parametrize(("weight_bits", "largest", "is_exact"), [(8, 127, False), (7, 64, True)])
def test_the_largest_products_saturate_with_8_bits_alone(weight_bits, largest, is_exact):
    quantised, held = quantised_product(np.full((2 * PAIRS, 1), -3.0), weight_bits)
    values = np.full((1, 2 * PAIRS), 255, np.uint8)
    assert np.abs(held).max() == largest
    assert np.array_equal(summed_in_16_bits(values, held), values.astype(np.int64) @ held) == is_exact
    assert int8.weight_bits_in(quantised) == weight_bits


def test_a_file_without_metadata_is_taken_to_have_8_bits():
    assert int8.weight_bits_in(helper.make_model(helper.make_graph([], "none", [], [])).SerializeToString()) == 8


class Emulated:
    """Runs the model of largest products as a kernel that adds `products` of unsigned and signed bytes would."""

    def __init__(self, products):
        self.products = products

    def __call__(self, inputs):
        rows = inputs["input"].reshape(kernels.CHANNELS, -1).T
        values, weights = np.round(rows * 127).astype(np.int64) + 128, np.full((kernels.CHANNELS, 1), 127)
        sums = self.products(values, weights) - 128 * weights.sum()
        return {"output": sums / 127**2}


@pytest.mark.parametrize(("products", "bits"), [(summed_in_16_bits, 7), (lambda values, weights: values @ weights, 8)])
def test_a_machine_is_asked_for_a_sum_of_largest_products(monkeypatch, products, bits):
    monkeypatch.setattr(kernels, "onnxruntime_runner", lambda model: Emulated(products))
    assert kernels.weight_bits_here.__wrapped__() == bits


def is_optimised(runner):
    assert isinstance(runner, OnnxRuntimeRunner)
    level = runner.session.get_session_options().graph_optimization_level
    return "DISABLE" not in str(level)


@pytest.mark.parametrize(("here", "in_file", "integers"), [(8, 8, True), (8, 7, True), (7, 7, True), (7, 8, False)])
def test_a_file_is_run_in_integers_unless_they_would_saturate_here(monkeypatch, here, in_file, integers):
    monkeypatch.setattr(int8, "weight_bits_here", lambda: here)
    quantised, _ = quantised_product(np.eye(4), in_file)
    assert is_optimised(int8.runner(quantised)) == integers


@pytest.fixture(scope="module")
def classifier():
    return load_supernet("fashion_mnist")


@pytest.mark.slow
def test_a_network_is_quantised_for_its_target(classifier):
    smallest = classifier.space.architecture(np.zeros_like(classifier.space.radices))
    for bits in (7, 8):
        (part,) = classifier.with_weight_bits(bits).models(smallest, precision="int8")
        assert int8.weight_bits_in(part.model) == bits
    assert classifier.weight_bits == kernels.weight_bits_here()
    assert load_supernet("fashion_mnist", weight_bits=7).weight_bits == 7


@pytest.mark.slow
def test_integer_kernels_of_this_machine_compute_what_its_files_say(classifier):
    check = check_kernels(classifier)
    assert 0 < check.error < LIMIT
    assert not check.in_fp32
    assert f"weights in {classifier.weight_bits} bits" in check.sentence()


@pytest.mark.slow
def test_a_file_for_another_processor_is_validated_in_fp32_and_it_is_said(classifier, monkeypatch):
    monkeypatch.setattr(agreement, "weight_bits_here", lambda: 7)
    check = check_kernels(classifier.with_weight_bits(8))
    assert check.in_fp32
    assert "validated by Q/DQ pairs in fp32" in check.sentence()


@pytest.mark.slow
@pytest.mark.parametrize("kind", ["images", "translation"])
def test_kernels_that_compute_something_else_are_refused_with_the_values(classifier, monkeypatch, kind):
    supernet = classifier if kind == "images" else load_supernet("translate_en_de")
    smallest = supernet.space.architecture(np.zeros_like(supernet.space.radices))
    parts = supernet.models(smallest, precision="int8")

    def wrong(model):
        runner = int8.exact_runner(model)
        return lambda inputs: {
            name: values * 0.8 if values.dtype.kind == "f" else values for name, values in runner(inputs).items()
        }

    monkeypatch.setattr(agreement, "onnxruntime_runner", wrong)
    with pytest.raises(
        KernelsDisagree, match=r"differ from Q/DQ pairs in fp32 by 20\.0 % here \(at most 10 %"
    ) as caught:
        check_parts([parts], supernet, "validation")
    assert isinstance(caught.value, PrecisionUnavailable)


def test_a_pair_answers_by_the_exact_one_and_measures_floats_alone():
    exact = {"y": np.array([3.0, 4.0], np.float32), "ids": np.array([1, 2])}
    found = {"y": np.array([3.0, 4.5], np.float32), "ids": np.array([1, 9])}
    pair = Paired(lambda inputs: found, lambda inputs: exact)
    assert pair({}) is exact
    assert pair.error == pytest.approx(0.1)


OPENVINO = """
import numpy as np, openvino
from gnomon.supernets.precision.formats import int8
from gnomon.supernets.supernet import load_supernet
core = openvino.Core()
for bits in (7, 8):
    supernet = load_supernet("fashion_mnist", weight_bits=bits)
    smallest = supernet.space.architecture(np.zeros_like(supernet.space.radices))
    (part,) = supernet.models(smallest, batch=64, precision="int8")
    images = np.concatenate([batch["input"] for batch in supernet.range_samples(64)])[:64]
    compiled = core.compile_model(core.read_model(part.model), "CPU", {"INFERENCE_PRECISION_HINT": "f32"})
    exact = int8.exact_runner(part.model)({"input": images})["output"]
    print(float(np.sqrt(np.mean((compiled(images)[0] - exact) ** 2) / np.mean(exact**2))))
"""


def printed(command, code, **variables):
    done = subprocess.run(
        [*command, sys.executable, "-c", code], env={**os.environ, **variables}, capture_output=True, text=True
    )
    assert done.returncode == 0, done.stderr
    return done.stdout.split()


@pytest.mark.slow
@pytest.mark.skipif(not X86, reason="only x86 has kernels that saturate")
def test_without_vnni_openvino_is_right_with_7_bits_and_wrong_with_8():
    pytest.importorskip("openvino")
    seven, eight = (float(error) for error in printed((), OPENVINO, ONEDNN_MAX_CPU_ISA="AVX2"))
    assert seven < LIMIT < eight


ONNXRUNTIME = """
import numpy as np
from gnomon.supernets import LayerSpec
from gnomon.supernets.graph import graph_from_layers
from gnomon.supernets.precision import at_precision, kernels
from gnomon.supernets.precision.formats import int8
from gnomon.supernets.precision.runtimes import onnxruntime_runner
print(kernels.weight_bits_here())
quantised = kernels.largest_products()
inputs = {"input": np.ones((1, kernels.CHANNELS, kernels.PIXELS, kernels.PIXELS), np.float32)}
print(int8.runner(quantised)(inputs)["output"].min(), onnxruntime_runner(quantised)(inputs)["output"].max())
"""


@pytest.mark.slow
@pytest.mark.skipif(not (X86 and shutil.which("qemu-x86_64")), reason="needs qemu-x86_64 (Debian: qemu-user) on x86")
def test_on_a_haswell_onnxruntime_saturates_and_the_file_is_run_in_fp32_instead():
    bits, right, wrong = printed(("qemu-x86_64", "-cpu", "Haswell"), ONNXRUNTIME)
    assert bits == "7"
    assert float(right) == pytest.approx(kernels.CHANNELS, rel=0.01)
    assert float(wrong) < 0.9 * kernels.CHANNELS
