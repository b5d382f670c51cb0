"""docs/spaces.md is true: its example is the one that is tested, its commands exist, its other code runs."""

import re
import shlex
import sys
import tomllib
from importlib import import_module
from pathlib import Path

import pytest

import gnomon
from gnomon.cli.main import run
from gnomon.supernets.own_networks.adapter import TorchSpace

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


def test_the_u_net_is_the_tested_one():
    tested = (ROOT / "tests" / "third_party" / "unet.py").read_text(encoding="utf-8")
    assert code("python", "class UNet") == tested.replace("  # noqa: RUF012", "")


def snippets():
    """Return the page's Python in order, each with the file that the line above it names, or one of its own."""
    found = []
    for match in re.finditer(r"^```python\n(.*?)^```$", TEXT, re.MULTILINE | re.DOTALL):
        paragraph = TEXT[: match.start()].rstrip().rpartition("\n\n")[2]
        names = re.findall(r"`(\w+)\.py`", paragraph)
        found.append((names[-1] if names else f"snippet{len(found)}", match[1]))
    return found


@pytest.mark.slow
def test_every_snippet_runs_as_written_in_order(mixer, quick_policy, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    monkeypatch.syspath_prepend(str(tmp_path))
    gnomon.profile("mixer_net", out="mixer.jsonl", networks=10, policy=quick_policy)
    written = [name for name, _ in snippets()]
    assert written == ["mixer_net", "snippet1", "mixer_recipe", "snippet3", "snippet4", "unet", "long_net"]
    loaded = {}
    for name, text in snippets():
        (tmp_path / f"{name}.py").write_text(text)
        loaded[name] = imported_anew(name, monkeypatch)
    assert loaded["snippet1"].study.done
    assert len(loaded["mixer_recipe"].recipe().phases) > 0
    spaces = [space for module in loaded.values() if (space := space_in(module))]
    assert [space.name for space in spaces] == ["mixernet", "ratings", "unet", "longnet"]
    for space in spaces:
        assert space.macs([space.radices * 0])[0] < space.macs([space.radices - 1])[0]


def imported_anew(name, monkeypatch):
    """Import a module from the file there is now; what was imported before by that name is back after the test."""
    monkeypatch.setitem(sys.modules, name, None)
    del sys.modules[name]
    return import_module(name)


def space_in(module):
    """Return the space that a snippet declares, if any."""
    for value in vars(module).values():
        if isinstance(value, type) and issubclass(value, TorchSpace) and value.__module__ == module.__name__:
            return value().space(value.__name__.lower())
    return None


def test_the_loop_of_blocks_is_a_space(mixer, tmp_path, monkeypatch):
    (tmp_path / "long_net.py").write_text(code("python", "class LongNet"))
    monkeypatch.syspath_prepend(str(tmp_path))
    space = imported_anew("long_net", monkeypatch).LongNet(resolution=16).space("long_net:resolution=16")
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
