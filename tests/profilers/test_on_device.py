"""The package can be carried to a device: old grammar, few imports, nothing else of gnomon."""

import ast
import subprocess
import sys
from pathlib import Path

import pytest

import gnomon.profilers
from gnomon.profilers import PlannedModel, RunConfig, TimingPolicy, read_results, write_plan
from gnomon.profilers.testing import affine_model
from gnomon.profilers.transports.archive import worker_archive

PACKAGE = Path(gnomon.profilers.__file__).parent
FILES = [*sorted(PACKAGE.rglob("*.py")), PACKAGE.with_name("temporary.py")]
ALLOWED = set(sys.stdlib_module_names) - {"graphlib", "tomllib", "zoneinfo"} | {"numpy"}
LATER_NAMES = {  # since 3.9 or later, in modules that this package uses or is likely to
    *("removeprefix", "removesuffix", "is_relative_to", "with_stem", "readlink", "hardlink_to", "walk", "pairwise"),
    *("batched", "cache", "lcm", "cbrt", "nextafter", "to_thread", "chdir", "waitstatus_to_exitcode", "file_digest"),
    *("UTC", "StrEnum", "Self", "TypeAlias", "ParamSpec", "bit_count", "add_note", "process_cpu_count"),
}
LATER_KEYWORDS = {
    "slots",
    "kw_only",
    "weakref_slot",
    "ignore_cleanup_errors",
    "process_group",
    "delete_on_close",
}


def imported(path):
    for node in ast.walk(ast.parse(path.read_text())):
        if isinstance(node, ast.Import):
            yield from (alias.name.partition(".")[0] for alias in node.names)
        elif isinstance(node, ast.ImportFrom) and node.level == 0:
            yield node.module.partition(".")[0]


@pytest.mark.parametrize("path", FILES, ids=lambda path: str(path.relative_to(PACKAGE.parent)))
def test_every_file_has_the_grammar_of_python_3_8(path):
    ast.parse(path.read_text(), feature_version=(3, 8))
    assert "from __future__ import annotations" in path.read_text() or path.name == "__init__.py"


@pytest.mark.parametrize("path", FILES, ids=lambda path: str(path.relative_to(PACKAGE.parent)))
def test_no_file_calls_what_later_versions_brought(path):
    for node in ast.walk(ast.parse(path.read_text())):
        assert not (isinstance(node, ast.Attribute) and node.attr in LATER_NAMES), ast.unparse(node)
        assert not (isinstance(node, ast.keyword) and node.arg in LATER_KEYWORDS), ast.unparse(node)
        is_zip = isinstance(node, ast.Call) and isinstance(node.func, ast.Name) and node.func.id == "zip"
        assert not (is_zip and node.keywords), ast.unparse(node)  # strict=


@pytest.mark.parametrize("path", FILES, ids=lambda path: str(path.relative_to(PACKAGE.parent)))
def test_every_file_imports_only_what_a_device_has(path):
    own = {path.stem} if path.parent.name == "backends" else set()
    own |= {path.stem, f"onnxruntime_ep_{path.stem}"} if path.parent.name == "providers" else set()
    tests = {"pytest", "onnx"} if path.stem.startswith("testing") else set()
    assert set(imported(path)) <= ALLOWED | own | tests


@pytest.mark.parametrize("path", FILES, ids=lambda path: str(path.relative_to(PACKAGE.parent)))
def test_relative_imports_stay_inside_the_package(path):
    depth = len(path.relative_to(PACKAGE.parent).parts) - 1
    nodes = [node for node in ast.walk(ast.parse(path.read_text())) if isinstance(node, ast.ImportFrom)]
    beyond = {node.module for node in nodes if node.level > depth}
    assert beyond <= {"temporary"} | ({"errors"} if path.name == "errors.py" else set())


@pytest.mark.slow
def test_the_worker_runs_from_a_zip_file(tmp_path):
    pytest.importorskip("onnxruntime")
    (tmp_path / "worker.pyz").write_bytes(worker_archive())
    write_plan(
        tmp_path / "plan",
        backend="onnxruntime",
        config=RunConfig(),
        policy=TimingPolicy(block_us=500, min_passes=1, max_passes=1, processes=1),
        models=[PlannedModel("good", "layer", affine_model())],
    )
    command = [sys.executable, tmp_path / "worker.pyz", tmp_path / "plan", "--results", tmp_path / "results.jsonl"]
    subprocess.run(command, check=True, capture_output=True)
    assert set(read_results(tmp_path / "results.jsonl").measurements) == {"good"}
