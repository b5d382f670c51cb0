"""`gnomon backends` lists what works here; what is broken or absent ends no verb."""

import json
import os
import subprocess
import sys

import pytest

pytestmark = pytest.mark.slow

ABSENT_PLUGIN = """
import onnxruntime
onnxruntime.register_execution_provider_library = lambda name, path: None  # and so it has no device

def get_library_path():
    return ""
"""


@pytest.fixture
def site(tmp_path, monkeypatch):
    """A folder that this process and its children import from first, with two broken plug-ins and a deviceless one."""
    folder = tmp_path / "site"
    for name, version in (("bad", "1.0"), ("onnxruntime-ep-openvino", "9.9")):
        info = folder / f"{name.replace('-', '_')}-{version}.dist-info"
        info.mkdir(parents=True)
        (info / "METADATA").write_text(f"Metadata-Version: 2.1\nName: {name}\nVersion: {version}\n")
    points = "[gnomon.backends]\nbad = nosuchmodule:x\nworse = worse_backend:open_backend\n"
    (folder / "bad-1.0.dist-info" / "entry_points.txt").write_text(points)
    (folder / "worse_backend.py").write_text("def open_backend():\n    raise ValueError('no luck')\n")
    (folder / "onnxruntime_ep_openvino.py").write_text(ABSENT_PLUGIN)
    monkeypatch.syspath_prepend(str(folder))
    monkeypatch.setenv("PYTHONPATH", os.pathsep.join([str(folder), os.environ.get("PYTHONPATH", "")]))
    return folder


def test_every_backend_is_listed_with_its_state_and_reason(site, gnomon):
    found = {row["name"]: row for row in gnomon("backends", "--json").json}
    assert found["onnxruntime"]["state"] == "available"
    assert found["onnxruntime"]["reason"] == ""
    assert {found[name]["state"] for name in ("bad", "worse")} == {"broken"}
    assert "No module named 'nosuchmodule'" in found["bad"]["reason"]
    assert found["onnxruntime:openvino"]["version"] == "not available"
    assert "its device CPU; on this processor it has none" in found["onnxruntime:openvino"]["reason"]
    table = gnomon("backends")
    assert table.code == 0
    assert "ValueError: no luck" in table.out


def test_a_broken_backend_asked_for_by_name_is_one_line_and_exit_3(site, gnomon, tmp_path):
    for name in ("bad", "worse"):
        outcome = gnomon("profile", "--backend", name, "--out", tmp_path / "p.jsonl")
        assert outcome.code == 3
        assert outcome.err.splitlines()[-1].startswith(f"error: The backend '{name}' is broken: ")
        assert "Traceback" not in outcome.err
    assert not list(tmp_path.glob("p.jsonl*"))


def test_an_unusable_backend_asked_for_by_name_is_one_line_and_exit_3(site, gnomon, tmp_path):
    outcome = gnomon("profile", "--backend", "onnxruntime:openvino", "--out", tmp_path / "p.jsonl")
    assert outcome.code == 3
    assert outcome.err.splitlines()[-1].startswith("error: asked onnxruntime-ep-openvino 9.9 for its device CPU;")
    assert not list(tmp_path.glob("p.jsonl*"))


def test_an_export_leaves_them_out_and_names_them(site, finished_run, tmp_path):
    command = [sys.executable, "-m", "gnomon.cli", "export", str(finished_run), "--pick", "knee", "--out", "exported"]
    ended = subprocess.run(command, cwd=tmp_path, capture_output=True, text=True)
    assert ended.returncode == 0, ended.stderr
    said = [line for line in ended.stderr.splitlines() if line.startswith("not compared: ")]
    assert [line.split("'")[1] for line in said if "is broken" in line] == ["bad", "worse"]
    assert any("for its device CPU" in line for line in said)
    record = json.loads((tmp_path / "exported" / "model.json").read_text())
    assert {parity["backend"] for parity in record["parity"]} == {"onnxruntime", "openvino"}


def test_backends_lists_both_with_versions(gnomon):
    found = {row["name"]: row["version"] for row in gnomon("backends", "--json").json}
    assert found["onnxruntime"][0].isdigit()
    assert found["openvino"][0].isdigit()


def test_backends_lists_variants_with_their_devices_and_what_absent_ones_need(gnomon, monkeypatch):
    import onnxruntime

    monkeypatch.setattr(onnxruntime, "get_available_providers", lambda: ["CPUExecutionProvider"])
    found = {row["name"]: row for row in gnomon("backends", "--json").json}
    assert (found["openvino:npu"]["device"], found["onnxruntime:xnnpack"]["device"]) == ("npu", "cpu")
    assert found["onnxruntime:cuda"]["device"] == "gpu"
    assert found["onnxruntime:cuda"]["version"] == "not available"
    assert "onnxruntime-gpu" in found["onnxruntime:cuda"]["install"]
