"""What every public function has in common: paths may be strings, and every name can be found."""

import doctest
import importlib
import inspect
import re
import subprocess
import sys
from pathlib import Path

import pytest

import gnomon
from gnomon.lut import load_profile, shipped_profiles

PACKAGES = (
    "gnomon", "gnomon.api", "gnomon.lut", "gnomon.search", "gnomon.supernets", "gnomon.profilers",
    "gnomon.lut.interchange", "gnomon.search.interchange", "gnomon.supernets.checkpoints", "gnomon.supernets.tasks",
    "gnomon.reports.figures",
)  # fmt: skip
WRITTEN_BY_GNOMON = {
    "gnomon.search.FinalFront",
    "gnomon.search.Run",
    "gnomon.lut.Refreshed",
}  # values that functions return
ALSO_STRINGS = re.compile(r"\bstr\b|PathLike")


def public_functions():
    """Yield every public function and class with its name."""
    for package in PACKAGES:
        module = importlib.import_module(package)
        names = getattr(module, "__all__", None) or [
            name
            for name, value in vars(module).items()
            if not name.startswith("_") and getattr(value, "__module__", "") == package
        ]
        for name in names:
            value = getattr(module, name)
            if callable(value) and f"{package}.{name}" not in WRITTEN_BY_GNOMON:
                yield f"{package}.{name}", value


def with_methods(name, value):
    """Yield a function, or a class with its public methods."""
    yield name, value
    for method, found in vars(value).items() if inspect.isclass(value) else ():
        function = getattr(found, "__func__", found)
        if not method.startswith("_") and inspect.isfunction(function):
            yield f"{name}.{method}", function


def test_every_public_function_takes_paths_as_strings_too():
    seen = 0
    for name, value in (pair for found in public_functions() for pair in with_methods(*found)):
        try:
            parameters = inspect.signature(value).parameters.values()
        except (TypeError, ValueError):
            continue
        for parameter in parameters:
            annotation = str(parameter.annotation)
            if re.search(r"\bPath\b|PathLike", annotation):
                seen += 1
                assert ALSO_STRINGS.search(annotation), f"{name}({parameter.name}: {annotation})"
    assert seen > 20


@pytest.mark.slow
def test_strings_work_where_they_are_promised(tmp_path):
    from gnomon.lut import TableOrigin, import_table, read_table, write_table
    from gnomon.reports.figures import plot_fidelity, plot_front
    from gnomon.search import load_run
    from gnomon.search.interchange import write_run
    from gnomon.supernets.checkpoints import absent, load_checkpoint, read_tensors
    from gnomon.supernets.errors import CheckpointMismatch, DataUnavailable
    from gnomon.supernets.supernet import load_supernet

    profile = load_profile(next(n for n in shipped_profiles() if n.startswith("fashion_mnist/")))
    table = str(tmp_path / "deep" / "t.csv")
    write_table(profile, table)
    assert read_table(table)
    assert import_table(table, str(tmp_path / "p.jsonl"), TableOrigin()).profile.name == "p"
    plot_fidelity(profile, str(tmp_path / "f.png"))
    run = load_run(str(Path(__file__).parent / "search" / "samples" / "run_v1"))
    write_run(run, str(tmp_path / "r.csv"))
    plot_front(run, str(tmp_path / "g.svg"))
    assert {path.name for path in tmp_path.iterdir()} == {"deep", "p.jsonl", "f.png", "r.csv", "g.svg"}
    assert "there is no checkpoint gone" in absent("fashion_mnist", "gone")
    for read in (read_tensors, lambda path: load_checkpoint(None, path)):
        with pytest.raises(CheckpointMismatch, match="cannot read the checkpoint gone"):
            read("gone")
    with pytest.raises(DataUnavailable, match="the folder of the data, digits, does not exist"):
        load_supernet("fashion_mnist", data="digits")
    with pytest.raises(DataUnavailable, match="the folder of the data, digits, does not exist"):
        gnomon.run_search(gnomon.SearchConfig(space="fashion_mnist", objectives=("accuracy",)), "r", data="digits")
    with pytest.raises(CheckpointMismatch, match="there is no checkpoint gone"):
        gnomon.export(run, "knee", str(tmp_path / "out"), checkpoint="gone")


def test_every_public_name_is_listed_without_importing_the_search():
    code = (
        "import sys, gnomon; names = dir(gnomon); assert 'gnomon.search' not in sys.modules;"
        "assert set(gnomon.__all__) <= set(names), set(gnomon.__all__) - set(names)"
    )
    subprocess.run([sys.executable, "-c", code], check=True)


FUNCTIONS = [name for name in gnomon.__all__ if inspect.isfunction(getattr(gnomon, name))]
FUNCTIONS.remove("train")  # its example runs in tests/supernets/training/test_to_file.py, where data for it are


@pytest.mark.parametrize("name", FUNCTIONS)
def test_the_example_of_every_public_function_runs(name, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    if name == "build":
        pytest.importorskip("tensorrt_rtx")
    (example,) = doctest.DocTestFinder(recurse=False).find(getattr(gnomon, name), name, globs={"gnomon": gnomon})
    assert example.examples
    said = []
    result = doctest.DocTestRunner().run(example, out=said.append)
    assert result.failed == 0, "".join(said)


def test_training_is_a_call_too(tmp_path):
    with pytest.raises(gnomon.GnomonError, match="no recipe to train 'ofa_resnet50'"):
        gnomon.train("ofa_resnet50", out=str(tmp_path / "w.safetensors"))


@pytest.mark.parametrize(
    "base",
    [
        "supernets.errors.SupernetError",
        "profilers.errors.ProfilerError",
        "lut.errors.LutError",
        "search.errors.SearchError",
        "reports.errors.PlotRefused",
        "reports.errors.ReportRefused",
        "outputs.OutputUnusable",
    ],
)
def test_every_error_has_the_one_base(base):
    module, _, name = base.rpartition(".")
    assert issubclass(getattr(importlib.import_module(f"gnomon.{module}"), name), gnomon.GnomonError)


def test_the_names_that_users_look_for_are_there():
    wanted = (
        "profile load_profile run_search Study SearchConfig export predict evaluate train build diff "
        "Constraint Objective UserObjective SearchSpace GnomonError"
    )
    assert all(getattr(gnomon, name) is not None for name in wanted.split())
