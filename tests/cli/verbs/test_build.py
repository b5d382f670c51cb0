"""`gnomon build`: engines for a GPU that is not here, and the spread of builds on this machine."""

import hashlib
import json
from pathlib import Path

import pytest

from gnomon.profilers import BackendUnavailable
from gnomon.profilers.runtimes.registry import load_builder
from gnomon.profilers.testing import affine_model


@pytest.fixture
def model(tmp_path):
    (tmp_path / "affine.onnx").write_bytes(affine_model())
    return tmp_path / "affine.onnx"


@pytest.fixture
def rtx():
    try:
        load_builder("tensorrt_rtx")
    except BackendUnavailable as error:
        pytest.skip(str(error))


def test_an_engine_is_written_with_what_it_was_made_of(gnomon, rtx, model, tmp_path):
    outcome = gnomon("build", model, "--target", "sm86", "--out", tmp_path / "out", "--json")
    assert outcome.code == 0
    engine = tmp_path / "out" / "affine.sm86.engine"
    assert [row["path"] for row in outcome.json] == [str(engine)]
    described = json.loads(engine.with_suffix(".json").read_text())
    assert described["onnx_sha256"] == hashlib.sha256(affine_model()).hexdigest()
    assert described["engine_sha256"] == hashlib.sha256(engine.read_bytes()).hexdigest()
    assert described["target"] == "sm86"
    assert described["options"]["precision"] == "fp32"
    assert described["versions"]["tensorrt_rtx"]


def test_an_engine_is_replaced_only_when_asked(gnomon, rtx, model, tmp_path):
    arguments = ("build", model, "--target", "sm120", "--out", tmp_path)
    assert gnomon(*arguments).code == 0
    refused = gnomon(*arguments)
    assert refused.code == 2
    assert "--force" in refused.err
    assert gnomon(*arguments, "--force").code == 0


def test_what_cannot_be_built_is_named_after_all_else_is_built(gnomon, rtx, model, tmp_path):
    (tmp_path / "a_broken.onnx").write_bytes(b"this is not ONNX")
    outcome = gnomon("build", tmp_path, "--target", "sm86", "--out", tmp_path / "out")
    assert outcome.code == 3
    assert "could not build 1 of 2 models for sm86: a_broken: " in outcome.err
    assert [path.name for path in sorted((tmp_path / "out").iterdir())] == ["affine.sm86.engine", "affine.sm86.json"]


@pytest.mark.slow
def test_sub_networks_of_a_space_are_built_part_by_part(gnomon, rtx, tmp_path):
    arguments = ("--space", "translate_en_de", "--arch", "smallest", "--target", "sm86", "--out", tmp_path)
    rows = gnomon("build", *arguments, "--json").json
    assert sorted(row["path"].rsplit(".", 3)[1] for row in rows) == ["decoder_step", "encoder"]


@pytest.mark.slow
def test_sub_networks_are_built_in_a_precision(gnomon, rtx, tmp_path):
    arguments = ("--space", "fashion_mnist", "--arch", "smallest", "--target", "sm86", "--out", tmp_path)
    (row,) = gnomon("build", *arguments, "--precision", "int8", "--json").json
    described = json.loads(Path(row["path"]).with_suffix(".json").read_text())
    assert described["options"]["precision"] == "int8"


def test_an_unknown_target_lists_the_known(gnomon, rtx, model, tmp_path):
    outcome = gnomon("build", model, "--target", "sm1", "--out", tmp_path)
    assert outcome.code == 3
    assert "known are: sm75" in outcome.err


@pytest.mark.parametrize(
    ("backend", "why"), [("tensorrt", "timing them"), ("onnxruntime", "Those that do are: tensorrt_rtx")]
)
def test_a_backend_that_builds_nothing_ahead_says_so(gnomon, model, tmp_path, backend, why):
    outcome = gnomon("build", model, "--backend", backend, "--target", "sm86", "--out", tmp_path)
    assert outcome.code == 3
    assert why in outcome.err


def test_builds_are_compared_on_any_backend(gnomon, model):
    found = gnomon("build", model, "--backend", "onnxruntime", "--spread", "2", "--json").json["affine"]
    assert len(found["values_us"]) == 2
    assert found["relative"] >= 0


@pytest.mark.parametrize(
    "arguments",
    [
        (),
        ("--target", "sm86"),
        ("--target", "sm86", "--out", "out"),
        ("--spread", "2"),
        ("--spread", "1", "model.onnx"),
        ("--spread", "2", "no-such-file.onnx"),
        ("--spread", "2", "--space", "fashion_mnist"),
        ("--spread", "2", "--target", "sm86", "--out", "out", "model.onnx"),
        ("--spread", "2", "."),
    ],
)
def test_what_cannot_be_meant_is_refused(gnomon, tmp_path, monkeypatch, arguments):
    monkeypatch.chdir(tmp_path)
    assert gnomon("build", *arguments).code == 2
    assert not list(tmp_path.iterdir())


def test_a_precision_that_there_is_none_of_is_refused(gnomon, model):
    outcome = gnomon("build", model, "--spread", "2", "--precision", "fp7")
    assert outcome.code == 2
    assert "'fp7'; expected one of fp32" in outcome.err


def test_two_models_of_one_name_are_refused(gnomon, model, tmp_path):
    (tmp_path / "other").mkdir()
    (tmp_path / "other" / "affine.onnx").write_bytes(affine_model())
    outcome = gnomon("build", model, tmp_path / "other", "--spread", "2", "--backend", "onnxruntime")
    assert outcome.code == 2
    assert "two models are called affine" in outcome.err
