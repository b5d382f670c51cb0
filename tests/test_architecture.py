"""The law of the house: who imports whom, what a plain import may load, and what never appears in the source."""

import ast
import os
import re
import subprocess
import sys
import tomllib
from pathlib import Path

import pytest

ROOT = Path(__file__).parent.parent
PACKAGES = ("supernets", "profilers", "lut", "search", "reports", "cli")
MAY_IMPORT = {
    "supernets": set(),
    "profilers": set(),
    "lut": {"supernets", "profilers"},
    "search": {"supernets", "profilers", "lut"},
    "reports": {"supernets", "profilers", "lut", "search"},
    "cli": {"supernets", "profilers", "lut", "search", "reports", "api", "demo"},
}
ALWAYS = {"version", "outputs"}
HEAVY = ("torch", "onnxruntime", "openvino", "tensorrt", "pymoo", "sklearn", "pandas", "scipy", "matplotlib", "optuna")
SOURCES = sorted(path for package in PACKAGES for path in (ROOT / package).rglob("*.py"))


def run_python(code):
    return subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True).stdout


def imported_siblings(path):
    """Yield the top-level sub-packages of gnomon that a source file imports, by relative or absolute name."""
    depth = len(path.relative_to(ROOT).parts) - 1
    for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
        if isinstance(node, ast.ImportFrom) and node.level == depth + 1:
            yield from [node.module.split(".")[0]] if node.module else [alias.name for alias in node.names]
        if isinstance(node, ast.ImportFrom) and node.level == 0 and (node.module or "").startswith("gnomon"):
            yield node.module.partition(".")[2].split(".")[0]


@pytest.mark.parametrize("path", SOURCES, ids=lambda path: str(path.relative_to(ROOT)))
def test_imports_follow_the_arrows(path):
    package = path.relative_to(ROOT).parts[0]
    assert set(imported_siblings(path)) - {package} <= MAY_IMPORT[package] | ALWAYS


@pytest.mark.parametrize("path", SOURCES, ids=lambda path: str(path.relative_to(ROOT)))
def test_only_evolution_imports_pymoo(path):
    if path.relative_to(ROOT).parts[:2] != ("search", "evolution"):
        assert not re.search(r"^\s*(import|from) pymoo\b", path.read_text(encoding="utf-8"), re.MULTILINE)


def test_listed_packages_are_those_of_the_tree():
    listed = tomllib.loads((ROOT / "pyproject.toml").read_text())["tool"]["setuptools"]["packages"]
    folders = {path.parent.relative_to(ROOT) for path in SOURCES if path.name == "__init__.py"}
    assert sorted(listed) == sorted(["gnomon", *("gnomon." + ".".join(folder.parts) for folder in folders)])


def test_importing_gnomon_loads_nothing_heavy():
    loaded = run_python("import sys, gnomon; print(*sys.modules)").split()
    assert not {name.split(".")[0] for name in loaded} & set(HEAVY)


def test_help_loads_nothing_heavy_and_is_quick():
    # CPU time, not wall time: other work on the machine must not fail this.
    code = "from gnomon.cli.main import run; run(['--help']); import sys; print(*sys.modules)"
    before = os.times()
    output = run_python(code)
    after = os.times()
    assert not {name.split(".")[0] for name in output.split()} & {*HEAVY, "onnx", "pydantic"}
    assert (after.children_user - before.children_user) + (after.children_system - before.children_system) < 0.3 * 2


@pytest.mark.parametrize("path", SOURCES, ids=lambda path: str(path.relative_to(ROOT)))
def test_no_code_can_be_smuggled_in_by_a_file(path):
    source = path.read_text(encoding="utf-8")
    called = {
        node.func.id
        for node in ast.walk(ast.parse(source))
        if isinstance(node, ast.Call) and isinstance(node.func, ast.Name)
    }
    assert not called & {"eval", "exec", "compile", "__import__"}
    assert not re.search(r"^\s*(import|from) (pickle|marshal|shelve|dill|joblib)\b", source, re.MULTILINE)
    assert "shell=True" not in source
    for call in re.findall(r"torch\.load\([^)]*\)", source):
        assert "weights_only=True" in call
    for call in re.findall(r"np\.load\([^)]*\)", source):
        assert "allow_pickle=True" not in call


@pytest.mark.parametrize("path", [*SOURCES, *(ROOT / "tests").rglob("*.py"), *(ROOT / "benchmarks").glob("*.py")])
def test_files_stay_short(path):
    assert len(path.read_text(encoding="utf-8").splitlines()) <= 400
