"""Graphs come back from a device as they were told there, or are refused."""

import hashlib
import io
import json
import zipfile
from dataclasses import replace

import pytest

from gnomon.profilers import RunConfig, fingerprint
from gnomon.profilers.errors import BundleDamaged, PlanMismatch
from gnomon.profilers.runtimes.graphs.fused_graph import FusedGraph, Primitive
from gnomon.profilers.transports.graph_file import AskedGraphs, graphs_to_zip, read_graphs

ASKED = (b"one", b"two")
OWN = FusedGraph(
    model=b"one, optimised",
    is_own=True,
    primitives=(Primitive("Conv", (0,), ("n0", "n1")),),
    values={"y": ("float32", (1, 8))},
    added={"Reorder": 2},
    denormal=("y",),
    runtime="onnxruntime 1.0",
)
THEIRS = replace(OWN, model=b"two", is_own=False, runtime="openvino 1.0")


def written(path, graphs=(OWN, THEIRS)):
    path.write_bytes(graphs_to_zip(AskedGraphs("x", RunConfig(threads=2), fingerprint(), ASKED, graphs)))
    return path


def edited(path, change):
    """Write the file anew after a change of what it tells."""
    with zipfile.ZipFile(path) as archive:
        contents = {name: archive.read(name) for name in archive.namelist()}
    told = json.loads(contents["graphs/graphs.json"])
    change(told, contents)
    contents["graphs/graphs.json"] = json.dumps(told).encode()
    held = io.BytesIO()
    with zipfile.ZipFile(held, "w") as archive:
        for name, content in contents.items():
            archive.writestr(name, content)
    path.write_bytes(held.getvalue())
    return path


def test_graphs_are_read_as_they_were_told(tmp_path):
    found = read_graphs(written(tmp_path / "g.zip"), ASKED)
    assert found.graphs == [OWN, THEIRS]
    assert (found.backend, found.config, found.hardware) == ("x", RunConfig(threads=2), fingerprint())
    assert read_graphs(tmp_path / "g.zip", ASKED[::-1]).graphs == [THEIRS, OWN]


def test_equal_graphs_give_equal_bytes(tmp_path):
    assert written(tmp_path / "a.zip").read_bytes() == written(tmp_path / "b.zip").read_bytes()


def test_graphs_of_other_models_are_refused(tmp_path):
    with pytest.raises(PlanMismatch, match="of other models"):
        read_graphs(written(tmp_path / "g.zip"), [b"three"])


def altered_model(told, contents):
    name = next(name for name in contents if name.endswith(".onnx"))
    contents[name] = b"another"


def first(told):
    return told["graphs"][hashlib.sha256(b"one").hexdigest()]


@pytest.mark.parametrize(
    "change",
    [
        altered_model,
        lambda told, contents: told.update(version=2),
        lambda told, contents: told.pop("hardware"),
        lambda told, contents: contents.update({"graphs/../x": b""}),
        lambda told, contents: first(told).update(model=None),
        lambda told, contents: first(told)["primitives"][0].update(nodes=[-1]),
        lambda told, contents: first(told)["values"].update(y=["float32", [1, 1.5]]),
        lambda told, contents: first(told)["values"].update(y=["float32", [1] * 65]),
        lambda told, contents: first(told)["primitives"][0].update(operator=7),
        lambda told, contents: told.update(graphs=[]),
    ],
)
def test_what_no_device_tells_is_refused_in_one_error(tmp_path, change):
    with pytest.raises(BundleDamaged):
        read_graphs(edited(written(tmp_path / "g.zip"), change), ASKED)


def test_what_is_no_zip_file_is_refused(tmp_path):
    (tmp_path / "g.zip").write_bytes(b"no")
    with pytest.raises(BundleDamaged, match="not a whole zip file"):
        read_graphs(tmp_path / "g.zip", ASKED)
