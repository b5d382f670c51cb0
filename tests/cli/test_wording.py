"""The library speaks of parameters, the command line of options; both by the same messages."""

import ast
import re
from pathlib import Path

import pytest

from gnomon.cli.main import app
from gnomon.cli.wording import NAMED_OTHERWISE, PARAMETERS, WRITTEN, as_options

ROOT = Path(__file__).parent.parent.parent
LIBRARY = [
    *(path for name in ("api", "search", "lut", "supernets", "reports") for path in (ROOT / name).rglob("*.py")),
]
OPTION = re.compile(r"(?<![\w-])--[a-z]")
COMMAND = re.compile(r"(gnomon [a-z]+|python3 \S+|trtexec)\b[^;,\n]*")


@pytest.mark.parametrize(
    ("said", "shown"),
    [
        ("choose another `out`, or replace it with `force=True`", "choose another --out, or replace it with --force"),
        ("pass `data=FOLDER` with train/", "pass --data FOLDER with train/"),
        ("another `folder` or `start_from`", "another --out or --from"),
        ("say `accept=True`, `runtime_version=VERSION`", "say --accept-findings, --runtime-version VERSION"),
        ("`gnomon profile --space x` and `kernel`", "`gnomon profile --space x` and `kernel`"),
        ("`objectives=accuracy,latency`", "--objectives accuracy,latency"),
    ],
)
def test_parameters_are_written_as_options(said, shown):
    assert as_options(said) == shown


def texts(path):
    """Yield every string of a file that is no docstring, formatted ones with their expressions left out."""
    tree = ast.parse(path.read_text(encoding="utf-8"))
    passive = {id(node.value) for node in ast.walk(tree) if isinstance(node, ast.Expr)}
    inner = {
        id(part)
        for node in ast.walk(tree)
        if isinstance(node, ast.JoinedStr)
        for part in ast.walk(node)
        if part is not node
    }
    for node in ast.walk(tree):
        if id(node) in passive or id(node) in inner:
            continue
        if isinstance(node, ast.Constant) and isinstance(node.value, str):
            yield node.value
        elif isinstance(node, ast.JoinedStr):
            yield "".join(part.value if isinstance(part, ast.Constant) else "VALUE" for part in node.values)


@pytest.mark.slow
def test_the_library_names_no_option_outside_a_command():
    assert len(LIBRARY) > 100
    for path in LIBRARY:
        if not OPTION.search(path.read_text(encoding="utf-8")):
            continue
        for text in texts(path):
            if " " in text:  # a sentence; arguments of pip and the like are none
                assert not OPTION.search(COMMAND.sub("", text)), (path, text)


@pytest.mark.slow
def test_every_parameter_that_a_message_names_is_an_option_of_some_verb():
    options = set()

    def collect(group):
        for command in getattr(group, "commands", {}).values():
            collect(command)
        options.update(option for parameter in group.params for option in parameter.opts)

    import typer

    collect(typer.main.get_command(app))
    used = {name for path in LIBRARY for text in texts(path) for name, _ in WRITTEN.findall(text)} & PARAMETERS
    assert "force" in used
    for name in used:
        assert f"--{NAMED_OTHERWISE.get(name, name).replace('_', '-')}" in options


def test_one_message_reads_right_in_both(gnomon, finished_run, tmp_path):
    from gnomon.outputs import OutputUnusable
    from gnomon.search import load_run
    from gnomon.search.interchange import write_run

    path = tmp_path / "t.csv"
    write_run(load_run(finished_run), path)
    with pytest.raises(OutputUnusable, match="`force=True`") as raised:
        write_run(load_run(finished_run), path)
    assert "--" not in str(raised.value)
    assert (
        "choose another --out, or replace it with --force" in gnomon("runs", "export", finished_run, "--out", path).err
    )
