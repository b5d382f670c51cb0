"""`--profile FILE`; for several devices `--profile pi5=FILE --profile xeon=FILE`; for deployments, several unnamed."""

from __future__ import annotations

import re
from collections.abc import Sequence
from typing import Annotated, Any

import typer

from ...inputs import exists
from .completion import profile_names

ProfileOptions = Annotated[
    list[str] | None,
    typer.Option(
        help="Hardware profile of latency. Several devices as NAME=FILE, for latency@NAME; several without names are "
        "deployments on one device: precision is searched, and runtime and threads are the fastest.",
        autocompletion=profile_names,
    ),
]
ProfileName = Annotated[
    str,
    typer.Argument(
        help="A profile's file, or the name of a shipped one (gnomon lut list).", autocompletion=profile_names
    ),
]

NAMED = re.compile(r"([\w.-]+)=(.+)")


def load_profiles(options: Sequence[str]) -> dict[str, Any]:
    """Load what the options say, as the arguments `profile`, `devices` and `deployments` of the library.

    Several without names are deployments on one device. Raises InvalidConfig for two profiles of one name, or several
    without beside some with, and the errors of `load_profile`.
    """
    from ...api import load_profile
    from ...search.errors import InvalidConfig

    named: dict[str, str] = {}
    unnamed: list[str] = []
    for option in options:
        match = None if exists(option) else NAMED.fullmatch(option)  # a file may have = in its name
        name, source = match.groups() if match else ("", option)
        if name in named:
            raise InvalidConfig(
                f"--profile {named[name]} and --profile {source} both have the name {name!r}; name each for itself",
                field="profile",
            )
        if name:
            named[name] = source
        else:
            unnamed.append(source)
    if named and len(unnamed) > 1:
        raise InvalidConfig(
            f"--profile {unnamed[0]} and --profile {unnamed[1]} have no name, and {next(iter(named))} has one; name "
            "each, as pi5=FILE, and ask for --objectives accuracy,latency@pi5",
            field="profile",
        )
    loaded = [load_profile(source) for source in unnamed]
    if len(loaded) > 1:
        return {"deployments": loaded}
    return {
        "profile": next(iter(loaded), None),
        "devices": {name: load_profile(source) for name, source in named.items()},
    }
