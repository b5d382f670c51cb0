"""docs/tasks.md and docs/plugins.md are true: the examples are those that are tested, every group has its line."""

import ast
import re
import shlex
import tomllib
from importlib import import_module
from importlib.metadata import distribution
from pathlib import Path

import pytest

from gnomon.cli.main import run

ROOT = Path(__file__).parent.parent
TASKS = (ROOT / "docs" / "tasks.md").read_text(encoding="utf-8")
PLUGINS = (ROOT / "docs" / "plugins.md").read_text(encoding="utf-8")
BLOCKS = re.findall(r"^```(\w*)\n(.*?)^```$", TASKS, re.MULTILINE | re.DOTALL)
COMMANDS = re.findall(r"^\$ (gnomon .*)$", TASKS, re.MULTILINE)
SOURCES = [
    path for folder in ("supernets", "profilers", "lut", "search", "reports") for path in (ROOT / folder).rglob("*.py")
]


def groups_in(source):
    """Yield the entry-point groups of the registries that a module has."""
    yield from re.findall(r'^ENTRY_POINT_GROUP = "(.*)"', source, re.MULTILINE)
    for call in ast.walk(ast.parse(source)):
        if isinstance(call, ast.Call) and getattr(call.func, "id", "") == "Registry":
            texts = [argument.value for argument in call.args if isinstance(argument, ast.Constant)]
            yield from (text for text in texts if text.startswith("gnomon."))


def code(language, word):
    (found,) = [text for kind, text in BLOCKS if kind == language and word in text]
    return found


@pytest.mark.parametrize(("file", "word"), [("digits_task.py", "METRIC ="), ("digits_net.py", "class DigitsNet")])
def test_the_examples_are_the_tested_ones(file, word):
    tested = (ROOT / "tests" / "third_party" / file).read_text(encoding="utf-8")
    assert code("python", word) == tested.replace("  # noqa: RUF012", "")


def test_the_pyproject_is_the_tested_one(digits):
    points = tomllib.loads(code("toml", "entry-points"))["project"]["entry-points"]
    found = {(point.group, point.name, point.value) for point in distribution("gnomon-digits").entry_points}
    assert {(group, name, value) for group, names in points.items() for name, value in names.items()} == found


def test_the_contract_test_collects(digits):
    names = {}
    exec(compile(code("python", "TaskContract"), "docs/tasks.md", "exec"), names)  # our own page
    assert names["TestDigits"].space is not names["TaskContract"].space


@pytest.mark.parametrize("command", COMMANDS)
def test_commands_exist_with_their_options(command, capsys):
    words = shlex.split(command)[1:]
    assert run([words[0], "--help"]) == 0
    offered = capsys.readouterr().out
    for option in (word for word in words if word.startswith("--")):
        assert option in offered, option


@pytest.mark.slow
def test_every_group_has_a_line_of_the_table_and_no_other_is_listed():
    used = {group for path in SOURCES for group in groups_in(path.read_text(encoding="utf-8"))}
    assert len(used) > 11
    assert set(re.findall(r"^\| [^|]*`(gnomon\.\w+)`", PLUGINS, re.MULTILINE)) == used


def test_contracts_that_are_named_exist():
    for module, name in re.findall(r"`(gnomon\.[\w.]+)\.(\w+Contract)`", PLUGINS):
        assert hasattr(import_module(module), name)
    for path in re.findall(r"`((?:supernets|profilers|lut|search)/[\w/]+\.py)`", PLUGINS + TASKS):
        assert (ROOT / path).exists(), path
