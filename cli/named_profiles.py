"""`--profile FILE`, or several as `--profile pi5=FILE --profile xeon=FILE`, which objectives call latency@pi5."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from ..lut import HardwareProfile

NAMED = re.compile(r"([\w.-]+)=(.+)")


def load_profiles(options: Sequence[str]) -> HardwareProfile | Mapping[str, HardwareProfile] | None:
    """Load what the options say: nothing, one unnamed profile, or profiles by name ("" is the unnamed one of several).

    Raises InvalidConfig for two profiles of one name, and the errors of `load_profile`.
    """
    from ..api import load_profile
    from ..search.errors import InvalidConfig

    sources: dict[str, str] = {}
    for option in options:
        match = None if Path(option).exists() else NAMED.fullmatch(option)  # a file may have = in its name
        name, source = match.groups() if match else ("", option)
        if name in sources:
            called = f"the name {name!r}" if name else "no name"
            raise InvalidConfig(
                f"--profile {sources[name]} and --profile {source} both have {called}; name each, as pi5=FILE, and ask "
                "for --objectives accuracy,latency@pi5",
                field="profile",
            )
        sources[name] = source
    if set(sources) <= {""}:
        return load_profile(sources[""]) if sources else None
    return {name: load_profile(source) for name, source in sources.items()}
