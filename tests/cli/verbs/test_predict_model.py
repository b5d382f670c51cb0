"""`gnomon predict --model`: a latency, what it rests on, and refusals that say what to do."""

import csv
import json
import re
from functools import partial

import numpy as np
import onnx
import pytest
from onnx import helper, numpy_helper

from gnomon.lut.kernels.graph.alone import kernel_model
from gnomon.lut.kernels.measuring.build import KernelRequest, build_kernel_profile
from gnomon.lut.kernels.measuring.timing import time_kernels
from gnomon.lut.kernels.sample import sequences
from gnomon.profilers import TimingPolicy
from gnomon.profilers.journal import CHECKSUM, checked_line
from gnomon.profilers.testing import affine_model

pytestmark = pytest.mark.slow
HURRIED = TimingPolicy(min_passes=2, max_passes=2, clean_blocks=0, time_cap_s=5.0)


@pytest.fixture(scope="module")
def kernels(tmp_path_factory):
    """A kernel profile measured in a hurry: of one small network."""
    path = tmp_path_factory.mktemp("kernels") / "here.jsonl"
    from gnomon.lut.kernels.graph.named import named

    small = {"small": named(sequences.recurrent(np.random.default_rng(1)))}
    build_kernel_profile(KernelRequest("onnxruntime", networks=0, policy=HURRIED, further=small), path)
    return path


@pytest.fixture
def model(tmp_path):
    path = tmp_path / "model.onnx"
    path.write_bytes(sequences.recurrent(np.random.default_rng(1)))
    return path


def test_a_model_of_measured_kernels_is_composed(gnomon, kernels, model, tmp_path):
    table, data = tmp_path / "nodes.csv", tmp_path / "nodes.json"
    found = gnomon("predict", kernels, "--model", model, "--json", "--csv", table, "--node-data", data).json
    assert found["shares"]["measured"] == pytest.approx(1)
    assert found["latency_us"] > 0
    assert found["low_us"] is None  # a single model verifies nothing
    with table.open() as file:
        rows = list(csv.DictReader(file))
    assert sum(float(row["us"]) for row in rows) == pytest.approx(found["latency_us"], rel=1e-3)
    assert sum(found["nodes"].values()) == pytest.approx(found["latency_us"])
    values = json.loads(data.read_text())["main"]["results"]
    assert all(one["value"] >= 0 for one in values.values())
    assert any("LSTM" in name or "GRU" in name for name in values)


def test_an_unknown_kernel_is_predicted_and_named_and_timed_when_asked(gnomon, kernels, tmp_path):
    path = tmp_path / "other.onnx"
    path.write_bytes(affine_model((8, 16)))
    printed = gnomon("predict", kernels, "--model", path).out
    assert "predicted: " in printed
    assert float(re.match(r"latency  (\S+) ms", printed).group(1)) > 0  # some microseconds
    assert "not verified" in printed
    found = gnomon("predict", kernels, "--model", path, "--measure", "--json").json
    assert found["shares"]["timed now"] + found["shares"]["measured"] == pytest.approx(1)


def test_a_kernel_that_cannot_be_timed_is_predicted_and_the_reason_said(gnomon, kernels, tmp_path, monkeypatch):
    path = tmp_path / "other.onnx"
    path.write_bytes(sequences.recurrent(np.random.default_rng(2)))

    def broken(kernel, copies=1):
        return b"no model" if kernel.operator == "Softmax" else kernel_model(kernel, copies)

    monkeypatch.setattr("gnomon.lut.kernels.measuring.planned.kernel_model", broken)
    monkeypatch.setattr("gnomon.lut.kernels.predict.time_kernels", partial(time_kernels, policy=HURRIED))
    printed = gnomon("predict", kernels, "--model", path, "--measure").out
    assert "predicted: Softmax" in printed
    assert re.search(r"not timed +Softmax, predicted instead: .*(onnxruntime|model)", printed)


def test_a_profile_of_another_version_is_refused_field_by_field(gnomon, kernels, model, tmp_path):
    header, *rest = kernels.read_bytes().splitlines(keepends=True)
    changed = json.loads(header)
    del changed[CHECKSUM]
    changed["versions"]["onnxruntime"] = "1.0"
    changed["hardware"]["cpu_model"] = "another"
    other = tmp_path / "other.jsonl"
    other.write_bytes(b"".join([checked_line(changed), b"\n", *rest]))
    outcome = gnomon("predict", other, "--model", model)
    assert outcome.code != 0
    assert "onnxruntime: profile '1.0', here" in outcome.err
    assert "cpu_model: profile 'another'" in outcome.err
    assert len(outcome.err.strip().splitlines()) == 1


def newer_operators(model):
    model.opset_import[0].version = 999


def value_from_nowhere(model):
    model.graph.node[1].input[1] = "nowhere"


@pytest.mark.parametrize(
    ("change", "said"),
    [
        (newer_operators, "cannot load the model.*[Oo]pset 999"),
        (value_from_nowhere, "cannot load the model.*nowhere"),
    ],
)
def test_what_the_runtime_refuses_is_told_in_one_line(gnomon, kernels, tmp_path, change, said):
    model = onnx.load_from_string(affine_model())
    change(model)
    path = tmp_path / "refused.onnx"
    path.write_bytes(model.SerializeToString())
    outcome = gnomon("predict", kernels, "--model", path)
    assert outcome.code != 0
    assert re.search(said, outcome.err)
    assert len(outcome.err.strip().splitlines()) == 1


def small_model(*nodes, output=onnx.TensorProto.FLOAT, weights=()):
    value = helper.make_tensor_value_info("x", onnx.TensorProto.FLOAT, [1, 16])
    result = helper.make_tensor_value_info("y", output, None)
    graph = helper.make_graph(list(nodes), "g", [value], [result], list(weights))
    return helper.make_model(graph, opset_imports=[helper.make_opsetid("", 17)], ir_version=8).SerializeToString()


def test_time_that_depends_on_the_data_is_no_part_of_the_latency_and_named(gnomon, kernels, tmp_path):
    path = tmp_path / "sparse.onnx"
    nonzero = helper.make_node("NonZero", ["r"], ["y"])
    path.write_bytes(small_model(helper.make_node("Relu", ["x"], ["r"]), nonzero, output=onnx.TensorProto.INT64))
    printed = gnomon("predict", kernels, "--model", path).out
    assert "NonZero (its time depends on the data): 1 times; the latency is at least this" in printed


def test_denormal_values_between_kernels_are_said(gnomon, kernels, tmp_path):
    path = tmp_path / "denormal.onnx"
    tiny = numpy_helper.from_array(np.full((16, 16), 1e-20, np.float32), "w")
    nodes = [helper.make_node("MatMul", ["x", "w"], ["a"]), helper.make_node("MatMul", ["a", "w"], ["y"])]
    path.write_bytes(small_model(*nodes, weights=[tiny]))
    assert "1 values between kernels hold denormal numbers" in gnomon("predict", kernels, "--model", path).out


def test_a_profile_of_a_space_is_no_kernel_profile(gnomon, model, tmp_path):
    path = tmp_path / "space.jsonl"
    path.write_text('{"schema":"gnomon.profile","version":4}\n')
    outcome = gnomon("predict", path, "--model", model)
    assert outcome.code != 0
    assert "takes a kernel profile" in outcome.err


@pytest.mark.parametrize("options", [("--shape", "x=1x3"), ("--measure",), ("--csv", "x.csv")])
def test_options_of_a_model_need_one(gnomon, profile_name, options):
    outcome = gnomon("predict", profile_name, *options)
    assert outcome.code == 2
    assert "--model FILE.onnx" in outcome.err


def test_kernels_are_of_no_space(gnomon):
    assert gnomon("profile", "fashion_mnist", "--kernels").code == 2


def test_two_kernel_profiles_are_compared_by_kernel(gnomon, kernels, profile_name):
    same = gnomon("lut", "diff", kernels, kernels)
    assert "kernels  no kernel changed beyond noise" in same.out
    assert "one kernel, timed all along" in same.out
    assert gnomon("lut", "diff", kernels, kernels, "--json").json["noun"] == "kernels"
    mixed = gnomon("lut", "diff", kernels, profile_name)
    assert mixed.code != 0
    assert "compare two of one kind" in mixed.err
