"""`--profile FILE`; of devices `--profile pi5=FILE --profile xeon=FILE`; of deployments on one, several times."""

from __future__ import annotations

import re
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from ..search.deployments.profiles import Profiles

NAMED = re.compile(r"([\w.-]+)=(.+)")


def load_profiles(options: Sequence[str]) -> Profiles:
    """Load what the options say: nothing, one unnamed profile, profiles by name, or several unnamed ones.

    By name, "" is the unnamed one; several unnamed ones are deployments on one device. Raises InvalidConfig
    for two profiles of one name, or several without beside some with, and the errors of `load_profile`.
    """
    from ..api import load_profile
    from ..search.errors import InvalidConfig

    named: dict[str, str] = {}
    unnamed: list[str] = []
    for option in options:
        match = None if Path(option).exists() else NAMED.fullmatch(option)  # a file may have = in its name
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
    if not named:
        loaded = [load_profile(source) for source in unnamed]
        return loaded if len(loaded) > 1 else next(iter(loaded), None)
    return {name: load_profile(source) for name, source in {**dict(zip([""], unnamed)), **named}.items()}
