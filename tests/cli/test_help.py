"""Help, version, completion: what somebody sees who knows nothing yet."""

import os
import subprocess
import sys
from pathlib import Path

import pytest

from gnomon.cli import verbs
from gnomon.cli.groups import GROUPS, VERBS
from gnomon.cli.main import app
from gnomon.version import VERSION


def test_alone_it_helps(gnomon):
    outcome = gnomon()
    assert (outcome.code, outcome.err) == (0, "")
    assert outcome.out.strip() == gnomon("--help").out.strip()
    assert "error:" not in outcome.out


@pytest.mark.parametrize("verb", ["lut", "bundle", "space", "data", "runs"])
def test_a_group_alone_helps_too(gnomon, verb):
    outcome = gnomon(verb)
    assert outcome.code == 0
    assert "Commands:" in outcome.out


@pytest.mark.parametrize("arguments", [(), ("lut",), ("bundle",), ("profile",), ("search",), ("data",)])
def test_nothing_is_cut_off_at_80_columns(gnomon, monkeypatch, arguments):
    monkeypatch.setenv("COLUMNS", "80")
    lines = gnomon(*arguments, "--help").out.splitlines()
    assert max(map(len, lines)) <= 80
    usage = {line for line in lines if "ARGS]..." in line or "[OPTIONS]" in line}
    assert not [line for line in lines if line.endswith("...") and line not in usage]


def test_every_verb_is_in_one_group_and_the_first_says_where_to_start(gnomon):
    import typer

    files = [path for path in Path(verbs.__file__).parent.iterdir() if path.stem.isidentifier()]
    modules = {path.stem for path in files} - {"__init__", "__pycache__"}
    assert sorted(VERBS) == sorted(typer.main.get_command(app).commands) == sorted(modules)
    assert len(set(VERBS)) == len(VERBS)
    assert next(iter(GROUPS)) == "Start here"
    shown = gnomon("--help").out
    positions = [shown.index(f"{title}:") for title in GROUPS]
    assert positions == sorted(positions)


def test_the_version_says_of_what(gnomon):
    assert gnomon("--version").out == f"gnomon {VERSION}\n"


def completed(words, number):
    environment = os.environ | {
        "_GNOMON_COMPLETE": "complete_bash", "COMP_WORDS": words, "COMP_CWORD": str(number),
    }  # fmt: skip
    code = "import sys; sys.argv[0] = 'gnomon'; from gnomon.cli.main import main; main()"
    return subprocess.run(
        [sys.executable, "-c", code], env=environment, capture_output=True, text=True, timeout=300
    ).stdout.split()


@pytest.mark.slow
@pytest.mark.parametrize(
    ("words", "number", "found"),
    [
        ("gnomon evaluate fash", 2, {"fashion_mnist"}),
        ("gnomon search --space bert", 3, {"bert_minilm"}),
        ("gnomon profile --backend openv", 3, {"openvino", "openvino:gpu", "openvino:npu"}),
        ("gnomon pre", 1, {"predict"}),
        ("gnomon search --tactic li", 3, {"linas"}),
        ("gnomon search --surrogate r", 3, {"ridge"}),
        ("gnomon search --algorithm ns", 3, {"nsga2"}),
        ("gnomon profile --precision f", 3, {"fp16", "fp32"}),
    ],
)
def test_tab_completes_verbs_and_names_of_every_kind(words, number, found):
    assert set(completed(words, number)) == found


@pytest.mark.slow
def test_tab_completes_shipped_profiles():
    found = completed("gnomon predict fashion_mnist/", 2)
    assert found
    assert all(name.startswith("fashion_mnist/") for name in found)


def test_completion_can_be_shown(gnomon):
    assert "--install-completion" in gnomon("--help").out
    assert "--show-completion" in gnomon("--help").out


def test_help_imports_nothing_that_is_slow():
    code = (
        "import sys; from gnomon.cli.main import run; run(['--help']);"
        "slow = {'numpy', 'torch', 'pydantic', 'onnxruntime', 'gnomon.lut', 'gnomon.search'} & set(sys.modules);"
        "sys.exit(str(slow) if slow else 0)"
    )
    subprocess.run([sys.executable, "-c", code], check=True, capture_output=True)


@pytest.mark.parametrize("verb", VERBS)
def test_every_verb_has_help(gnomon, verb):
    outcome = gnomon(verb, "--help")
    assert outcome.code == 0
    assert "Usage" in outcome.out
