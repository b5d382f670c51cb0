"""The README is true: its links resolve, its commands and options exist, its Python names are importable."""

import re
import shlex
from pathlib import Path

import pytest

from gnomon.cli.main import VERBS, run

ROOT = Path(__file__).parent.parent
README = (ROOT / "README.md").read_text(encoding="utf-8")
COMMANDS = sorted(set(re.findall(r"(?:^\$ |`)(gnomon [a-z][^`\n]*)", README, re.MULTILINE)))


@pytest.mark.parametrize("target", sorted(set(re.findall(r"\]\(([^)#]+)\)", README))))
def test_links_resolve(target):
    assert target.startswith("https://") or (ROOT / target).exists()


@pytest.mark.parametrize("command", COMMANDS)
def test_commands_exist_with_their_options(command, capsys):
    words = shlex.split(command)[1:]
    assert words[0] in VERBS
    nested = words[:2] if words[0] in ("lut", "data", "runs") else words[:1]
    assert run([*nested, "--help"]) == 0
    offered = capsys.readouterr().out
    for option in (word for word in words if word.startswith("--")):
        assert option in offered, option


def test_python_example_uses_public_names():
    import gnomon

    for name in set(re.findall(r"gnomon\.([a-z_]+)\(", README)):
        assert name in gnomon.__all__


def test_nothing_is_left_to_fill_in():
    assert "<!--" not in README
