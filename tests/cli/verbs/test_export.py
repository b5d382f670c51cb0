"""`gnomon export`: the file, its checks, its record."""

import json


def test_export_is_checked_and_timed(gnomon, finished_run, profile_name, tmp_path):
    outcome = gnomon("export", finished_run, "--profile", profile_name, "--out", tmp_path / "model", "--json")
    assert outcome.code == 0
    assert {parity["backend"] for parity in outcome.json["parities"]} >= {"onnxruntime", "openvino"}
    record = json.loads((tmp_path / "model" / "model.json").read_text())
    accuracy = record["metric"]
    assert (accuracy["name"], accuracy["unit"], accuracy["examples"]) == ("accuracy", "percent", 250)
    assert abs(accuracy["onnxruntime"] - accuracy["torch"]) <= 0.1
    assert [(one["file"], one["runs"]) for one in record["models"]] == [("model.onnx", 1)]
    assert record["feeding"] is None
    assert record["companions"] == []
    assert (tmp_path / "model" / "model.onnx").stat().st_size > 10_000
    latency = record["latency"]
    assert latency["measured_us"] or latency["not_measured"]
