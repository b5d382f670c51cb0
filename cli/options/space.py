"""The space that a verb takes, as an argument or as --space in every verb alike, and architectures of it."""

from __future__ import annotations

from typing import Annotated, overload

import typer

from .completion import space_names

HELP = "Search space, e.g. fashion_mnist or ofa_mobilenetv3:width=1.2 (gnomon spaces lists them)."

SpaceArgument = Annotated[str | None, typer.Argument(metavar="[SPACE]", help=HELP, autocompletion=space_names)]
SpaceOption = Annotated[
    str | None, typer.Option("--space", metavar="SPACE", help="The same, as an option.", autocompletion=space_names)
]
Architectures = Annotated[
    list[str] | None,
    typer.Option(help="largest, smallest, random:N, or option indices such as 0,2,1,... May be repeated."),
]
ArchitectureSeed = Annotated[int, typer.Option(help="Of random architectures.", min=0)]


@overload
def named_space(argument: str | None, option: str | None, *, default: str) -> str: ...


@overload
def named_space(argument: str | None, option: str | None, *, default: None) -> str | None: ...


def named_space(argument: str | None, option: str | None, *, default: str | None) -> str | None:
    """Return the space that was named, either way, else `default`; raises BadParameter for two different ones."""
    if argument is not None and option is not None and argument != option:
        raise typer.BadParameter(f"two spaces are named, {argument} and --space {option}; name one")
    return argument or option or default


def required_space(argument: str | None, option: str | None, *, example: str) -> str:
    """Return the space that was named, either way; raises BadParameter for none, or two different ones."""
    named = named_space(argument, option, default=None)
    if named is None:
        raise typer.BadParameter(f"no space is named; expected one, as {example} (gnomon spaces lists them)")
    return named
