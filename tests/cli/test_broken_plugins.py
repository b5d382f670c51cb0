"""Packages that registered what cannot be loaded: in nobody's way, and named when they are asked for."""

import re
from dataclasses import replace

import pytest

from gnomon.supernets.checkpoints.published import FORMATS
from gnomon.supernets.errors import DataUnavailable, PluginBroken
from gnomon.supernets.layers.registry import KINDS
from gnomon.supernets.registry import load_space
from gnomon.supernets.tasks import TASKS, load_task

GROUPS = {
    "spaces": "gnomon.spaces",
    "layers": "gnomon.layers",
    "recipes": "gnomon.recipes",
    "tasks": "gnomon.tasks",
    "checkpoints": "gnomon.checkpoints",
    "objectives": "gnomon.objectives",
    "surrogates": "gnomon.surrogates",
    "tactics": "gnomon.tactics",
    "algorithms": "gnomon.algorithms",
    "lut_formats": "gnomon.lut_formats",
    "run_formats": "gnomon.run_formats",
}
WAYS = {
    "absent": ("no_such_module_here:build", "ModuleNotFoundError: No module named 'no_such_module_here'"),
    "bare": ("poor_plugin:nothing_called_so", "AttributeError: module 'poor_plugin' has no attribute"),
    "raising": ("raising_plugin:build", r"RuntimeError: out of order \(raising_plugin.py, line 1\)"),
    "failing": ("poor_plugin:fail", r"ZeroDivisionError: division by zero \(poor_plugin.py, line 2\)"),
}
POOR = "def fail(*anything, **more):\n    return 1 / 0\n"


@pytest.fixture
def broken(tmp_path_factory, monkeypatch):
    """Another package whose entry points, of every group and under the name of each way, are all broken."""
    site = tmp_path_factory.mktemp("site")
    (site / "raising_plugin.py").write_text("raise RuntimeError('out of\\n  order')\n")
    (site / "poor_plugin.py").write_text(POOR)
    info = site / "poor_plugin-0.3.dist-info"
    info.mkdir()
    (info / "METADATA").write_text("Metadata-Version: 2.1\nName: poor-plugin\nVersion: 0.3\n")
    lines = [f"[{group}]\n" + "".join(f"{way} = {WAYS[way][0]}\n" for way in WAYS) for group in GROUPS.values()]
    (info / "entry_points.txt").write_text("".join(lines))
    monkeypatch.syspath_prepend(str(site))
    load_space.cache_clear()
    yield
    load_space.cache_clear()


def asked_for(kind, name, run, tmp_path):
    """Return the arguments of a verb that asks for `name`."""
    search = ["search", "--space", "fashion_mnist", "--objectives", "macs,params", "--out", tmp_path / "o"]
    return {
        "spaces": ["search", "--space", name, "--objectives", "macs,params", "--out", tmp_path / "o"],
        "recipes": ["train", name],
        "objectives": ["search", "--space", "fashion_mnist", "--objectives", f"macs,{name}", "--out", tmp_path / "o"],
        "tactics": [*search, "--tactic", name],
        "surrogates": [*search, "--tactic", "linas", "--surrogate", name],
        "algorithms": [*search, "--algorithm", name],
        "run_formats": ["runs", "export", run, "--format", name, "--out", tmp_path / "o"],
        "lut_formats": ["lut", "import", run / "run.json", "--format", name, "--space", "fashion_mnist", "--out", "o"],
    }[kind]


@pytest.mark.slow
def test_verbs_that_need_none_of_it_work(broken, gnomon, finished_run, profile_name, tmp_path):
    listed = gnomon("spaces", "--json")
    assert listed.code == 0
    assert "fashion_mnist" in {one["space"] for one in listed.json}
    assert len([line for line in listed.err.splitlines() if "package poor-plugin 0.3" in line]) == len(WAYS)
    for arguments in (
        ("search", "--space", "fashion_mnist", "--objectives", "macs,params", "--budget", 4, "--out", tmp_path / "run"),
        ("pareto", finished_run),
        ("runs", "export", finished_run, "--out", tmp_path / "run.csv"),
        ("lut", "export", profile_name, "--out", tmp_path / "table.csv"),
        ("predict", profile_name, "--arch", "largest"),
        ("evaluate", "fashion_mnist", "--arch", "smallest"),
    ):
        outcome = gnomon(*arguments)
        assert outcome.code == 0, outcome.err


@pytest.mark.parametrize("way", ["absent", "bare", "raising"])
@pytest.mark.parametrize("registry", [TASKS, KINDS, FORMATS], ids=lambda registry: registry.group)
def test_what_spaces_ask_for_is_named_too(broken, registry, way):
    with pytest.raises(PluginBroken, match=f"{way!r} of package poor-plugin 0.3.*{registry.group}.*{WAYS[way][1]}"):
        registry.load(way)
    assert way in registry.names()
    assert way not in dict(registry.loadable())


def test_a_task_that_raises_is_blamed_and_its_own_refusals_are_not(broken, monkeypatch):
    import poor_plugin

    monkeypatch.setattr(poor_plugin.fail, "load", poor_plugin.fail, raising=False)
    space = replace(load_space("fashion_mnist"), task="failing")
    with pytest.raises(PluginBroken, match=r"the task 'failing' of package poor-plugin.*ZeroDivisionError"):
        load_task(space)

    def refuse(*anything):
        raise DataUnavailable("the data are elsewhere")

    monkeypatch.setattr(poor_plugin.fail, "load", refuse)
    with pytest.raises(DataUnavailable, match=r"^the data are elsewhere$"):
        load_task(space)


@pytest.mark.parametrize("way", WAYS)
@pytest.mark.parametrize(
    "kind", ["spaces", "recipes", "objectives", "tactics", "surrogates", "algorithms", "run_formats", "lut_formats"]
)
def test_asked_for_by_name_the_package_is_named_in_one_line(broken, gnomon, finished_run, tmp_path, kind, way):
    reason = WAYS[way][1]
    if way == "failing" and kind in ("recipes", "run_formats", "lut_formats"):
        reason = "AttributeError: it has no "  # an entry point of these is a module, and a function is none
    outcome = gnomon(*asked_for(kind, way, finished_run, tmp_path))
    assert outcome.code == 3, outcome.err
    (line,) = [line for line in outcome.err.splitlines() if line.startswith("error: ")]
    assert f"{way!r} of package poor-plugin 0.3" in line
    assert f"of group {GROUPS[kind]}) is broken: " in line
    assert outcome.err.splitlines()[-1] == line
    assert re.search(reason, line)
