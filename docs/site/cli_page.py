"""The reference of the command line, generated from the commands themselves."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from typer.main import get_command

from gnomon.cli.groups import GROUPS
from gnomon.cli.main import app

HEAD = """# Command line

This page is made from the code. `gnomon VERB --help` says the same in a terminal.

Exit codes: 0 ok; 2 usage or bad input; 3 backend or environment; 4 measurement quality under `--strict`; 5 device
unreachable; 130 interrupted. After 130, the same command goes on where it was.

Tables go to stdout. Progress and errors go to stderr.
"""


def cli_page() -> str:
    """Return the page, as Markdown."""
    commands = get_command(app).commands  # type: ignore[attr-defined]
    parts = [HEAD]
    for title, verbs in GROUPS.items():
        parts.append(f"## {title}\n")
        for verb in verbs:
            parts += described(verb, commands[verb])
    return "\n".join(parts)


def described(name: str, command: Any) -> Iterator[str]:
    """Yield the section of a verb, or one for each of its commands."""
    inner = getattr(command, "commands", None)
    if inner:
        yield f"### gnomon {name}\n\n{in_markdown(command.help)}\n"
        for child, one in inner.items():
            yield from described(f"{name} {child}", one)
        return
    context = command.make_context(name, [], resilient_parsing=True)
    usage = " ".join(["gnomon", name, *command.collect_usage_pieces(context)])
    depth = "####" if " " in name else "###"
    yield f"{depth} gnomon {name}\n\n{in_markdown(command.help)}\n\n```text\n{usage}\n```\n"
    records = [record for one in command.params if (record := one.get_help_record(context))]
    if records:
        rows = [f"| {in_code(option)} | {in_cell(text)} |" for option, text in records]
        yield "\n".join(["| argument or option | meaning |", "|---|---|", *rows]) + "\n"


def in_code(text: str) -> str:
    """Return an option as code in a cell."""
    return "`" + text.replace("|", "\\|") + "`"


def in_cell(text: str) -> str:
    """Return help in a cell of a table."""
    return in_markdown(text).replace("|", "\\|").replace("\n", " ")


def in_markdown(text: str | None) -> str:
    """Return plain text with what Markdown would take for markup escaped."""
    text = text or ""
    for mark in "\\<*_[":
        text = text.replace(mark, f"\\{mark}")
    return text
