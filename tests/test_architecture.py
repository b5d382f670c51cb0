"""The law of the house: who imports whom, what a plain import may load, and what never appears in the source."""

import ast
import functools
import os
import re
import shutil
import subprocess
import sys
import tomllib
from graphlib import CycleError, TopologicalSorter
from pathlib import Path

import pytest

ROOT = Path(__file__).parent.parent
PACKAGES = ("supernets", "profilers", "lut", "search", "reports", "api", "cli")
MAY_IMPORT = {
    "supernets": set(),
    "profilers": set(),
    "lut": {"supernets", "profilers"},
    "search": {"supernets", "profilers", "lut"},
    "reports": {"supernets", "profilers", "lut", "search"},
    "api": {"supernets", "profilers", "lut", "search", "reports"},
    "cli": {"supernets", "profilers", "lut", "search", "reports", "api"},
}
ALWAYS = {"version", "temporary", "inputs", "outputs", "printable", "errors", "settings"}
# The floors of each package, from the ground up: sub-packages and root modules. A floor imports those below it, and
# its rooms do not import each other.
FLOORS = {
    "profilers": (
        "errors exits files interrupts",
        "run_config journal",
        "child",
        "timing",
        "machine",
        "results",
        "runtimes",
        "resources testing_backend",
        "worker testing",
        "transports",
    ),
    "supernets": (
        "errors packages threads metric weight_files",
        "plugins",
        "recipes layers",
        "space",
        "graph",
        "precision families",
        "registry elastic",
        "own_networks",
        "spaces data",
        "tasks evaluation",
        "checkpoints",
        "supernet testing",
        "isolated",
        "training",
    ),
    "lut": (
        "errors record",
        "latency_model",
        "profile_file",
        "lint",
        "interchange",
        "measuring",
        "kernels",
        "analysis fleet",
    ),
    "search": (
        "errors",
        "config",
        "problem",
        "archive executor",
        "deployments",
        "fronts",
        "evolution",
        "prediction",
        "tactic",
        "runs",
        "acquisition interchange export",
        "rounds final worker_pool",
        "tactics open_rounds executors asked",
        "session",
        "measuring study",
        "loop",
        "testing",
    ),
    "reports": ("errors", "tracker", "trackers figures html"),
    "cli": ("exits groups wording streams", "printing", "options", "verbs", "main", "__main__"),
}
HEAVY = (
    "torch",
    "onnxruntime",
    "openvino",
    "tensorrt",
    "pymoo",
    "sklearn",
    "pandas",
    "scipy",
    "matplotlib",
    "optuna",
    "ray",
    "mlflow",
    "tensorboard",
    "wandb",
)
SOURCES = sorted(path for package in PACKAGES for path in (ROOT / package).rglob("*.py"))


def run_python(code):
    return subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True).stdout


@functools.cache
def nodes_of(text):
    """Parse a source text once for all rules: its imports from modules and its calls of plain names, wherever."""
    nodes = list(ast.walk(ast.parse(text)))
    imports = tuple(node for node in nodes if isinstance(node, ast.ImportFrom))
    return imports, {n.func.id for n in nodes if isinstance(n, ast.Call) and isinstance(n.func, ast.Name)}


def imports_in(path):
    return nodes_of(path.read_text(encoding="utf-8"))[0]


def files_that(are_broken, paths=SOURCES):
    """Name the files for which `are_broken(path, text)` tells that they break a rule."""
    return [str(path.relative_to(ROOT)) for path in paths if are_broken(path, path.read_text(encoding="utf-8"))]


def imported_siblings(path):
    """Yield the top-level sub-packages of gnomon that a source file imports, by relative or absolute name."""
    depth = len(path.relative_to(ROOT).parts) - 1
    for node in imports_in(path):
        if node.level == depth + 1:
            yield from [node.module.split(".")[0]] if node.module else [alias.name for alias in node.names]
        if node.level == 0 and (node.module or "").startswith("gnomon"):
            yield node.module.partition(".")[2].split(".")[0]


@pytest.mark.parametrize("package", PACKAGES)
def test_imports_follow_the_arrows(package):
    imported = {
        path: set(imported_siblings(path)) - {package} - MAY_IMPORT[package] - ALWAYS
        for path in SOURCES
        if path.relative_to(ROOT).parts[0] == package
    }
    assert imported
    assert {path: others for path, others in imported.items() if others} == {}


def modules_of(root):
    """Map the dotted name of every module below `root`, as "search.runs.run", to its file."""
    found = {}
    for path in sorted(path for package in PACKAGES for path in (root / package).rglob("*.py")):
        found[".".join(path.relative_to(root).with_suffix("").parts).removesuffix(".__init__")] = path
    return found


def imports_of(root):
    """Map every module below `root` to the modules of the same tree that it imports, wherever in the file."""
    modules = modules_of(root)
    found = {}
    for name, path in modules.items():
        found[name] = set()
        for node in imports_in(path):
            if not node.level:
                continue
            folder = path.relative_to(root).parts[: -node.level]
            base = ".".join([*folder, *(node.module or "").split(".")]).rstrip(".")
            named = (f"{base}.{alias.name}" if f"{base}.{alias.name}" in modules else base for alias in node.names)
            found[name] |= {other for other in named if other in modules} - {name}
    return found


def circle_in(graph):
    """Return the nodes of a circle of a graph, empty where there is none."""
    try:
        TopologicalSorter(graph).prepare()
    except CycleError as error:
        return error.args[1]
    return []


def arrows_up(root):
    """List the imports within packages that go to a room of the same floor or a higher one."""
    found, imports = [], imports_of(root)
    for package, floors in FLOORS.items():
        floor = {f"{package}.{room}": number for number, rooms in enumerate(floors) for room in rooms.split()}
        for name, others in imports.items():
            room = ".".join(name.split(".")[:2])
            for other in others if room.startswith(f"{package}.") else ():
                to = ".".join(other.split(".")[:2])
                if to == package or (to.startswith(f"{package}.") and to != room and floor[to] >= floor[room]):
                    found.append(f"{name} imports {other}")
    return found


def test_every_room_has_a_floor():
    for package, floors in FLOORS.items():
        rooms = {name.split(".")[1] for name in modules_of(ROOT) if name.startswith(f"{package}.")}
        listed = [room for floor in floors for room in floor.split()]
        assert sorted(listed) == sorted(rooms - {"examples"})


def test_no_import_goes_up():
    assert arrows_up(ROOT) == []


def test_no_verb_imports_another():
    for name, others in imports_of(ROOT).items():
        if name.startswith("cli.verbs."):
            assert not [other for other in others if other.startswith("cli.verbs.")], name


def test_no_modules_import_each_other_in_a_circle():
    assert circle_in(imports_of(ROOT)) == []


PLANTED = (
    ("search/problem/region.py", "from ..runs import run", "search.problem.region imports search.runs.run"),
    ("supernets/space/space.py", "from ..graph import OPSET", "supernets.space.space imports supernets.graph"),
    ("profilers/journal.py", "from . import Journal", "profilers.journal imports profilers"),
    ("lut/latency_model/model.py", "from ..lint.finding import X", "lut.latency_model.model imports lut.lint.finding"),
    ("cli/printing/front.py", "from ..options.run import X", "cli.printing.front imports cli.options.run"),
)


def test_planted_imports_are_found_and_nothing_else(tmp_path):
    for package in PACKAGES:
        shutil.copytree(
            ROOT / package, tmp_path / package, ignore=shutil.ignore_patterns("samples", "weights", "__pycache__")
        )
    for file, line, _ in PLANTED:
        planted = tmp_path / file
        planted.write_text(planted.read_text(encoding="utf-8") + f"\n\ndef hidden():\n    {line}\n", encoding="utf-8")
    assert sorted(arrows_up(tmp_path)) == sorted(said for _, _, said in PLANTED)


def test_a_planted_circle_is_found(tmp_path):
    (tmp_path / "lut").mkdir()
    (tmp_path / "lut" / "a.py").write_text("from .b import one\n")
    (tmp_path / "lut" / "b.py").write_text("def late():\n    from .a import two\n")
    assert sorted(set(circle_in(imports_of(tmp_path)))) == ["lut.a", "lut.b"]


def test_only_evolution_imports_pymoo():
    def imports_pymoo(path, text):
        return re.search(r"^\s*(import|from) pymoo\b", text, re.MULTILINE)

    found = {str(Path(path).parent) for path in files_that(imports_pymoo)}
    assert found
    assert all(folder.startswith("search/evolution") for folder in found)


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


def smuggles_code_in(path, text):
    """Tell whether a source could run code that a file brings."""
    return (
        nodes_of(text)[1] & {"eval", "exec", "compile", "__import__"}
        or re.search(r"^\s*(import|from) (pickle|marshal|shelve|dill|joblib)\b", text, re.MULTILINE)
        or "shell=True" in text
        or any("weights_only=True" not in call for call in re.findall(r"torch\.load\([^)]*\)", text))
        or any("allow_pickle=True" in call for call in re.findall(r"np\.load\([^)]*\)", text))
    )


def test_no_code_can_be_smuggled_in_by_a_file():
    assert files_that(smuggles_code_in) == []


@pytest.mark.parametrize(
    "line",
    [
        "eval(text)",
        "__import__(name)",
        "import pickle",
        "from joblib import load",
        "run(command, shell=True)",
        "torch.load(path)",
        "np.load(path, allow_pickle=True)",
    ],
)
def test_smuggled_code_is_seen(line):
    assert smuggles_code_in(None, f"def harmless():\n    {line}\n")
    assert not smuggles_code_in(None, "torch.load(path, weights_only=True)\nnp.load(path)\nre.compile(text)\n")


def test_files_stay_short():
    paths = [*SOURCES, *(ROOT / "tests").rglob("*.py"), *(ROOT / "benchmarks").glob("*.py")]
    assert files_that(lambda path, text: len(text.splitlines()) > 400, paths) == []
