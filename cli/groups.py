"""The groups that `gnomon --help` lists verbs in, the ones to start with first, and help that is never cut off."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import typer
from typer.core import TyperGroup

GROUPS: Mapping[str, tuple[str, ...]] = {
    "Start here": ("demo", "profile", "search", "export"),
    "Devices and latency": ("doctor", "backends", "predict", "lut", "bundle", "fleet", "build"),
    "Runs": ("pareto", "report", "finish", "runs"),
    "Super-networks": ("spaces", "space", "evaluate", "train", "data"),
}
VERBS = tuple(verb for verbs in GROUPS.values() for verb in verbs)
ENDLESS = 1_000_000  # characters; a longer help is wrapped, never cut


class Grouped(TyperGroup):
    """A command that lists its sub-commands by group, or under Commands, each with its whole sentence."""

    def format_commands(self, ctx: Any, formatter: Any) -> None:
        """Write the lists of commands."""
        shown = {name: command for name, command in self.commands.items() if not command.hidden}
        grouped = {title: [verb for verb in verbs if verb in shown] for title, verbs in self.groups().items()}
        rest = [name for name in shown if not any(name in names for names in grouped.values())]
        for title, names in {**grouped, "Commands": rest}.items():
            if names:
                with formatter.section(title):
                    formatter.write_dl([(name, shown[name].get_short_help_str(ENDLESS)) for name in names])

    def groups(self) -> Mapping[str, tuple[str, ...]]:
        """Return the groups; a verb with commands of its own has none."""
        return {}


def group_of_commands(app: typer.Typer, name: str, text: str) -> typer.Typer:
    """Add a verb to `app` that has commands of its own, and return it; `text` is its help."""
    group = typer.Typer(help=text, cls=Grouped, no_args_is_help=True, rich_markup_mode=None)
    group.callback()(lambda: None)  # without one, a single command would take the verb's place
    app.add_typer(group, name=name)
    return group


class Verbs(Grouped):
    """The verbs of `gnomon`."""

    def groups(self) -> Mapping[str, tuple[str, ...]]:
        """Return the groups of verbs."""
        return GROUPS
