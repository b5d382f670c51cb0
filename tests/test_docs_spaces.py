"""docs/spaces.md is true: its example is the one that is tested, its commands exist, its other code runs."""

import re
import shlex
import tomllib
from importlib import import_module
from pathlib import Path

import pytest

from gnomon.cli.main import run

ROOT = Path(__file__).parent.parent
TEXT = (ROOT / "docs" / "spaces.md").read_text(encoding="utf-8")
BLOCKS = re.findall(r"^```(\w*)\n(.*?)^```$", TEXT, re.MULTILINE | re.DOTALL)
COMMANDS = re.findall(r"^\$ (gnomon .*)$", TEXT, re.MULTILINE)


def code(language, word):
    (found,) = [text for kind, text in BLOCKS if kind == language and word in text]
    return found


def test_the_example_is_the_tested_one():
    tested = (ROOT / "tests" / "third_party" / "mixer_net.py").read_text(encoding="utf-8")
    assert code("python", "class MixerNet") == tested.replace("  # noqa: RUF012", "")


def test_the_recipe_is_the_tested_one():
    tested = (ROOT / "tests" / "third_party" / "mixer_recipe.py").read_text(encoding="utf-8")
    assert code("python", "recipes.fashion_mnist import").strip() in tested


def test_the_pyproject_is_valid_and_names_what_exists(mixer):
    points = tomllib.loads(code("toml", "entry-points"))["project"]["entry-points"]
    assert points == {
        "gnomon.spaces": {"mixer_net": "mixer_net:MixerNet"},
        "gnomon.recipes": {"mixer_net": "mixer_recipe"},
    }


def test_the_loop_of_blocks_is_a_space(mixer, tmp_path, monkeypatch):
    imports = "from gnomon.supernets.adapter import Block, TorchSpace, layer\nfrom mixer_net import Mixer, Stem\n"
    (tmp_path / "long_net.py").write_text(imports + code("python", "class LongNet"))
    monkeypatch.syspath_prepend(str(tmp_path))
    space = import_module("long_net").LongNet(resolution=16).space("long_net:resolution=16")
    assert (len(space.slots), len(space.choices), space.input_shape) == (21, 21, (1, 16, 16))
    assert len(space.layers(space.architecture(space.radices * 0))) == 9


@pytest.mark.parametrize("command", COMMANDS)
def test_commands_exist_with_their_options(command, capsys):
    words = shlex.split(command)[1:]
    nested = words[:2] if words[0] in ("data", "space") else words[:1]
    assert run([*nested, "--help"]) == 0
    offered = capsys.readouterr().out
    for option in (word for word in words if word.startswith("--")):
        assert option in offered, option


def test_files_that_are_named_exist():
    for name in re.findall(r"`(supernets/[\w/]+\.py)`", TEXT):
        assert "NAME" in name or "SPACE" in name or (ROOT / name).exists(), name
