"""An export's folder replaces nothing else."""

import hashlib
import json

import pytest

from gnomon.outputs import OutputUnusable
from gnomon.search.export.folder import NOT_ASKED, NOT_YET, complete, fault_of, require_place, write_export

LATENCY = {"predicted_us": 1.0, "measured_us": None, "not_measured": None}


def record_of(files, **changed):
    models = [{"file": name, "sha256": hashlib.sha256(held).hexdigest(), "runs": 1} for name, held in files.items()]
    return {"schema": "gnomon.export", "version": 3, "models": models, "companions": [], "latency": None, **changed}


def export(folder, content=b"model", *, not_measured=None, force=False, **changed):
    latency = None if not_measured is None else {**LATENCY, "not_measured": not_measured}
    files = {"model.onnx": content}
    write_export(folder, files, record_of(files, latency=latency, **changed), force=force)


def spoil_thesis(folder):
    (folder / "thesis.txt").write_text("years")


def spoil_model(folder):
    (folder / "model.onnx").write_bytes(b"tuned by hand")


def spoil_record(folder):
    (folder / "model.json").write_text('{"schema": "of another program"}')


def spoil_link(folder):
    (folder / "model.onnx").unlink()
    (folder / "model.onnx").symlink_to("/etc/hostname")


SPOILT = {
    "holds thesis.txt, which was not exported": spoil_thesis,
    "holds model.onnx, which is not as it was exported": spoil_model,
    "no model.json of an export": spoil_record,
    "holds model.onnx, which is not": spoil_link,
}


@pytest.mark.parametrize("said", SPOILT)
def test_a_folder_with_anything_else_in_it_is_left_as_it_is(tmp_path, said):
    export(tmp_path / "out")
    SPOILT[said](tmp_path / "out")
    before = {path.name: path.read_bytes() for path in (tmp_path / "out").iterdir()}
    with pytest.raises(OutputUnusable, match=said):
        require_place(tmp_path / "out", force=True, timed=False)
    with pytest.raises(OutputUnusable, match=said):
        export(tmp_path / "out", force=True)
    assert {path.name: path.read_bytes() for path in (tmp_path / "out").iterdir()} == before
    assert [path.name for path in tmp_path.iterdir()] == ["out"]


def test_a_folder_of_something_else_is_named_by_what_is_in_it(tmp_path):
    (tmp_path / "proj").mkdir()
    (tmp_path / "proj" / "thesis.txt").write_text("years")
    with pytest.raises(OutputUnusable, match=r"proj holds thesis\.txt and no model\.json .* so it is not replaced"):
        require_place(tmp_path / "proj", force=True, timed=True)
    (tmp_path / "link").symlink_to("proj")
    assert fault_of(tmp_path / "link")


def test_an_export_of_version_1_is_replaced_too(tmp_path):
    (tmp_path / "out").mkdir()
    (tmp_path / "out" / "model.onnx").write_bytes(b"model")
    record = {"schema": "gnomon.export", "version": 1, "sha256": hashlib.sha256(b"model").hexdigest()}
    (tmp_path / "out" / "model.json").write_text(json.dumps(record))
    export(tmp_path / "out", b"new", force=True)
    assert (tmp_path / "out" / "model.onnx").read_bytes() == b"new"


def test_an_export_that_waits_for_its_timing_is_completed_by_the_same_one_only(tmp_path):
    for not_measured in (NOT_YET, NOT_ASKED):
        folder = tmp_path / not_measured[:8]
        export(folder, not_measured=not_measured)
        with pytest.raises(OutputUnusable, match="force=True"):
            require_place(folder, force=False, timed=False)
        require_place(folder, force=False, timed=True)
        with pytest.raises(OutputUnusable, match="holds another export"):
            export(folder, b"another", not_measured=NOT_YET)
        export(folder, not_measured=NOT_YET)
        complete(folder, record_of({"model.onnx": b"model"}, latency={**LATENCY, "measured_us": 2.0}))
        assert json.loads((folder / "model.json").read_text())["latency"]["measured_us"] == 2.0
        with pytest.raises(OutputUnusable, match="force=True"):
            require_place(folder, force=False, timed=True)


def test_a_latency_is_not_written_beside_models_that_replaced_its_own(tmp_path):
    export(tmp_path / "out", not_measured=NOT_YET)
    export(tmp_path / "out", b"another", force=True)
    with pytest.raises(OutputUnusable, match="was replaced while"):
        complete(tmp_path / "out", record_of({"model.onnx": b"model"}, latency={**LATENCY, "measured_us": 2.0}))
    assert json.loads((tmp_path / "out" / "model.json").read_text())["latency"] is None
